"""Logistic regression: one linear layer, by gradient descent or exactly."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from hepclf.events import Events
from hepclf.models.model import Fit
from hepclf.models.network import Network
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer


@recipe
class Logistic(Network):
    """One linear layer. solver=newton finds the maximum-likelihood solution with errors; gradient uses the trainer."""

    # Ten times that of a deep network: the loss is convex, and coefficients may be far from their start.
    rate: ClassVar[float] = 0.05
    solver: Literal["gradient", "newton"] = "gradient"

    @property
    def trainer_settings(self) -> frozenset[str]:
        """The trainer's settings that a fit uses; the exact solution needs only a few."""
        if self.solver == "gradient":
            return super().trainer_settings
        return WEIGHTING | {"device", "residency"}

    def network(self, inputs: int, outputs: int) -> nn.Module:
        """The layer, starting at zero: the loss is convex, so every start leads to the same minimum."""
        linear = nn.Linear(inputs, outputs)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        return linear

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, trainer: Trainer) -> None:
        """Refuse settings that do not fit these features and classes; None if they are not known yet."""
        super().check(names, classes, trainer)
        if self.solver == "newton":
            from hepclf.models.newton import check_newton

            check_newton(classes, trainer)

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        if self.solver == "gradient":
            return super().fit(train, valid, trainer)
        from hepclf.models.newton import NewtonFit

        return NewtonFit(self, train, valid, trainer)

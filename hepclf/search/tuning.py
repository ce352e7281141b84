"""The settings of a search."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Literal

from hepclf.recipe import RecipeError, recipe
from hepclf.search.space import Space

Objective = Literal["log_loss", "auc", "rejection", "significance"]
RepeatBy = Literal["split", "seed"]
MINIMISED = ("log_loss",)
LOSS_WEIGHTS = ("trainer.balance", "trainer.negative_weights", "trainer.planing")
MOST_OBJECTIVES = 2
PLACES = 30  # a training tells its loss to the pruning at most so often


@recipe
class Tuning:
    """What a search optimises on validation events, how many trials it makes and how it chooses them.

    objective  one, or two for the front of what can be had of both
    repeats    trainings of a trial; its objective is their mean
    repeat_by  split: each repeat draws training and validation set anew; seed: the split stays
    """

    trials: int = 50
    objective: Objective | tuple[Objective, ...] = "log_loss"
    repeats: int = 3
    repeat_by: RepeatBy = "split"
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    pruning: Literal["median", "halving", "none"] = "median"
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("trials", "repeats", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if len(set(self.objectives)) < len(self.objectives) or not 1 <= len(self.objectives) <= MOST_OBJECTIVES:
            named = ", ".join(self.objectives) or "none"
            raise ValueError(f"objective must be one, or two that differ, not {named}")

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives, one or two."""
        return (self.objective,) if isinstance(self.objective, str) else self.objective

    @property
    def maximised(self) -> tuple[bool, ...]:
        """Of each objective, whether more is better."""
        return tuple(name not in MINIMISED for name in self.objectives)

    @property
    def prunes(self) -> bool:
        """Whether poor trials are stopped early; with two objectives no order tells which are poor."""
        return self.pruning != "none" and len(self.objectives) == 1

    def check(self, space: Space) -> None:
        """Refuse a space in which the objective of one trial says nothing of another's."""
        for parameter in space.parameters:
            if parameter.key in LOSS_WEIGHTS and "log_loss" in self.objectives:
                raise RecipeError(
                    f"{parameter.key} decides the weights in the log-loss, so tune.objective must not be log_loss "
                    "where it is searched; choose tune.objective=auc, or give it one value"
                )

    def limited(self, space: Space) -> Tuning:
        """The same with at most as many trials as a grid has points; other samplers have no end of them."""
        if self.sampler != "grid":
            return self
        points = sum(1 for _ in islice(space.grid(), self.trials))
        return replace(self, trials=points)

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
PLACES = 30  # largest number of losses that a training reports to the pruning


def loss_sign(is_maximised: bool) -> float:
    """The factor that makes a loss of an objective: less is then better."""
    return -1.0 if is_maximised else 1.0


@recipe
class Tuning:
    """The objective of a search on validation events, its number of trials, and how it chooses them.

    objective  one objective, or two for their front
    repeats    trainings of a trial; its objective is their mean
    repeat_by  split: each repeat has another random training and validation set; seed: all repeats have one split
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
        if isinstance(self.objective, str):
            return (self.objective,)
        return self.objective

    @property
    def maximised(self) -> tuple[bool, ...]:
        """Whether more is better, for each objective."""
        return tuple(name not in MINIMISED for name in self.objectives)

    @property
    def prunes(self) -> bool:
        """Whether poor trials are stopped early; two objectives have no order that defines poor trials."""
        return self.pruning != "none" and len(self.objectives) == 1

    def check(self, space: Space) -> None:
        """Refuse a space in which the objectives of two trials cannot be compared."""
        for parameter in space.parameters:
            if parameter.key in LOSS_WEIGHTS and "log_loss" in self.objectives:
                raise RecipeError(
                    f"{parameter.key} decides the weights in the log-loss, so tune.objective must not be log_loss "
                    "where it is searched; choose tune.objective=auc, or give it one value"
                )

    def limited(self, space: Space) -> Tuning:
        """The same with at most as many trials as a grid has points; other samplers have no limit."""
        if self.sampler != "grid":
            return self
        points = sum(1 for _ in islice(space.grid(), self.trials))
        return replace(self, trials=points)

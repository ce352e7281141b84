"""A job: everything that determines a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hepclf.data.loader import Loader
from hepclf.data.memory import Memory
from hepclf.evaluation.evaluation import Evaluation
from hepclf.events import Events
from hepclf.models.model import Model
from hepclf.recipe import describe
from hepclf.training.trainer import Trainer
from hepclf.words import Caution
from hepclf.workflow.beforehand import check_folds, check_settings, random_folds, unused_settings, unused_split
from hepclf.workflow.members.kfold import KFold, carrying


@dataclass(frozen=True, kw_only=True)
class Job:
    """The recipes of one training, or of one in folds, and the names of its data and model in the record.

    Settings that contradict each other are refused, as far as this is known before any data are read.
    """

    data: Loader
    model: Model
    trainer: Trainer
    evaluation: Evaluation
    names: Mapping[str, str]
    folds: KFold | None = None

    def __post_init__(self) -> None:
        check_settings(self.data, self.model, self.trainer, self.evaluation)
        if self.folds is not None:
            check_folds(self.folds, self.data, self.trainer)

    @classmethod
    def of(
        cls,
        data: Loader | Events,
        model: Model,
        trainer: Trainer | None = None,
        evaluation: Evaluation | None = None,
        *,
        folds: KFold | None = None,
        names: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Job:
        """A job of these recipes, with hepclf's defaults for those left out.

        `data` is a loader, or events, which are then split at random; check=False skips the checks of the events. With
        `folds`, the columns that number the events become spectators of the loader. `names` are the names of data and
        model in the record, by default those of their classes.
        """
        loader = Memory(events=data, check=check) if isinstance(data, Events) else data
        if folds is not None:
            loader = carrying(loader, folds.columns)
        for role, recipe, method in (("data", loader, "load"), ("model", model, "fit")):
            if not hasattr(recipe, method):
                raise TypeError(f"{role} must have {method}(), as every {role} of hepclf has, not be {recipe!r}")
        called = {"data": type(loader).__name__.lower(), "model": type(model).__name__.lower(), **(names or {})}
        trainer, evaluation = trainer or Trainer(), evaluation or Evaluation()
        return cls(data=loader, model=model, trainer=trainer, evaluation=evaluation, names=called, folds=folds)

    @cached_property
    def unused_settings(self) -> tuple[Caution, ...]:
        """Warnings of changed settings that the model, or the training in folds, does not use; otherwise nothing."""
        unused = unused_settings(self.model, self.trainer, self.names["model"])
        return unused if self.folds is None else (*unused, *unused_split(self.data))

    @cached_property
    def warnings(self) -> tuple[Caution, ...]:
        """Warnings of settings without effect, and of random folds; otherwise nothing."""
        return self.unused_settings if self.folds is None else (*self.unused_settings, *random_folds(self.folds))

    def describe(self) -> dict[str, Any]:
        """The contents of config.yaml: enough to train again."""
        recipes = {"data": self.data, "model": self.model, "trainer": self.trainer, "evaluation": self.evaluation}
        if self.folds is not None:
            recipes["folds"] = self.folds
        return {**{name: describe(recipe) for name, recipe in recipes.items()}, "names": dict(self.names)}

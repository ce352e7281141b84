"""Boosted decision trees on histograms: scikit-learn's HistGradientBoosting."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import field
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from hepclf.events import Events
from hepclf.models.arrays import Matrix
from hepclf.models.model import Fit, Uninterrupted
from hepclf.models.monotone import Monotone, check_monotone, monotone_signs
from hepclf.models.stepped import stepped
from hepclf.models.tree_fit import (
    COMPARED,
    check_at_least,
    check_positive,
    compare_with_library,
    output_count,
    tree_matrices,
    tree_tagger,
)
from hepclf.models.trees import LEAF, Nodes, TreesTagger, planted
from hepclf.recipe import recipe
from hepclf.training.epoch import Best, Epoch
from hepclf.training.threads import library_limit
from hepclf.training.trainer import WEIGHTING, Trainer

TOLERANCE = 1e-6


@recipe
class BDT:
    """Gradient boosting of trees on binned features; an Epoch is a boosting round. Missing values need no rule.

    monotone  features with which the signal's score may only rise (1) or fall (-1), by name
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"patience", "keep", "seed"}

    iterations: int = 500
    learning_rate: float = 0.1
    leaves: int | None = 31
    depth: int | None = None
    leaf_events: int = 20
    l2: float = 0.0
    bins: int = 255
    feature_fraction: float = 1.0
    monotone: Monotone = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_at_least(self, iterations=1, leaves=2, depth=1, leaf_events=1, l2=0)
        check_positive(self, "learning_rate")
        check_positive(self, "feature_fraction", maximum=1)
        if not 2 <= self.bins <= 255:
            raise ValueError(f"bins must lie in 2..255, not {self.bins}")

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, _: Trainer) -> None:
        """Refuse settings that do not fit these features and classes; None if they are not known yet."""
        check_monotone(self.monotone, names, classes)

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        settings = self.library(monotone_signs(self.monotone, train), trainer.seed)
        return BDTFit(self, settings, *tree_matrices(train, valid, trainer, "model=bdt"), trainer)

    def library(self, signs: list[int] | None, seed: int) -> dict[str, Any]:
        """The settings in the names of HistGradientBoostingClassifier."""
        return {
            "max_iter": self.iterations,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.leaves,
            "max_depth": self.depth,
            "min_samples_leaf": self.leaf_events,
            "l2_regularization": self.l2,
            "max_bins": self.bins,
            "max_features": self.feature_fraction,
            "monotonic_cst": signs,
            "random_state": seed,
        }


class BDTFit(Uninterrupted):
    """A running boosting; each round is an Epoch."""

    def __init__(self, recipe: BDT, settings: dict[str, Any], train: Matrix, valid: Matrix, trainer: Trainer) -> None:
        self._settings = settings
        self._recipe, self._train, self._valid, self._trainer = recipe, train, valid, trainer
        self._model: Any = None
        self._rounds: Any = None
        self._best = Best(trainer.keep)

    @property
    def epochs(self) -> int:
        """The maximum number of rounds."""
        return self._recipe.iterations

    @property
    def patience(self) -> int | None:
        """The trainer's patience, in rounds."""
        return self._trainer.patience

    def __iter__(self) -> Iterator[Epoch]:
        self._model, self._best = None, Best(self._trainer.keep)
        self._rounds = stepped(self._boost)
        started = time.perf_counter()
        with closing(self._rounds):
            for number, (train_loss, valid_loss) in enumerate(self._rounds, 1):
                self._best.take(number, valid_loss)
                yield Epoch(number, train_loss, valid_loss, self._recipe.learning_rate, time.perf_counter() - started)
                started = time.perf_counter()

    def tagger(self) -> TreesTagger:
        """The tagger of the rounds that the trainer keeps."""
        if self._best.epoch == 0:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        self._rounds.close()  # a caller may still hold on to the iteration
        tagger = _tagger(self._model, self._train, self._best.epoch, self._best.loss)
        _compare(tagger, self._model, self._valid, self._best.epoch)
        return tagger

    def _boost(self, report: Callable[[tuple[float, float]], bool]) -> None:
        """Run the library's fit, which asks after each round whether to continue."""
        train, valid = self._train, self._valid
        self._model = _reporting(report, self._settings)
        with library_limit():
            self._model.fit(
                train.features,
                train.targets,
                X_val=valid.features,
                y_val=valid.targets,
                **_weighted(train, valid),
            )


def _weighted(train: Matrix, valid: Matrix) -> dict[str, Any]:
    """The weights in the library's names; none if all are equal, because binning with weights takes seconds."""
    if np.ptp(train.weights) == 0 and np.ptp(valid.weights) == 0:
        return {}
    return {"sample_weight": train.weights, "sample_weight_val": valid.weights}


def _reporting(report: Callable[[tuple[float, float]], bool], settings: dict[str, Any]) -> Any:
    """The classifier; it reports the losses of each round when it stores them, and stops when told to."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    class Losses(list[float]):
        def append(self, score: float) -> None:
            super().append(score)
            before_any_tree = len(self) == 1
            if not before_any_tree and not report((-float(model.train_score_[-1]), -float(score))):
                model.set_params(n_iter_no_change=1, tol=math.inf)

    class Reporting(HistGradientBoostingClassifier):  # type: ignore[misc]
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "validation_score_" and isinstance(value, list):
                value = Losses(value)
            super().__setattr__(name, value)

    never = settings["max_iter"] + 1  # rounds without a better loss after which the library ends by itself
    model = Reporting(**settings, scoring="loss", early_stopping=True, n_iter_no_change=never)
    return model


def _tagger(model: Any, train: Matrix, rounds: int, loss: float) -> TreesTagger:
    outputs = output_count(train.classes)
    predictors = [tree for trees in model._predictors[:rounds] for tree in trees]
    trees = [_nodes(tree.nodes, number % outputs, outputs) for number, tree in enumerate(predictors)]
    summary = {"kept_epoch": rounds, "valid_loss": loss}
    return tree_tagger(train, planted(trees), "logistic", summary, model._baseline_prediction.ravel())


def _nodes(nodes: Any, output: int, outputs: int) -> Nodes:
    """One tree of the library, whose leaves add to a single output."""
    leaf = nodes["is_leaf"].astype(bool)
    values = np.zeros((len(nodes), outputs))
    values[:, output] = nodes["value"]
    return Nodes(
        features=np.where(leaf, LEAF, nodes["feature_idx"]),
        thresholds=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"],
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        values=values,
    )


def _compare(tagger: TreesTagger, model: Any, valid: Matrix, rounds: int) -> None:
    """Refuse trees whose scores differ from the library's: its storage format is not documented."""
    import sklearn

    features = valid.features[:COMPARED]
    expected = next(islice(model.staged_predict_proba(features), rounds - 1, None))
    if len(tagger.classes) == 2:
        expected = expected[:, 1]
    compare_with_library(tagger, features, expected, TOLERANCE, f"scikit-learn {sklearn.__version__}")

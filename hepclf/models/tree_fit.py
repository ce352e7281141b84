"""Shared by models of trees: training events, checks of settings, and a fit whose rounds add trees."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import Matrix, matrices, mean_cross_entropy
from hepclf.models.model import Uninterrupted
from hepclf.models.trees import LEAF, Arrays, Nodes, Trees, TreesTagger, concatenated, linked, planted
from hepclf.training.epoch import Best, Epoch, Keep
from hepclf.training.trainer import Trainer

COMPARED = 256  # events whose scores are compared with the library's own

Grow = Callable[[Matrix], Iterator[list[Nodes]]]


class TreesFit(Uninterrupted):
    """A fit in rounds, each of which adds trees to the earlier ones.

    grow   the trees of each round, grown on a matrix
    link   how leaves become probabilities (TreesTagger)
    stops  whether more trees can overtrain: then the trainer's patience and keep apply; otherwise all trees are kept
    """

    def __init__(
        self, parts: tuple[Matrix, Matrix], trainer: Trainer, *, grow: Grow, rounds: int, link: str, stops: bool = False
    ) -> None:
        self._train, self._valid = parts
        self._grow, self._rounds, self._link = grow, rounds, link
        self._patience: int | None = None
        self._keep: Keep = "last"
        if stops:
            self._patience, self._keep = trainer.patience, trainer.keep
        self._best = Best(self._keep)
        self._arrays: list[Arrays] = []

    @property
    def epochs(self) -> int:
        """The maximum number of rounds."""
        return self._rounds

    @property
    def patience(self) -> int | None:
        """Rounds without a better validation loss after which to stop, if more trees can overtrain."""
        return self._patience

    def __iter__(self) -> Iterator[Epoch]:
        outputs = output_count(self._train.classes)
        sums = [np.zeros((len(part.targets), outputs)) for part in (self._train, self._valid)]
        self._arrays, self._best, count = [], Best(self._keep), 0
        started = time.perf_counter()
        for nodes in self._grow(self._train):
            self._arrays.append(planted(nodes))
            trees, count = Trees(self._arrays[-1], len(self._train.names)), count + len(nodes)
            for total, part in zip(sums, (self._train, self._valid), strict=True):
                total += trees.sums(part.features)
            train_loss = mean_cross_entropy(linked(sums[0], self._link, count), self._train)
            valid_loss = mean_cross_entropy(linked(sums[1], self._link, count), self._valid)
            number = len(self._arrays)
            self._best.take(number, valid_loss)
            yield Epoch(number, train_loss, valid_loss, 1.0, time.perf_counter() - started)
            started = time.perf_counter()

    def tagger(self) -> TreesTagger:
        """The tagger of the rounds that are kept."""
        if not self._arrays:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        summary = {"kept_epoch": self._best.epoch, "valid_loss": self._best.loss}
        return tree_tagger(self._train, concatenated(self._arrays[: self._best.epoch]), self._link, summary)


def tree_tagger(train: Matrix, arrays: Arrays, link: str, summary: dict[str, Any], baseline: Any = None) -> TreesTagger:
    """The tagger of these trees; its summary counts them."""
    counts = {"trees": len(arrays["sizes"]), "leaves": len(arrays["values"])}
    if counts["leaves"] == counts["trees"]:
        raise ValueError(
            "no tree found a split that leaves enough events on both sides, so all events would score alike; lower "
            "model.leaf_events"
        )
    if baseline is None:
        baseline = np.zeros(output_count(train.classes))
    return TreesTagger(
        inputs=train.names,
        classes=train.classes,
        arrays={**arrays, "baseline": baseline},
        settings={"link": link},
        summary={**summary, **counts},
        sentinels=train.sentinels,
    )


def compare_with_library(
    tagger: TreesTagger,
    features: NDArray[np.float32],
    expected: NDArray[np.float64],
    tolerance: float,
    library: str,
) -> None:
    """Refuse trees whose scores of COMPARED events differ from the library's, which may change how it stores trees."""
    worst = float(np.abs(tagger.probabilities(features) - expected).max())
    if not worst < tolerance:
        raise ValueError(
            f"the trees of {library} were not understood: scores differ by {worst:.3g}; install another version"
        )


def output_count(classes: tuple[str, ...]) -> int:
    """The number of values in a leaf: one for two classes, otherwise one per class."""
    return 1 if len(classes) == 2 else len(classes)


def tree_matrices(train: Events, valid: Events, trainer: Trainer, model: str) -> tuple[Matrix, Matrix]:
    """Training and validation events as matrices; each class must have training events."""
    first, second = matrices(train, valid, trainer, model)
    first = first._replace(features=np.require(first.features, requirements="W"))  # scikit-learn's search for NaN
    counts = np.bincount(first.targets, minlength=len(first.classes))
    if not counts.all():
        raise ValueError(
            f"class {first.classes[int(np.argmin(counts))]!r} has no training event with a weight, which {model} "
            "needs; give it more events, or choose another trainer.negative_weights"
        )
    return first, second


def sklearn_nodes(tree: Any) -> Nodes:
    """The fitted `tree_` of a scikit-learn decision tree; its values become the fractions of the classes."""
    fractions = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
    if fractions.shape[1] == 2:
        fractions = fractions[:, 1:]
    leaf = tree.children_left == -1
    return Nodes(
        features=np.where(leaf, LEAF, tree.feature),
        thresholds=tree.threshold,
        missing_left=tree.missing_go_to_left,
        left=tree.children_left,
        right=tree.children_right,
        values=fractions,
    )


def check_at_least(recipe: Any, **limits: float) -> None:
    """Refuse a setting of the recipe below its limit; null passes."""
    for name, low in limits.items():
        value = getattr(recipe, name)
        if value is not None and not low <= value < math.inf:
            raise ValueError(f"{name} must be at least {low}, not {value}")


def check_positive(recipe: Any, *names: str, maximum: float = math.inf) -> None:
    """Refuse a setting of the recipe that is not positive and finite, or is above the maximum; null passes."""
    for name in names:
        value = getattr(recipe, name)
        if value is not None and not (0 < value <= maximum and value < math.inf):
            limit = "positive and finite" if maximum == math.inf else f"above 0 and at most {maximum:g}"
            raise ValueError(f"{name} must be {limit}, not {value}")

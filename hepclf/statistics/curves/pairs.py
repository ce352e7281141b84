"""Pairs of classes: the area of each pair, and averages over classes and over pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, area, curve, influence
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]


class Averages(NamedTuple):
    """Averages of areas, over classes against the rest and over pairs of classes (scikit-learn's `ovr`, `ovo`).

    macro     each class or pair counts equally
    weighted  each class or pair counts by its fraction of the weights
    """

    one_vs_rest_macro: Value
    one_vs_rest_weighted: Value
    one_vs_one_macro: Value
    one_vs_one_weighted: Value


class Pair(NamedTuple):
    """Two classes, first against second, by p_first / (p_first + p_second), and the curve of it."""

    first: int
    second: int
    auc: Value
    curve: Curve


@dataclass(frozen=True, eq=False)
class _Area:
    """An area, its events, the influence of each event on it, and their fraction of all weights."""

    value: float
    events: NDArray[np.intp]
    influence: Array
    share: float


def pair_probability(first: Array, second: Array) -> Array:
    """first / (first + second), the optimal score for one class against another; 1/2 where both are zero."""
    total = first + second
    return np.asarray(np.divide(first, total, out=np.full(len(total), 0.5), where=total > 0))


def pairs(labels: NDArray[np.int64], scores: Array, weights: Array) -> tuple[Pair, ...]:
    """Each pair of classes from probabilities [n, k]; the first class of a pair has the lower label."""
    class_pairs = []
    for a, b in combinations(range(scores.shape[1]), 2):
        events = np.flatnonzero((labels == a) | (labels == b))
        ranking = Ranking(pair_probability(scores[events, a], scores[events, b]))
        pair_curve = curve(ranking, labels[events] == a, weights[events])
        class_pairs.append(Pair(a, b, area(pair_curve), pair_curve))
    return tuple(class_pairs)


def averages(labels: NDArray[np.int64], scores: Array, weights: Array) -> Averages:
    """Averages of areas of probabilities [n, k]; their errors include the correlation of areas that share events.

    The area of a pair is the mean of the areas by p_a and by p_b, each for a against b (Hand and Till 2001, eq. 3), as
    in scikit-learn's roc_auc_score. There is no value where a class has no positive sum of weights.
    """
    class_areas = list(_one_vs_rest(labels, scores, weights))
    pair_areas = list(_one_vs_one(labels, scores, weights))
    return Averages(
        _mean(class_areas, len(labels)),
        _mean(class_areas, len(labels), weighted=True),
        _mean(pair_areas, len(labels)),
        _mean(pair_areas, len(labels), weighted=True),
    )


def _one_vs_rest(labels: NDArray[np.int64], scores: Array, weights: Array) -> Iterator[_Area | None]:
    """The area of each class against all others."""
    events, total = np.arange(len(labels)), weights.sum()
    for a in range(scores.shape[1]):
        share = _ratio(weights[labels == a].sum(), total)
        yield _area(labels, scores[:, a], weights, a, events, share)


def _one_vs_one(labels: NDArray[np.int64], scores: Array, weights: Array) -> Iterator[_Area | None]:
    """Two areas for each pair of classes: by the probability of the first class, and by that of the second."""
    total = weights.sum()
    for a, b in combinations(range(scores.shape[1]), 2):
        events = np.flatnonzero((labels == a) | (labels == b))
        share = _ratio(weights[events].sum(), total)
        for target in (a, b):
            yield _area(labels[events], scores[events, target], weights[events], target, events, share)


def _ratio(part: float, total: float) -> float:
    return float(part) / float(total) if total > 0 else math.nan


def _area(
    labels: NDArray[np.int64],
    scores: Array,
    weights: Array,
    target: int,
    events: NDArray[np.intp],
    share: float,
) -> _Area | None:
    is_target, ranking = labels == target, Ranking(scores)
    target_curve = curve(ranking, is_target, weights)
    value = area(target_curve).value
    if value is None:
        return None
    return _Area(value, events, influence(target_curve, ranking, is_target, weights), share)


def _mean(areas: list[_Area | None], events: int, *, weighted: bool = False) -> Value:
    defined = [row for row in areas if row is not None]
    if len(defined) < len(areas):
        return NOTHING
    sizes = np.ones(len(defined))
    if weighted:
        sizes = np.array([row.share for row in defined])
    moved = np.zeros(events)
    for size, row in zip(sizes / sizes.sum(), defined, strict=True):
        moved[row.events] += size * row.influence
    return measured(float(sizes @ [row.value for row in defined]) / sizes.sum(), math.sqrt(float(moved @ moved)))

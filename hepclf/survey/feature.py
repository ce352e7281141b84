"""One feature: its range, mean and width, overall and in each class, and the AUC of the feature alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.statistics.value import Value, has_positive_sum
from hepclf.survey.ascending import Ascending, SortedChunk
from hepclf.survey.running_area import RunningArea
from hepclf.survey.shape import ClassHistograms, HistogramSums

Array = NDArray[np.float64]

TOGETHER = 1 << 28  # bytes of columns in memory at a time
WORKERS = 2


class ClassSpan(NamedTuple):
    """Range, mean and width of a feature in one class; the last two are weighted, None where weights cancel."""

    missing: int
    infinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    width: float | None


class FeatureSummary(NamedTuple):
    """One feature. Its own figures count each event once; those of the classes and the areas are weighted.

    distinct  number of distinct finite values
    at_edges  numbers of events at its minimum and at its maximum
    digest    hash of all values, equal for equal features
    auc       of each class against the rest, in the better direction; for two classes, of the second class
    """

    name: str
    missing: int
    infinite: int
    distinct: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    width: float | None
    at_edges: tuple[int, int]
    digest: int
    classes: dict[str, ClassSpan]
    auc: dict[str, Value]
    shape: ClassHistograms | None

    @property
    def best(self) -> float:
        """The largest of its areas, 0.5 where there is none."""
        return max((area.value for area in self.auc.values() if area.value is not None), default=0.5)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, without the fields for warnings and pictures."""
        plain = {key: getattr(self, key) for key in self._fields[:8]}
        return {
            **plain,
            "classes": {name: span._asdict() for name, span in self.classes.items()},
            "auc": {name: area.to_dict() for name, area in self.auc.items()},
        }


def feature_summaries(events: Events, *, shapes: bool = False) -> Iterator[FeatureSummary]:
    """The summary of each feature; with shapes, also its histograms. Only a few columns are in memory at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for names, table in columns(events):
            yield from pool.map(lambda name, column: feature_summary(events, name, column, shapes=shapes), names, table)


def columns(events: Events) -> Iterator[tuple[tuple[str, ...], NDArray[np.float32]]]:
    """A few columns at a time, [few, n], so that a table on disk is not read once for each column."""
    few = max(1, TOGETHER // (4 * max(len(events), 1)))
    for start in range(0, len(events.names), few):
        names = events.names[start : start + few]
        table = np.empty((len(names), len(events)), dtype=np.float32)
        for first in range(0, len(events), 1 << 14):
            rows = slice(first, first + (1 << 14))
            table[:, rows] = events.features[rows, start : start + few].T
        yield names, table


def feature_summary(events: Events, name: str, column: NDArray[np.float32], *, shapes: bool = False) -> FeatureSummary:
    """The summary of the feature in this column."""
    order, count = Ascending(column), len(events.classes)
    missing, infinite = (np.bincount(events.labels[test(column)], minlength=count) for test in (np.isnan, np.isinf))
    sums, binned, shape = _Sums(order, events.classes), None, None
    if shapes and len(order):
        binned = HistogramSums(order, count)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite weights have a warning of their own
        for chunk in order.chunks():
            labels, weights = events.labels[chunk.places], events.weights[chunk.places]
            sums.add(chunk, labels, weights)
            if binned:
                binned.add(chunk, labels, weights)
        spans = sums.spans(missing.tolist(), infinite.tolist())
        mean, width = sums.moments()
        if binned:
            shape = binned.shape()
        minimum, maximum = _ends(order)
        return FeatureSummary(
            name=name,
            missing=int(missing.sum()),
            infinite=int(infinite.sum()),
            distinct=sums.distinct,
            minimum=minimum,
            maximum=maximum,
            mean=mean,
            width=width,
            at_edges=sums.at_edges,
            digest=hash(column.tobytes()),
            classes=dict(zip(events.classes, spans, strict=True)),
            auc={name: area.area() for name, area in sums.areas.items()},
            shape=shape,
        )


def _ends(order: Ascending) -> tuple[float, float] | tuple[None, None]:
    """The lowest and the highest value."""
    if not len(order):
        return None, None
    return order.value(0), order.value(len(order) - 1)


class _Sums:
    """Running sums over the sorted values of a feature. Moments are about the median, so small widths keep digits."""

    def __init__(self, order: Ascending, classes: tuple[str, ...]) -> None:
        self._centre = 0.0
        if len(order):
            self._centre = order.value(len(order) // 2)
        self._events, self._classes = len(order), classes
        self._moments = np.zeros(2)
        self._weighted = np.zeros((4, len(classes)))
        self._first: list[float | None] = [None] * len(classes)
        self._last: list[float | None] = [None] * len(classes)
        self.distinct, self.at_edges = 0, (0, 0)
        if len(classes) == 2:
            classes = classes[-1:]  # the area of the first class would be the same
        self.areas = {name: RunningArea() for name in classes}

    def add(self, chunk: SortedChunk, labels: NDArray[np.int64], weights: Array) -> None:
        away = chunk.values - self._centre
        moved, k = weights * away, len(self._classes)
        self._moments += away.sum(), (away * away).sum()
        self._weighted += [np.bincount(labels, sums, k) for sums in (weights, weights * weights, moved, moved * away)]
        lowest, _ = self.at_edges
        if self.distinct == 0:
            lowest = int(chunk.ends[0]) + 1
        self.at_edges = (lowest, int(np.diff(chunk.ends, prepend=-1)[-1]))
        self.distinct += len(chunk.ends)
        for label, name in enumerate(self._classes):
            in_class = labels == label
            self._update_range(label, chunk.values, in_class)
            if name in self.areas:
                self.areas[name].add(chunk, in_class, weights)

    def _update_range(self, label: int, values: Array, in_class: NDArray[np.bool_]) -> None:
        """Update the lowest and highest value of a class: the first and last of its events in ascending order."""
        first = int(in_class.argmax())
        if not in_class[first]:
            return
        if self._first[label] is None:
            self._first[label] = float(values[first])
        self._last[label] = float(values[len(in_class) - 1 - int(in_class[::-1].argmax())])

    def moments(self) -> tuple[float | None, float | None]:
        """Mean and width, each event counting once."""
        return _moments(self._centre, self._events, self._events, *self._moments.tolist())

    def spans(self, missing: list[int], infinite: list[int]) -> list[ClassSpan]:
        moments = [_moments(self._centre, *sums) for sums in self._weighted.T.tolist()]
        return [
            ClassSpan(*row[:-1], *row[-1])
            for row in zip(missing, infinite, self._first, self._last, moments, strict=True)
        ]


def _moments(
    centre: float, total: float, squares: float, first: float, second: float
) -> tuple[float | None, float | None]:
    """Mean and width from these sums; None where the sum of weights is not positive, or weights cancel in the width."""
    if not has_positive_sum(total, squares) or not math.isfinite(second):
        return None, None
    mean, square = first / total, second / total
    variance = square - mean**2
    if variance < -1e-12 * abs(square):  # below zero by more than rounding
        return centre + mean, None
    return centre + mean, math.sqrt(max(variance, 0.0))

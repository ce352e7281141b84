"""One feature: what it spans, in all and class by class, and how well it alone separates the classes."""

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

TOGETHER = 1 << 28  # bytes of columns that are held together
WORKERS = 2


class ClassSpan(NamedTuple):
    """What a feature spans in one class; mean and width are weighted, None where the weights do not allow them."""

    missing: int
    infinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    width: float | None


class FeatureSummary(NamedTuple):
    """One feature. Its own figures count each event once; those of the classes are weighted, as are the areas.

    distinct  number of its finite values that differ
    at_edges  events at its minimum, and at its maximum
    digest    of all values: equal for features that are equal
    auc       of each class against the rest, in the better direction; of two classes, the second alone
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
        """The highest of its areas, 0.5 where there is none."""
        return max((area.value for area in self.auc.values() if area.value is not None), default=0.5)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, without what was made for other eyes."""
        plain = {key: getattr(self, key) for key in self._fields[:8]}
        return {
            **plain,
            "classes": {name: span._asdict() for name, span in self.classes.items()},
            "auc": {name: area.to_dict() for name, area in self.auc.items()},
        }


def feature_summaries(events: Events, *, shapes: bool = False) -> Iterator[FeatureSummary]:
    """Each feature in turn; with shapes, also its histograms. No more than a few columns are ever in memory."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for names, table in columns(events):
            yield from pool.map(lambda name, column: feature_summary(events, name, column, shapes=shapes), names, table)


def columns(events: Events) -> Iterator[tuple[tuple[str, ...], NDArray[np.float32]]]:
    """A few columns at a time, [few, n], so that a table on disk is not read once a column."""
    few = max(1, TOGETHER // (4 * max(len(events), 1)))
    for start in range(0, len(events.names), few):
        names = events.names[start : start + few]
        table = np.empty((len(names), len(events)), dtype=np.float32)
        for first in range(0, len(events), 1 << 14):
            rows = slice(first, first + (1 << 14))
            table[:, rows] = events.features[rows, start : start + few].T
        yield names, table


def feature_summary(events: Events, name: str, column: NDArray[np.float32], *, shapes: bool = False) -> FeatureSummary:
    """The feature of this column."""
    order, count = Ascending(column), len(events.classes)
    missing, infinite = (np.bincount(events.labels[test(column)], minlength=count) for test in (np.isnan, np.isinf))
    sums, binned = _Sums(order, events.classes), HistogramSums(order, count) if shapes and len(order) else None
    with np.errstate(invalid="ignore", over="ignore"):  # infinite weights are told, and leave no numbers
        for chunk in order.chunks():
            labels, weights = events.labels[chunk.places], events.weights[chunk.places]
            sums.add(chunk, labels, weights)
            if binned:
                binned.add(chunk, labels, weights)
        spans = sums.spans(missing.tolist(), infinite.tolist())
        mean, width = sums.moments()
        return FeatureSummary(
            name=name,
            missing=int(missing.sum()),
            infinite=int(infinite.sum()),
            distinct=sums.distinct,
            minimum=order.value(0) if len(order) else None,
            maximum=order.value(len(order) - 1) if len(order) else None,
            mean=mean,
            width=width,
            at_edges=sums.at_edges,
            digest=hash(column.tobytes()),
            classes=dict(zip(events.classes, spans, strict=True)),
            auc={name: area.area() for name, area in sums.areas.items()},
            shape=binned.shape() if binned else None,
        )


class _Sums:
    """Running sums over the order of a feature. Moments are about its median: a small width is not rounded away."""

    def __init__(self, order: Ascending, classes: tuple[str, ...]) -> None:
        self._centre = order.value(len(order) // 2) if len(order) else 0.0
        self._events, self._classes = len(order), classes
        self._moments = np.zeros(2)
        self._weighted = np.zeros((4, len(classes)))
        self._first: list[float | None] = [None] * len(classes)
        self._last: list[float | None] = [None] * len(classes)
        self.distinct, self.at_edges = 0, (0, 0)
        self.areas = {name: RunningArea() for name in (classes if len(classes) > 2 else classes[-1:])}

    def add(self, chunk: SortedChunk, labels: NDArray[np.int64], weights: Array) -> None:
        away = chunk.values - self._centre
        moved, k = weights * away, len(self._classes)
        self._moments += away.sum(), (away * away).sum()
        self._weighted += [np.bincount(labels, sums, k) for sums in (weights, weights * weights, moved, moved * away)]
        lowest = int(chunk.ends[0]) + 1 if self.distinct == 0 else self.at_edges[0]
        self.at_edges = (lowest, int(np.diff(chunk.ends, prepend=-1)[-1]))
        self.distinct += len(chunk.ends)
        for label, name in enumerate(self._classes):
            in_class = labels == label
            self._update_range(label, chunk.values, in_class)
            if name in self.areas:
                self.areas[name].add(chunk, in_class, weights)

    def _update_range(self, label: int, values: Array, in_class: NDArray[np.bool_]) -> None:
        """The first and last of a class in ascending order are its lowest and highest."""
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
    """Mean and width of these sums; None where weights do not sum to more than zero, or cancel in the width."""
    if not has_positive_sum(total, squares) or not math.isfinite(second):
        return None, None
    mean, square = first / total, second / total
    variance = square - mean**2
    rounding = 1e-12 * abs(square)
    return centre + mean, math.sqrt(max(variance, 0.0)) if variance >= -rounding else None

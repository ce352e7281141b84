"""The distribution of a feature in each class, for drawing."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.shapes.bins import DensityHistogram
from hepclf.statistics.value import has_positive_sum
from hepclf.survey.ascending import Ascending, SortedChunk

Array = NDArray[np.float64]

BINS = 50  # at most
FEW = 20  # up to as many integers have one bin each, also with few events
TAIL = 0.005  # of the events on either side, which extend the axis by at most half the range of the others


class ClassHistograms(NamedTuple):
    """A histogram of unit area for each class, None for a class without a positive sum of weights.

    outside  fraction of the events beyond the edges, which are included in the unit area
    """

    edges: Array
    histograms: tuple[DensityHistogram | None, ...]
    outside: float


class HistogramSums:
    """Sums of weights in bins for each class, accumulated chunk by chunk."""

    def __init__(self, order: Ascending, classes: int) -> None:
        self._edges = edges(order)
        self._classes, self._events = classes, len(order)
        self._sums, self._squares = np.zeros((2, classes, len(self._edges) + 1))
        self._outside = 0

    def add(self, chunk: SortedChunk, labels: NDArray[np.int64], weights: Array) -> None:
        """The next chunk of the order, with the labels and weights of its events."""
        count = len(self._edges) + 1
        bins = np.searchsorted(self._edges, chunk.values, side="right")
        bins[chunk.values == self._edges[-1]] = count - 2  # the last bin is closed, as numpy has it
        self._outside += int(((bins == 0) | (bins == count - 1)).sum())
        cells, shape = labels * count + bins, (self._classes, count)
        self._sums += np.bincount(cells, weights, self._classes * count).reshape(shape)
        self._squares += np.bincount(cells, weights * weights, self._classes * count).reshape(shape)

    def shape(self) -> ClassHistograms:
        """The histograms of all added chunks."""
        histograms = tuple(map(self._histogram, self._sums, self._squares))
        return ClassHistograms(self._edges, histograms, self._outside / max(self._events, 1))

    def _histogram(self, sums: Array, squares: Array) -> DensityHistogram | None:
        if not has_positive_sum(total := float(sums.sum()), float(squares.sum())):
            return None
        area = total * np.diff(self._edges)
        return DensityHistogram(self._edges, sums[1:-1] / area, np.sqrt(squares[1:-1]) / area)


def edges(order: Ascending) -> Array:
    """Edges of the bins over all values except a few far ones; an integer is in the middle of its bin."""
    low, high = order.value(0), order.value(len(order) - 1)
    tail = int(TAIL * len(order))
    first, last = order.value(tail), order.value(len(order) - 1 - tail)
    if last > first:
        low, high = max(low, first - (last - first) / 2), min(high, last + (last - first) / 2)
    count = min(BINS, math.ceil(2 * len(order) ** (1 / 3)))  # the rule of Rice
    if max(abs(low), abs(high)) < 2**24 and _all_integers(order):
        low, high = math.floor(low), math.ceil(high)
        step = max(1, math.ceil((high - low + 1) / max(count, FEW)))
        return np.arange(low - 0.5, high + step, step)
    if high - low <= 1e-5 * max(abs(low), abs(high)):
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    return np.linspace(low, high, count + 1)


def _all_integers(order: Ascending) -> bool:
    return all((part.values == np.floor(part.values)).all() for part in order.chunks())

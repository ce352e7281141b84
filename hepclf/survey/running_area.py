"""The AUC of a single feature for a class against the others, in one pass over its sorted values."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, effective_count, has_positive_sum, measured
from hepclf.survey.ascending import SortedChunk

Array = NDArray[np.float64]

ROUNDING = 1e-12  # a smaller variance of V is rounding of sums that cancel


class RunningArea:
    """The area of one class against the rest, equal to `roc.area`, accumulated chunk by chunk.

    Let s and b be the sums of weights of the class and of the rest at each distinct value t, ascending, and V(t) the
    other side's weight below t plus half of its weight at t. The area is sum s V_b / (S B). Its error is DeLong's.
    """

    def __init__(self) -> None:
        self._signal, self._background = _RunningSums(), _RunningSums()

    def add(self, chunk: SortedChunk, in_class: NDArray[np.bool_], weights: Array) -> None:
        """Add the next chunk: which of its events are in the class, and their weights."""
        background_weights = np.where(in_class, 0.0, weights)
        signal_sums, signal_squares, signal_until = self._signal.take(weights - background_weights, chunk.ends)
        sums, squares, until = self._background.take(background_weights, chunk.ends)
        self._signal.place(signal_sums, signal_squares, until)
        self._background.place(sums, squares, signal_until)

    def area(self) -> Value:
        """The area in the better direction, at least 0.5; without a value if a side has no positive sum of weights."""
        signal, background = self._signal, self._background
        if not (
            has_positive_sum(signal.total, signal.squares) and has_positive_sum(background.total, background.squares)
        ):
            return NOTHING
        value = signal.placed / (signal.total * background.total)
        error = math.hypot(signal.spread(background.total, value), background.spread(signal.total, 1 - value))
        return measured(max(value, 1 - value), error)


class _RunningSums:
    """The running sums of the class, or of the rest: w, w^2, w V, w^2 V and w^2 V^2."""

    def __init__(self) -> None:
        self.total = self.squares = self.placed = self.first = self.second = 0.0

    def take(self, weights: Array, ends: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Sums of w and w^2 at each distinct value, and the weight below it plus half of its own."""
        until = np.cumsum(weights)[ends]
        sums = np.diff(until, prepend=0.0)
        squares = np.diff(np.cumsum(weights * weights)[ends], prepend=0.0)
        middle = self.total + until - sums / 2
        self.total += float(until[-1])
        self.squares += float(squares.sum())
        return sums, squares, middle

    def place(self, sums: Array, squares: Array, placement: Array) -> None:
        """Add the distinct values of a chunk; `placement` is V, their place among the events of the other side."""
        weighted = squares * placement
        self.placed += float((sums * placement).sum())  # not @, whose threads cost more than they save
        self.first += float(weighted.sum())
        self.second += float((weighted * placement).sum())

    def spread(self, opposite_total: float, mean: float) -> float:
        """Standard error of the area from this side: sqrt(n/(n-1) sum w^2 (V - mean)^2) / sum w, nan for n <= 1."""
        n = effective_count(self.total, self.squares)
        if n <= 1:
            return math.nan
        moved = self.second / opposite_total**2 - 2 * mean * self.first / opposite_total + mean**2 * self.squares
        if moved < ROUNDING * self.squares:
            return 0.0
        return math.sqrt(moved * n / (n - 1)) / self.total

"""How well a feature alone tells a class from the others: the area under its ROC curve, in one pass over its order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, effective_count, has_positive_sum, measured
from hepclf.survey.ascending import SortedChunk

Array = NDArray[np.float64]

ROUNDING = 1e-12  # a variance of V below is that of sums that cancel


class Alone:
    """The area of one class against the rest, as `roc.area` has it, of stretches that come one by one.

    With t the distinct values in ascending order, s and b the sums of weights of the class and of the rest there, and
    V(t) = sum before t + half of t of the other kind, the area is sum s V_b / (S B), and its error is that of DeLong.
    """

    def __init__(self) -> None:
        self._signal, self._rest = _Side(), _Side()

    def add(self, stretch: SortedChunk, mine: NDArray[np.bool_], weights: Array) -> None:
        """The next stretch of the order: which of its events are of the class, and their weights."""
        others = np.where(mine, 0.0, weights)
        signal = self._signal.take(weights - others, stretch.ends)
        rest = self._rest.take(others, stretch.ends)
        self._signal.place(signal, rest[2])
        self._rest.place(rest, signal[2])

    def area(self) -> Value:
        """In the better direction, so at least 0.5; nothing if a side has no positive sum of weights."""
        signal, rest = self._signal, self._rest
        if not (has_positive_sum(signal.total, signal.squares) and has_positive_sum(rest.total, rest.squares)):
            return NOTHING
        value = signal.placed / (signal.total * rest.total)
        error = math.hypot(signal.spread(rest.total, value), rest.spread(signal.total, 1 - value))
        return measured(max(value, 1 - value), error)


class _Side:
    """The running sums of the class, or of the rest: w, w^2, w V, w^2 V and w^2 V^2."""

    def __init__(self) -> None:
        self.total = self.squares = self.placed = self.first = self.second = 0.0

    def take(self, weights: Array, ends: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Sums of w and w^2 of each distinct value, and what lies before it with half of its own."""
        until = np.cumsum(weights)[ends]
        sums = np.diff(until, prepend=0.0)
        squares = np.diff(np.cumsum(weights * weights)[ends], prepend=0.0)
        middle = self.total + until - sums / 2
        self.total += float(until[-1])
        self.squares += float(squares.sum())
        return sums, squares, middle

    def place(self, mine: tuple[Array, Array, Array], other: Array) -> None:
        sums, squares, _ = mine
        weighted = squares * other
        self.placed += float((sums * other).sum())  # not @, whose threads cost more than they save here
        self.first += float(weighted.sum())
        self.second += float((weighted * other).sum())

    def spread(self, other: float, mean: float) -> float:
        """Standard error of the area from this side: sqrt(n/(n-1) sum w^2 (V - mean)^2) / sum w, nan for n <= 1."""
        n = effective_count(self.total, self.squares)
        if n <= 1:
            return math.nan
        moved = self.second / other**2 - 2 * mean * self.first / other + mean**2 * self.squares
        if moved < ROUNDING * self.squares:
            return 0.0
        return math.sqrt(moved * n / (n - 1)) / self.total

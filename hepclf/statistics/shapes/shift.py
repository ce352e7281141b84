"""Shifts of a number when its events are varied, with the error of the shift."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, SINGLE, Value, has_positive_sum, measured

Array = NDArray[np.float64]


class Moved:
    """A number with the influence of each event on it; its squared error is the sum of squared influences."""

    def __init__(self, value: float, influence: Array) -> None:
        self.value, self.influence = value, influence

    @property
    def quoted(self) -> Value:
        """The number with its error."""
        return self.rounded(0.0)

    def rounded(self, rounding: float) -> Value:
        """The number with its error, zero where both are only rounding."""
        return measured(self.value, math.sqrt(float(self.influence @ self.influence)), rounding)


def passing_efficiency(passing: NDArray[np.bool_], weights: Array) -> Moved | None:
    """The efficiency e = sum(w passing) / sum(w), each event moving it by w (passing - e) / sum(w)."""
    total = float(weights.sum())
    if not has_positive_sum(total, float(weights @ weights)):
        return None
    e = float(weights[passing].sum()) / total
    return Moved(e, weights * (passing - e) / total)


def passing_weight(passing: NDArray[np.bool_], weights: Array) -> Moved:
    """The sum of the weights of the passing events."""
    return Moved(float(weights[passing].sum()), np.where(passing, weights, 0.0))


def absolute_shift(before: Moved | None, after: Moved | None) -> Value:
    """after - before; the fluctuations that both have in common cancel in the error."""
    if before is None or after is None:
        return NOTHING
    rounding = SINGLE * abs(before.value)
    return Moved(after.value - before.value, after.influence - before.influence).rounded(rounding)


def relative_shift(before: Moved | None, after: Moved | None) -> Value:
    """after / before - 1, with the error of a ratio of correlated numbers; needs before > 0."""
    if before is None or after is None or not before.value > 0:
        return NOTHING
    ratio = after.value / before.value
    return Moved(ratio - 1, (after.influence - ratio * before.influence) / before.value).rounded(SINGLE)

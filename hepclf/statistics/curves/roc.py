"""ROC curves, their areas and working points, from one sort of the scores and float64 cumulative sums."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.value import NOTHING, Value, effective_count, efficiency_error, has_positive_sum, measured

Array = NDArray[np.float64]

POINTS = 1000
# Sums of the same weights in another order differ in the last digits; a target efficiency is met within this.
ROUNDING = 1e-12
# Short enough that a product of two runs stays in one thread.
BLOCK = 1 << 13


@dataclass(frozen=True, eq=False)
class Curve:
    """Weight sums of signal and background at or above each distinct score [m], and those of squared weights."""

    thresholds: Array
    signal: Array
    background: Array
    signal_squares: Array
    background_squares: Array

    @property
    def defined(self) -> bool:
        """Whether both classes have a positive sum of weights, without which there are no efficiencies."""
        return bool(len(self.thresholds)) and all(
            has_positive_sum(float(sums[-1]), float(squares[-1]))
            for sums, squares in ((self.signal, self.signal_squares), (self.background, self.background_squares))
        )

    @cached_property
    def signal_efficiency(self) -> Array:
        """Fraction of the signal at or above each threshold, [m]."""
        return np.asarray(self.signal / self.signal[-1])

    @cached_property
    def background_efficiency(self) -> Array:
        """Fraction of the background at or above each threshold, [m]."""
        return np.asarray(self.background / self.background[-1])

    @property
    def effective_signal(self) -> float:
        """(sum w)^2 / sum w^2 of the signal."""
        return effective_count(float(self.signal[-1]), float(self.signal_squares[-1]))

    @property
    def effective_background(self) -> float:
        """(sum w)^2 / sum w^2 of the background."""
        return effective_count(float(self.background[-1]), float(self.background_squares[-1]))

    def index_at(self, target: ArrayLike) -> NDArray[np.intp]:
        """Index of the first threshold whose signal efficiency is at least the target; no interpolation."""
        # The margin: a target that is the rounded efficiency of a threshold must find this threshold, not the next.
        index = np.searchsorted(self.rising[0], np.asarray(target) - ROUNDING, side="left")
        return np.minimum(index, len(self.thresholds) - 1)

    def settled(self, index: int) -> int:
        """Index of the last threshold at or above this one whose events have weight: weight zero must not set a cut."""
        squares = self.signal_squares + self.background_squares
        # Events of weight zero leave the sum of squares as it is, so its first equal value is the last with weight.
        return int(np.searchsorted(squares, squares[index]))

    @cached_property
    def rising(self) -> tuple[Array, Array]:
        """Running maxima of both efficiencies, because negative weights may make a curve fall."""
        return _rising(self.signal_efficiency), _rising(self.background_efficiency)

    @cached_property
    def delong(self) -> Value:
        """The area under the curve (`area`)."""
        return _delong(self) if self.defined else NOTHING


def curve(ranking: Ranking, is_signal: NDArray[np.bool_], weights: Array) -> Curve:
    """The sums of signal and of background above each threshold of a ranking; weights may be negative."""
    chosen, sizes = ranking.ranked(is_signal), ranking.ranked(weights)
    signal, background = (ranking.sums_of_ranked(np.where(of_class, sizes, 0.0)) for of_class in (chosen, ~chosen))
    # With unit weights the sums of squares are the sums themselves: half the time and memory.
    if bool((sizes == 1).all()):
        return Curve(ranking.thresholds, signal, background, signal, background)
    squares = sizes**2
    squared = (ranking.sums_of_ranked(np.where(of_class, squares, 0.0)) for of_class in (chosen, ~chosen))
    return Curve(ranking.thresholds, signal, background, *squared)


def area(curve: Curve) -> Value:
    r"""Area under the curve by trapezoids over ties, with its weighted DeLong error.

    A = P(score_s > score_b) + P(equal)/2. With V the placement of an event among the other class (ties half),
    var A = sum over both classes of n/(n-1) sum w^2 (V - A)^2 / (sum w)^2, n = (sum w)^2 / sum w^2: DeLong,
    DeLong and Clarke-Pearson (1988) for equal weights. There is no value if a class has no positive sum of weights,
    and no error if n <= 1 for a class.
    """
    return curve.delong


def influence(curve: Curve, ranking: Ranking, is_signal: NDArray[np.bool_], weights: Array) -> Array:
    """The influence of each event on the area, [n]; the squared error of the area is the sum of squared influences.

    The error of a mean of areas of the same events follows from the mean of their influences.
    """
    value = curve.delong.value or 0.0
    # Equal scores count half, so an event sees the mean of the efficiencies before and at its own threshold.
    signal = 1 - (_before(curve.background_efficiency) + curve.background_efficiency) / 2 - value
    background = (_before(curve.signal_efficiency) + curve.signal_efficiency) / 2 - value
    factors = spreads(curve)
    moved = np.where(is_signal, factors[0] * ranking.spread(signal), factors[1] * ranking.spread(background))
    return np.asarray(weights * moved)


class Segment(NamedTuple):
    """A range of thresholds: efficiencies before and at each, and the squared weights that each adds."""

    signal_before: Array
    signal: Array
    background_before: Array
    background: Array
    signal_squares: Array
    background_squares: Array

    @property
    def mean_signal(self) -> Array:
        """Mean of the signal efficiencies before and at each threshold."""
        return (self.signal_before + self.signal) / 2

    @property
    def mean_background(self) -> Array:
        """Mean of the background efficiencies before and at each threshold."""
        return (self.background_before + self.background) / 2


def segments(curve: Curve) -> Iterator[Segment]:
    """A curve in ranges that fit into a processor's cache, where sums over millions of thresholds are fast."""
    m, totals = len(curve.thresholds), (float(curve.signal[-1]), float(curve.background[-1]))
    for start in range(0, m, BLOCK):
        s, b, s_squares, b_squares = (
            _from_previous(sums, start, start + BLOCK)
            for sums in (curve.signal, curve.background, curve.signal_squares, curve.background_squares)
        )
        s, b = s / totals[0], b / totals[1]
        yield Segment(s[:-1], s[1:], b[:-1], b[1:], np.diff(s_squares), np.diff(b_squares))


def _from_previous(sums: Array, start: int, stop: int) -> Array:
    """sums[start:stop] with the sum before them in front, which is zero at the first threshold."""
    if start == 0:
        return np.concatenate([[0.0], sums[:stop]])
    return sums[start - 1 : stop]


def _delong(curve: Curve) -> Value:
    value = sum(float((part.background - part.background_before) @ part.mean_signal) for part in segments(curve))
    by_signal = by_background = 0.0
    for part in segments(curve):
        by_signal += float(part.signal_squares @ (1 - value - part.mean_background) ** 2)
        by_background += float(part.background_squares @ (part.mean_signal - value) ** 2)
    factors = spreads(curve)
    return measured(value, math.hypot(factors[0] * math.sqrt(by_signal), factors[1] * math.sqrt(by_background)))


def spreads(curve: Curve) -> tuple[float, float]:
    """sqrt(n/(n-1)) / (sum w) of signal and background, nan where n is not above 1."""
    counts = (curve.effective_signal, curve.effective_background)
    totals = (float(curve.signal[-1]), float(curve.background[-1]))
    factors = [math.sqrt(n / (n - 1)) / total if n > 1 else math.nan for n, total in zip(counts, totals, strict=True)]
    return factors[0], factors[1]


def _rising(sums: Array) -> Array:
    highest = np.maximum.accumulate(sums)
    if np.array_equal(sums, highest):  # one array in memory, not two
        return sums
    return highest


def _before(sums: Array) -> Array:
    return np.concatenate([[0.0], sums[:-1]])


def background_error(curve: Curve, index: NDArray[np.intp]) -> Array:
    """Error of the background efficiency at these thresholds, for a cut that is set by the signal efficiency."""
    # The cut itself is uncertain: a shift of the signal efficiency by its error moves the background efficiency.
    reached = curve.signal_efficiency[index]
    counting_error = _efficiency_error(curve.background, curve.background_squares, index)
    shift = _efficiency_error(curve.signal, curve.signal_squares, index)
    high = curve.background_efficiency[curve.index_at(np.minimum(reached + shift, 1.0))]
    low = curve.background_efficiency[curve.index_at(np.maximum(reached - shift, 0.0))]
    return np.hypot(counting_error, (high - low) / 2)


def _efficiency_error(sums: Array, squares: Array, index: NDArray[np.intp]) -> Array:
    return efficiency_error(sums[index], sums[-1], squares[index], squares[-1])


@dataclass(frozen=True, eq=False)
class Roc:
    """A curve for drawing: at most 1000 points from (0, 0) to (1, 1), the full area, the limit without background."""

    thresholds: Array
    signal_efficiency: Array
    background_efficiency: Array
    background_error: Array
    area: Value
    limit: Limit | None = None


def roc_points(curve: Curve) -> Roc | None:
    """The curve for drawing, thinned to points that a linear or a logarithmic axis resolves."""
    if not curve.defined:
        return None
    index = thinned_thresholds(curve)
    return Roc(
        thresholds=np.concatenate([[np.inf], curve.thresholds[index]]),
        signal_efficiency=np.concatenate([[0.0], curve.signal_efficiency[index]]),
        background_efficiency=np.concatenate([[0.0], curve.background_efficiency[index]]),
        background_error=np.concatenate([[0.0], background_error(curve, index)]),
        area=area(curve),
    )


def thinned_thresholds(curve: Curve, points: int = POINTS) -> NDArray[np.intp]:
    """Fewer than `points` thresholds that represent a curve, picked like `thinned`."""
    return _picked(*curve.rising, points)


def thinned(signal: Array, background: Array) -> NDArray[np.intp]:
    """At most 999 indices into curves that rise to 1: even steps in both, and in the logarithm of the background."""
    return _picked(np.maximum.accumulate(signal), np.maximum.accumulate(background), POINTS)


def _picked(signal: Array, background: Array, points: int) -> NDArray[np.intp]:
    m = len(signal)
    if m < points:
        return np.arange(m)
    # A logarithmic axis begins at the first background event; 1e-12 stands in where there is none.
    lowest = max(float(background[min(int(np.searchsorted(background, 0.0, side="right")), m - 1)]), 1e-12)
    third = (points - 1) // 3 - 1
    picked = (
        np.searchsorted(signal, np.linspace(0, 1, third)),
        np.searchsorted(background, np.linspace(0, 1, third)),
        np.searchsorted(background, np.geomspace(lowest, 1, third)),
        np.array([0, m - 1]),
    )
    return np.unique(np.minimum(np.concatenate(picked), m - 1))

"""The area under a part of a ROC curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.roc import Curve
from hepclf.evaluation.value import NOTHING, Value, effective_count, measured

Array = NDArray[np.float64]


class PartialArea(NamedTuple):
    """Area under the curve between two background efficiencies, as it is and as means.

    area          integral of the signal efficiency over the background efficiency from low to high
    mean          the same over high - low: the mean signal efficiency
    standardised  (1 + (area - chance) / (perfect - chance)) / 2, 0.5 for chance (McClish 1989)
    """

    low: float
    high: float
    area: Value
    mean: Value
    standardised: Value


def partial_area(of: Curve, low: float, high: float) -> PartialArea:
    r"""The part of the area between two background efficiencies, straight between thresholds, with its error.

    A signal event whose score lets the share V of the background pass adds max(high - max(V, low), 0), so the area is
    a weighted mean over the signal, for weights of either sign too. The error is DeLong's with that for the placement
    of signal, and for background its signal efficiency, kept between those at low and high. low = 0 and high = 1 give
    `area`. Nothing where a class has no positive sum of weights; no error where its effective count is not above 1.
    """
    if not 0 <= low < high <= 1:
        raise ValueError(f"a partial area needs 0 <= low < high <= 1, however low={low} and high={high}")
    if not of.defined:
        return PartialArea(low, high, NOTHING, NOTHING, NOTHING)
    s, b = of.signal_efficiency, of.background_efficiency
    value, error = float(partial_sum(s, b, low, high)), _error(of, low, high)
    perfect, chance = high - low, (high**2 - low**2) / 2
    wide, room = 1 / perfect, 1 / (2 * (perfect - chance))
    return PartialArea(
        low,
        high,
        area=measured(value, error),
        mean=measured(value * wide, error * wide),
        standardised=measured(0.5 + (value - chance) * room, error * room),
    )


def partial_sum(signal: Array, background: Array, low: float, high: float) -> Array:
    """Area between two background efficiencies of curves [..., m] that begin at the origin, [...]."""
    before_b = np.concatenate([np.zeros((*background.shape[:-1], 1)), background[..., :-1]], axis=-1)
    return np.asarray(np.sum(np.diff(signal, axis=-1, prepend=0.0) * _mean(before_b, background, low, high), axis=-1))


def _mean(start: Array, stop: Array, low: float, high: float) -> Array:
    """Mean of max(high - max(u, low), 0) over u from start to stop."""
    step = stop - start
    flat = np.clip(high - start, 0.0, high - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        slanted = (_integral(stop, low, high) - _integral(start, low, high)) / step
    return np.where(np.abs(step) > 1e-12, slanted, flat)


def _integral(u: Array, low: float, high: float) -> Array:
    """Integral of max(high - max(v, low), 0) over v from low to u."""
    inside = np.clip(u, low, high) - low
    return (high - low) * (np.minimum(u, low) - low + inside) - inside**2 / 2


def _error(of: Curve, low: float, high: float) -> float:
    s, b = of.signal_efficiency, of.background_efficiency
    middle_s, middle_b = (each - np.diff(each, prepend=0.0) / 2 for each in (s, b))
    rising = np.concatenate([[0.0], np.maximum.accumulate(b)])
    ends = np.interp((low, high), rising, np.concatenate([[0.0], s]))
    by_signal = np.clip(high - middle_b, 0.0, high - low)
    by_background = np.clip(middle_s, min(ends), max(ends))
    return math.hypot(
        _scatter(by_signal, of.signal, of.signal_squares), _scatter(by_background, of.background, of.background_squares)
    )


def _scatter(placed: Array, sums: Array, squares: Array) -> float:
    """Error of the weighted mean of what stands at each threshold, from the sums up to there."""
    n, total = effective_count(float(sums[-1]), float(squares[-1])), float(sums[-1])
    if n <= 1:
        return math.nan
    mean = float(np.diff(sums, prepend=0.0) @ placed) / total
    variance = float(np.diff(squares, prepend=0.0) @ (placed - mean) ** 2)
    return math.sqrt(variance * n / (n - 1)) / total

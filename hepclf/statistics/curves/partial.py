"""The area under a part of a ROC curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.roc import Curve, Segment, segments, spreads
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]


class PartialArea(NamedTuple):
    """Area under the curve between two background efficiencies, with two normalisations of it.

    area          integral of the signal efficiency over the background efficiency from low to high
    mean          area / (high - low): the mean signal efficiency
    standardised  (1 + (area - chance) / (perfect - chance)) / 2, 0.5 for a random classifier (McClish 1989)
    """

    low: float
    high: float
    area: Value
    mean: Value
    standardised: Value


def partial_area(curve: Curve, low: float, high: float) -> PartialArea:
    r"""The area between two background efficiencies, with straight lines between thresholds, and its error.

    Let V be the background efficiency at the score of a signal event. The event adds max(high - max(V, low), 0), so the
    area is a weighted mean over the signal, also for negative weights. The error is DeLong's. It takes this quantity as
    the placement of signal events, and for background events the signal efficiency, clipped to its range from low to
    high. low = 0 and high = 1 give `area`. There is no value where a class has no positive sum of weights, and no error
    where its effective count is not above 1.
    """
    if not 0 <= low < high <= 1:
        raise ValueError(f"a partial area needs 0 <= low < high <= 1, not {low} and high={high}")
    if not curve.defined:
        return PartialArea(low, high, NOTHING, NOTHING, NOTHING)
    value, error = _area_and_error(curve, low, high)
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


def _area_and_error(curve: Curve, low: float, high: float) -> tuple[float, float]:
    """The area and its error."""
    rising = curve.rising[1]
    crossings = np.minimum(np.searchsorted(rising, (low, high)), len(rising) - 1)
    ends = [_signal_efficiency_at(curve, int(index), u) for index, u in zip(crossings, (low, high), strict=True)]
    value = middle = 0.0
    for segment in segments(curve):
        placed = _mean(segment.background_before, segment.background, low, high)
        value += float((segment.signal - segment.signal_before) @ placed)
        middle += float((segment.background - segment.background_before) @ _clipped(segment, *ends))
    by_signal = by_background = 0.0
    for segment in segments(curve):
        placed = _mean(segment.background_before, segment.background, low, high)
        by_signal += float(segment.signal_squares @ (placed - value) ** 2)
        by_background += float(segment.background_squares @ (_clipped(segment, *ends) - middle) ** 2)
    factors = spreads(curve)
    return value, math.hypot(factors[0] * math.sqrt(by_signal), factors[1] * math.sqrt(by_background))


def _clipped(segment: Segment, low: float, high: float) -> Array:
    return np.clip(segment.mean_signal, min(low, high), max(low, high))


def _signal_efficiency_at(curve: Curve, index: int, background: float) -> float:
    """Signal efficiency where the running maximum of the background efficiency reaches `background`.

    Between thresholds the curve is straight.
    """
    signal, rising = curve.signal_efficiency, curve.rising[1]
    s0 = b0 = 0.0  # the curve begins at the origin
    if index:
        s0, b0 = float(signal[index - 1]), float(rising[index - 1])
    s1, b1 = float(signal[index]), float(rising[index])
    if b1 <= b0:
        return s1
    return s0 + (s1 - s0) * min(max((background - b0) / (b1 - b0), 0.0), 1.0)

"""False alarms of a search: the rate of background events as loud as an event, and the signal efficiency at a rate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepclf.statistics.curves.roc import ROUNDING, Curve
from hepclf.statistics.value import NOTHING, Value, efficiency_error, measured

Array = NDArray[np.float64]


def false_alarm_rate(louder: ArrayLike, live_time_s: float) -> Array:
    """(n + 1)/T in 1/s for n background events at least as loud in a live time T (PyCBC's `n_louder`).

    The event under test is the one more. For n counted events, (n + 1)/T is also the mean rate under a flat prior,
    with standard deviation sqrt(n + 1)/T. A negative sum of weights counts as zero.
    """
    return np.asarray((np.maximum(louder, 0.0) + 1) / live_time_s)


def false_alarm_probability(louder: ArrayLike, live_time_s: float, observed_s: float) -> Array:
    """p = 1 - exp(-t (n + 1)/T): probability of at least one background event as loud in an observation of length t."""
    return np.asarray(-np.expm1(-observed_s * false_alarm_rate(louder, live_time_s)))


class QuietSearch(NamedTuple):
    """The loosest cut that a false-alarm rate allows, with the background above it and its signal efficiency.

    The rates are per second. cut is None where even the loudest event must not pass. The efficiency has no value where
    the live time is too short to measure such a rate.
    """

    target_rate: float
    rate: Value
    louder: float | None
    cut: float | None
    efficiency: Value


def quiet_search(curve: Curve, live_time_s: float, rate: float) -> QuietSearch:
    """The lowest cut whose false-alarm rate is at most this one (1/s), and the signal efficiency there.

    The error of the efficiency is the quadrature sum of its counting error and its shift by the error of the rate.
    """
    if not curve.defined or rate * live_time_s * (1 + ROUNDING) < 1:
        return QuietSearch(rate, NOTHING, None, None, NOTHING)
    highest = np.maximum.accumulate(curve.background)
    index = int(_last(highest, rate * live_time_s * (1 + ROUNDING) - 1))
    louder = squares = 0.0
    if index >= 0:
        index = curve.settled(index)
        louder, squares = float(highest[index]), float(curve.background_squares[index])
    achieved = measured(float(false_alarm_rate(louder, live_time_s)), math.sqrt(squares + 1) / live_time_s)
    if index < 0:
        return QuietSearch(rate, achieved, louder, None, Value(0.0))
    error = float(quiet_efficiency_error(curve, np.array([index]))[0])
    return QuietSearch(
        rate, achieved, louder, float(curve.thresholds[index]), measured(float(curve.signal_efficiency[index]), error)
    )


def quiet_efficiency_error(curve: Curve, index: NDArray[np.intp]) -> Array:
    """Error of the signal efficiency at these thresholds, for cuts that are set by their false-alarm rate."""
    counting_error = efficiency_error(
        curve.signal[index], curve.signal[-1], curve.signal_squares[index], curve.signal_squares[-1]
    )
    highest = np.maximum.accumulate(curve.background)
    spread = np.sqrt(curve.background_squares[index] + 1)
    reached = np.append(curve.signal_efficiency, 0.0)  # the last is what -1, no threshold, keeps
    low, high = (reached[_last(highest, highest[index] + sign * spread)] for sign in (-1, 1))
    return np.asarray(np.hypot(counting_error, (high - low) / 2))


def _last(highest: Array, limit: ArrayLike) -> NDArray[np.intp]:
    """The last threshold above which there is at most so much background, -1 for none."""
    return np.asarray(np.searchsorted(highest, limit, side="right") - 1)

"""Limits of a rejection, a purity and a yield where no simulated background event passes a cut."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from hepclf.statistics.value import Value
from hepclf.words import lower_limit, number, upper_limit

Array = NDArray[np.float64]

FEW = 10.0  # effective events below which an error is not symmetric
TAIL_BELOW, TAIL_ABOVE = 0.15865525393145707, 0.8413447460685429  # of a Gaussian at -1 and +1 standard deviation
GAUSSIAN = (1.2815515655446004, 1.6448536269514722)  # one-sided standard deviations of 90 and 95 %


class Limit(NamedTuple):
    """Limits at 90 and at 95 % confidence: lower ones of a rejection or a purity, upper ones of a yield."""

    at_90: float
    at_95: float


def rejection_limit(total: float, weight: float) -> Limit:
    """Lower limits of the rejection of a cut that no background event passes: total / (-ln(1 - confidence) weight).

    Where n events are expected, none is seen with probability exp(-n), so n < 2.303 at 90 and 2.996 at 95 % (Poisson).
    `total` is the sum of the background's weights. `weight` is the assumed weight of a further event (`heaviest`),
    because weights of events that were not seen are unknown.
    """
    return Limit(*(total / background for background in background_limit(weight)))


def purity_limit(signal: float, weight: float, background: float = 0.0, squares: float = 0.0) -> Limit | None:
    """Lower limits of the purity of a cut that no background event passes: signal / (signal + background's limit).

    `signal` is the sum of the signal's weights above the cut, taken as known, and `weight` as in `background_limit`.
    Where events pass whose weights cancel, `background` and `squares` are their sums of w and of w^2, and the limit of
    the background is at least that of a Gaussian, background + 1.28 or 1.64 standard deviations.
    None without signal or background events.
    """
    if signal <= 0 or weight <= 0:
        return None
    ends = (max(background, 0.0) + sigmas * math.sqrt(squares) for sigmas in GAUSSIAN)
    return Limit(*(signal / (signal + max(pair)) for pair in zip(background_limit(weight), ends, strict=True)))


def background_limit(weight: float) -> Limit:
    """Upper limits of the background above a cut that no background event passes, -ln(1 - confidence) weight."""
    return Limit(*(-math.log1p(-level) * weight for level in (0.90, 0.95)))


def heaviest(weights: Array, processes: NDArray[np.int64]) -> float:
    """The largest effective weight, sum w^2 / sum |w|, among the processes of these events; zero without events.

    It is at least the mean weight of each process, for weights of either sign. So a limit holds for a further event of
    any of the processes.
    """
    sizes, squares = np.bincount(processes, np.abs(weights)), np.bincount(processes, weights**2)
    return float(np.max(squares[sizes > 0] / sizes[sizes > 0], initial=0.0))


def rejection_text(rejection: Value, limit: Limit | None = None) -> str:
    """A rejection with its error: its 68 % interval of few events, its lower limit where no background event passes."""
    if rejection.value is None and limit is not None:
        return lower_limit(limit.at_95)
    interval = interval_of_few(rejection)
    if interval is None:
        return number(*rejection, 1)
    low, high = (float(f"{end:.3g}") for end in interval)
    return f"{low:g}–{high:g} (1σ)"


def background_text(efficiency: Value, limit: Limit | None = None) -> str:
    """A background efficiency with its error, or its upper limit; `limit` is that of the rejection."""
    if efficiency.value == 0 and limit is not None:
        return upper_limit(1 / limit.at_95)
    return number(*efficiency)


def interval_of_few(rejection: Value) -> tuple[float, float] | None:
    """The central 68 % interval of a rejection that fewer than ten effective background events decide; None for more.

    It is that of a Poisson mean (Garwood 1936) with n = (rejection / error)^2 effective events, divided into
    rejection times n. A symmetric error would reach zero: 1500 ± 1060 for two events.
    """
    value, error = rejection
    if value is None or error is None or (effective := (value / error) ** 2) >= FEW:
        return None
    upper_mean = float(gammaincinv(effective + 1, TAIL_ABOVE))
    lower_mean = float(gammaincinv(effective, TAIL_BELOW))
    return max(value * effective / upper_mean, 1.0), value * effective / lower_mean

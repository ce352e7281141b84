"""The purity of a selection, and the average precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.roc import Curve
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]


def purity(curve: Curve, index: NDArray[np.intp]) -> tuple[Array, Array]:
    """Signal fraction P = S / (S + B) at or above these thresholds, with its error, [m] each.

    S and B are independent: sigma_P = sqrt(B^2 sum_s w^2 + S^2 sum_b w^2) / (S + B)^2, which is the binomial
    sqrt(P (1 - P) / n) for equal weights. Both are nan where S + B is not above zero. The formula gives an error of
    zero where only signal or only background is left.
    """
    s, b = curve.signal[index], curve.background[index]
    with np.errstate(divide="ignore", invalid="ignore"):
        passing = np.where(s + b > 0, s + b, np.nan)
        error = np.sqrt(b**2 * curve.signal_squares[index] + s**2 * curve.background_squares[index]) / passing**2
        return s / passing, error


def average_precision(curve: Curve) -> Value:
    r"""Mean purity over the signal, sum_k P_k (S_k - S_{k-1}) / S, with ties together, as in scikit-learn.

    The squared error is the sum over events of w^2 times the squared derivative by the event's weight: for signal
    (P_k - AP + sum_{j>=k} dS_j B_j / (S_j + B_j)^2) / S, for background -sum_{j>=k} dS_j S_j / (S_j + B_j)^2 / S,
    where j runs from the event's own threshold down. There is no value where a class has no positive sum of weights,
    or where negative weights leave signal above a cut whose total weight is not positive.

    Unlike the AUC it depends on the ratio of signal to background.
    """
    if not curve.defined:
        return NOTHING
    if (shared := _shares(curve)) is None:
        return NOTHING
    share, pure = shared
    total = float(curve.signal[-1])
    value = float(share @ curve.signal) / total
    by_background = _below(share * pure)
    by_signal = pure - value + _below(share) - by_background
    squares = np.diff(curve.signal_squares, prepend=0.0) @ by_signal**2
    squares += np.diff(curve.background_squares, prepend=0.0) @ by_background**2
    return measured(value, math.sqrt(max(float(squares), 0.0)) / total)


def _shares(curve: Curve) -> tuple[Array, Array] | None:
    """(S_k - S_{k-1}) / (S_k + B_k) and S_k / (S_k + B_k), [m]; None where signal is added to nothing."""
    steps = np.diff(curve.signal, prepend=0.0)
    passing = curve.signal + curve.background
    if bool(((passing <= 0) & (steps != 0)).any()):
        return None
    share, pure = (
        np.divide(sums, passing, out=np.zeros_like(passing), where=passing > 0) for sums in (steps, curve.signal)
    )
    return share, pure


def _below(steps: Array) -> Array:
    """Sums from each threshold on down."""
    return np.asarray(np.cumsum(steps[::-1])[::-1])

"""The Jensen-Shannon divergence of two weighted histograms, in bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from hepclf.statistics.value import NOTHING, Value, effective_count, measured
from hepclf.words import number

Array = NDArray[np.float64]
PER_BIN = 10  # effective events a bin; with fewer, the bias is larger than the subtracted estimate
NORMAL_95 = 1.6448536269514722


class BinSums(NamedTuple):
    """A weighted histogram: the sum of weights in each bin, and that of their squares, [m] each."""

    sums: Array
    squares: Array

    @property
    def effective(self) -> float:
        """(sum w)^2 / sum w^2 of all bins."""
        return effective_count(float(self.sums.sum()), float(self.squares.sum()))


class Divergence(NamedTuple):
    """The divergence in bits, corrected for the bias of finite samples, and its inverse; or why there is none.

    bias      the subtracted bias in bits
    inverse   1 / bits, without a value where bits are not above zero
    at_least  lower limit of 1 / bits at 95 %, from bits + 1.64 errors
    p         probability of a divergence as large or larger if the shapes are equal
    few       effective events on the side with too few, and how many are needed; None where there are enough
    """

    bits: Value = NOTHING
    bias: float | None = None
    inverse: Value = NOTHING
    at_least: float | None = None
    reason: str | None = None
    p: float | None = None
    few: tuple[float, int] | None = None


def bin_sums(bins: NDArray[np.intp], weights: Array, m: int) -> BinSums:
    """The histogram of bin numbers 0..m-1."""
    sums, squares = (np.bincount(bins, column, minlength=m).astype(np.float64) for column in (weights, weights**2))
    return BinSums(sums, squares)


def divergence(first: BinSums, second: BinSums) -> Divergence:
    r"""JSD = (KL(p|m) + KL(q|m)) / 2 with m = (p + q) / 2, in bits: 0 for equal shapes, 1 for disjoint ones.

    Lin, IEEE Trans. Inf. Theory 37 (1991) 145. Let g be the gradient, H the Hessian, and V the covariance of the
    normalised bins. Finite samples add tr(HV)/2, which is subtracted, so the value may be below zero. The variance is

        variance = max(g V g - tr(HVHV)/2, tr(HVHV)/2),

    which also holds for equal shapes, where g vanishes. There is no value with fewer than ten effective events a bin.
    A bin whose weights sum to less than zero counts as empty.
    """
    m = len(first.sums)
    if m < 2:
        return Divergence(reason="all values are in one bin")
    for histogram in (first, second):
        n = histogram.effective
        if not histogram.sums.sum() > 0:  # the square of a negative sum would count as events
            n = 0.0
        if n < PER_BIN * m:
            return Divergence(
                reason=f"an effective count of {n:.3g} on one side is under {PER_BIN} for each of {m} bins; give fewer",
                few=(n, PER_BIN * m),
            )
    p, q = (_shares(histogram.sums) for histogram in (first, second))
    covariance = _covariances((p, first), (q, second))
    gradient, curvature = _derivatives(p, q)
    spread = curvature @ covariance
    bias, second_order = float(np.trace(spread)) / 2, float(np.sum(spread * spread.T)) / 2
    variance = max(float(gradient @ covariance @ gradient) - second_order, second_order)
    bits, error = (jensen_shannon(p, q) * math.log(2) - bias) / math.log(2), math.sqrt(variance) / math.log(2)
    return Divergence(
        bits=measured(bits, error),
        bias=bias / math.log(2),
        inverse=_inverse(bits, error),
        at_least=1 / (max(bits, 0.0) + NORMAL_95 * error) if error > 0 else None,
        p=_p(bits * math.log(2) + bias, (p + q) / 2, first, second),
    )


def _inverse(bits: float, error: float) -> Value:
    if bits <= 0:
        return NOTHING
    return measured(1 / bits, error / bits**2)


def _p(nats: float, shape: Array, first: BinSums, second: BinSums) -> float:
    """Probability of a divergence as large or larger for two samples that both have this shape.

    For equal shapes the divergence is a quadratic form with mean tr(HV)/2 and variance tr(HVHV)/2, where H and V are
    those of the common shape. A scaled chi2 of the same mean and variance is close to it (Satterthwaite, Biometrics
    Bulletin 2 (1946) 110).
    """
    heavy = (first.squares / first.squares.sum() + second.squares / second.squares.sum()) / 2
    common = [(shape, BinSums(histogram.sums, heavy * histogram.squares.sum())) for histogram in (first, second)]
    spread = _derivatives(shape, shape)[1] @ _covariances(*common)
    mean, variance = float(np.trace(spread)) / 2, float(np.sum(spread * spread.T)) / 2
    return float(gammaincc(mean**2 / variance, max(nats, 0.0) * mean / variance))


def _covariances(first: tuple[Array, BinSums], second: tuple[Array, BinSums]) -> Array:
    """Covariance of the normalised bins of both histograms, [2m, 2m]."""
    zero = np.zeros((len(first[0]), len(first[0])))
    return np.block([[_covariance(*first), zero], [zero, _covariance(*second)]])


def jensen_shannon(p: Array, q: Array) -> float:
    """JSD in bits of two normalised histograms [m], without a bias correction."""
    return float(_kl_to_mean(p, q) + _kl_to_mean(q, p)) / 2


def _kl_to_mean(p: Array, q: Array) -> float:
    """KL(p | (p + q) / 2) in bits; an empty bin adds nothing."""
    filled = p > 0
    return float(np.sum(p[filled] * np.log2(2 * p[filled] / (p[filled] + q[filled]))))


def _shares(sums: Array) -> Array:
    clipped = np.maximum(sums, 0.0)
    return np.asarray(clipped / clipped.sum())


def _covariance(p: Array, histogram: BinSums) -> Array:
    """Covariance of the normalised bins p = S/W: (diag(Q) - p Q' - Q p' + p p' sum Q) / W^2, Q the sums of w^2."""
    crossed = np.outer(p, histogram.squares)
    covariance = np.diag(histogram.squares) - crossed - crossed.T + np.outer(p, p) * histogram.squares.sum()
    return np.asarray(covariance / histogram.sums.sum() ** 2)


def _derivatives(p: Array, q: Array) -> tuple[Array, Array]:
    """Gradient [2m] and Hessian [2m, 2m] of the divergence in nats; bins where one side is empty contribute zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed = np.where(p + q > 0, 0.5 / (p + q), 0.0)
        slopes = [np.where(side > 0, np.log(2 * side / (p + q)) / 2, 0.0) for side in (p, q)]
        diagonals = [np.where(side > 0, 0.5 / side - mixed, 0.0) for side in (p, q)]
    cross = np.diag(-mixed)
    return np.concatenate(slopes), np.block([[np.diag(diagonals[0]), cross], [cross, np.diag(diagonals[1])]])


def inverse_text(result: Divergence) -> str:
    """1/JSD as text: with its error, as a lower limit where the error exceeds half the value, or `-`."""
    value, error = result.inverse
    if value is not None and error is not None and error < value / 2:
        return number(value, error)
    if result.at_least is None:
        return "-"
    return f"> {result.at_least:.3g} (95 %)"

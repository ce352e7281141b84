"""Expected discovery significance of several channels or bins, from one likelihood with profiled uncertainties."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from hepclf.statistics.counting.measures import propagated
from hepclf.statistics.counting.significance import half_deviance
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]

# A common systematic is followed this many standard deviations from its nominal value.
REACH = 30.0


class Channels(NamedTuple):
    """Expected events of independent channels, [c] each, with the sums that their statistical errors need.

    s, b                           signal and background
    s_squares                      sum of squared signal weights
    b_squares, b_cubes, b_fourths  sums of higher powers of the background's weights
    """

    s: Array
    b: Array
    s_squares: Array
    b_squares: Array
    b_cubes: Array
    b_fourths: Array

    @property
    def covariance(self) -> Array:
        """Covariance of signal, background and the sum of squared background weights, [3, 3, c]."""
        covariance = np.zeros((3, 3, len(self.s)))
        covariance[0, 0] = self.s_squares
        covariance[1, 1], covariance[2, 2] = self.b_squares, self.b_fourths
        covariance[1, 2] = covariance[2, 1] = self.b_cubes
        return covariance


def discovery(channels: Channels, systematic: float = 0.0, *, statistical: bool = True) -> Value:
    r"""Median discovery significance sqrt(q0) of all channels together, on the Asimov data n = s + b.

    q0 = 2 [ln L(mu = 1) - max ln L(mu = 0)] (arXiv:1007.1727, eqs. 12 and 97) with

        L = prod_i Pois(n_i | mu s_i + gamma_i k b_i) N(1 | gamma_i, d_i) N(0 | theta, 1),   k = (1 + systematic)^theta

    gamma_i is the statistical factor of a channel, d_i = sqrt(sum w^2) / b its relative error, and k the log-normal
    factor that all channels share: HistFactory's staterror and normsys (CERN-OPEN-2012-016). Without both, the result
    is the quadrature sum of the channels' Asimov significances. A channel without background gives no significance;
    one without signal constrains k. The error is propagated linearly from the yields; the profiled parameters do not
    contribute to it (envelope theorem).
    """
    if len(channels.s) == 0 or (channels.b <= 0).any() or (channels.s < 0).any():
        return NOTHING
    squares = channels.b_squares if statistical else np.zeros_like(channels.b)
    yields = np.stack([channels.s, channels.b, squares])
    theta = _profiled(yields, systematic)
    terms, errors = propagated(
        lambda s, b, squares: _terms(s, b, squares, theta, systematic), yields, channels.covariance
    )
    z = math.sqrt(max(float(terms.sum()) + theta**2, 0.0))
    if z == 0:
        return Value(0.0)
    # errors are those of q0 = z^2, and dz = dq0 / (2 z).
    return measured(z, float(np.sqrt(np.sum(errors**2))) / (2 * z))


def _profiled(yields: Array, systematic: float) -> float:
    """The pull theta of the common factor that fits the Asimov data best without signal."""
    if systematic == 0 or not yields[0].any():
        return 0.0

    def cost(theta: float) -> float:
        return float(_terms(yields[0], yields[1], yields[2], theta, systematic).sum() + theta**2)

    # The data exceed the background, so the fit raises it: the minimum is at or above zero.
    return float(optimize.minimize_scalar(cost, bounds=(0.0, REACH), method="bounded", options={"xatol": 1e-7}).x)


def _terms(s: Array, b: Array, squares: Array, theta: float, systematic: float) -> Array:
    """2 [ln L(1) - ln L(0, theta)] of each channel with gamma profiled, without the constraint term of theta."""
    n, k = s + b, (1 + systematic) ** theta
    variance = squares / b**2
    # The profiled gamma solves n / gamma - k b - (gamma - 1) / d^2 = 0.
    half = (1 - k * b * variance) / 2
    root = np.sqrt(half**2 + n * variance)
    # Where half is negative, half + root would cancel.
    solved = np.where(half > 0, half + root, n * variance / np.where(half > 0, 1.0, root - half))
    gamma = np.where(variance > 0, solved, 1.0)
    expected = gamma * k * b
    pull = np.divide((gamma - 1) ** 2, variance, out=np.zeros_like(b), where=variance > 0)
    return np.asarray(2 * expected * half_deviance((n - expected) / expected) + pull)

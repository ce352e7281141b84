"""Discovery significances of counting experiments. Arrays in, arrays out; every function broadcasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]


def s_over_sqrt_b(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Array:
    """s / sqrt(b + sigma_b^2): the Gaussian limit for s << b and a large b; it overstates where b is small.

    s = 0 gives 0; b <= 0 gives nan: a cut that keeps no background has no measured significance.
    """
    s, b, sigma = _floats(s, b, sigma_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, s / np.sqrt(b + sigma**2), np.nan)


def s_over_sqrt_s_plus_b(s: ArrayLike, b: ArrayLike) -> Array:
    """s / sqrt(s + b): the signal over its own counting error. It suits a measurement, not a discovery.

    s = 0 gives 0; b = 0 gives sqrt(s); s + b = 0 or b < 0 gives nan.
    """
    s, b = _floats(s, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((b >= 0) & (s + b > 0), s / np.sqrt(s + b), np.nan)


def asimov(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Array:
    r"""Median discovery significance of s over b, the background known to sigma_b (absolute).

    Without uncertainty sqrt(2[(s+b) ln(1+s/b) - s]) (Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727, eq. 97).
    With g = sigma_b: sqrt(2[(s+b) ln((s+b)(b+g^2)/(b^2+(s+b)g^2)) - b^2/g^2 ln(1+g^2 s/(b(b+g^2)))]) (Cowan,
    "Discovery sensitivity for a counting experiment with background uncertainty", 2012, eq. 20): Li and Ma's
    significance for n_on = s+b, n_off = b^2/g^2, alpha = g^2/b, and computed in the same way.

    Tends to s/sqrt(b + g^2) for s << b. s = 0 gives 0; b <= 0 and s < 0 give nan.
    """
    s, b, sigma = _floats(s, b, sigma_b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        alpha = sigma**2 / b
        # Li and Ma's form: the fitted background without signal, and the relative excess of the data over it.
        null = b + alpha * s / (1 + alpha)
        off = s / ((1 + alpha) * null)
        # Without uncertainty alpha is 0 and the side band says nothing: its term is 0, not 0/0.
        side = np.where(alpha > 0, half_deviance(-alpha * off) / np.where(alpha > 0, alpha, 1), 0.0)
        return np.where((b > 0) & (s >= 0), np.sqrt(2 * null * (half_deviance(off) + side)), np.nan)


def ams(s: ArrayLike, b: ArrayLike, b_regularised: float = 10.0) -> Array:
    """The approximate median significance of the HiggsML challenge: Asimov's with b + 10 for b.

    The regularisation makes b = 0 finite; s = 0 gives 0; b < 0 gives nan.
    """
    s, b = _floats(s, b)
    return np.where(b >= 0, asimov(s, b + b_regularised), np.nan)


def punzi(efficiency: ArrayLike, b: ArrayLike, sigmas: float = 5.0) -> Array:
    """Signal efficiency / (sigmas/2 + sqrt(b)): best cut whatever the signal's cross section (physics/0308063).

    sigmas is the number of standard deviations that the search asks for. b = 0 gives 2 efficiency / sigmas;
    b < 0 gives nan.
    """
    e, b = _floats(efficiency, b)
    with np.errstate(invalid="ignore"):
        return np.where(b >= 0, e / (sigmas / 2 + np.sqrt(b)), np.nan)


def li_ma(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike) -> Array:
    r"""Significance of n_on counts over alpha n_off (Li and Ma 1983, ApJ 272, 317, eq. 17); negative for a deficit.

    sqrt(2[n ln((1+a)/a n/(n+m)) + m ln((1+a) m/(n+m))]). n_on = alpha n_off gives 0. n_off = 0 is finite, as the
    off region still bounds the background. No counts at all, negative counts or alpha <= 0 give nan.
    """
    n, m, a = _floats(n_on, n_off, alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = (n + m) / (1 + a)
        step = (n - a * m) / (1 + a)
        # The counts on and off, each against its expectation without a signal; both terms stay exact for a small
        # excess.
        total = a * off * half_deviance(step / (a * off)) + off * half_deviance(-step / off)
        valid = (n >= 0) & (m >= 0) & (n + m > 0) & (a > 0)
        return np.where(valid, np.copysign(np.sqrt(2 * total), step), np.nan)


def z_bi(n_on: ArrayLike, n_off: ArrayLike, tau: ArrayLike) -> Array:
    r"""Phi^-1(1 - I_{1/(1+tau)}(n_on, n_off + 1)): the frequentist significance for a side band of tau times
    the exposure (Cousins, Linnemann, Tucker, physics/0702156).

    It never overstates the significance; Li and Ma's formula may. n_on = 0 gives -inf (the smallest possible excess);
    above about 37 the p-value underflows and the result is inf. Negative counts or tau <= 0 give nan.
    """
    n, m, tau = _floats(n_on, n_off, tau)
    valid = (n >= 0) & (m >= 0) & (tau > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = 1 / (1 + np.where(valid, tau, 1.0))
        a, b = np.where(valid & (n > 0), n, 1.0), np.where(valid, m, 0.0) + 1
        p, complement = special.betainc(a, b, x), special.betaincc(a, b, x)
        # The smaller tail keeps its digits.
        z = np.where(p < 0.5, -special.ndtri(p), special.ndtri(complement))
        return np.where(valid, np.where(n > 0, z, -np.inf), np.nan)


def combine(z: ArrayLike, axis: int | None = None) -> Array:
    """Quadrature sum of the significances of independent channels, sqrt(sum z^2); nan in a channel stays nan."""
    return np.asarray(np.sqrt(np.sum(np.square(z, dtype=np.float64), axis=axis)))


def p_value(z: ArrayLike) -> Array:
    """One-sided tail probability of a significance, 1 - Phi(z)."""
    return np.asarray(special.ndtr(-np.asarray(z, dtype=np.float64)))


def z_value(p: ArrayLike) -> Array:
    """Significance of a one-sided tail probability, Phi^-1(1 - p); p = 0 gives inf."""
    return np.asarray(-special.ndtri(np.asarray(p, dtype=np.float64)))


def half_deviance(x: Array) -> Array:
    """(1+x) ln(1+x) - x for x >= -1: half the Poisson deviance of 1 + x events where one is expected.

    For small x the difference would cancel, so it is computed as the series sum (-x)^n / (n(n-1)).
    """
    small = np.where(np.abs(x) < 1e-2, x, 0.0)
    series = np.zeros_like(small)
    # Horner's scheme, from the highest power down; the first omitted term is below rounding for |x| < 0.01.
    for n in range(9, 1, -1):
        series = (1 / (n * (n - 1))) - small * series
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(x) < 1e-2, small**2 * series, special.xlog1py(1 + x, x) - x)


def _floats(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)

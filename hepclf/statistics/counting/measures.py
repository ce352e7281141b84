"""Measures of a cut by the events that it keeps: which there are, and how the error of each follows from theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.significance import ams, asimov, li_ma, punzi, s_over_sqrt_b, s_over_sqrt_s_plus_b

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a cut is optimised for, what it must keep to have a significance, and the constants of the measures.

    punzi_sigmas   the standard deviations that a search asks for
    ams_background what is added to the background in the AMS
    off_exposure   exposure of an off region in units of the on region's, None without one
    """

    optimise: str
    systematic: float
    minimum_background: float
    punzi_sigmas: float = 5.0
    ams_background: float = 10.0
    off_exposure: float | None = None


class Counts(NamedTuple):
    """Expected events above cuts, [c] each: weights of signal and background, the squares of both.

    `total` is the signal before the cut, which its efficiency refers to.
    """

    s: Array
    b: Array
    s_squares: Array
    b_squares: Array
    total: float


Formula = Callable[[Counts, Rules], Array]

# In the order of the tables.
MEASURES: Mapping[str, Formula] = {
    "s_over_sqrt_b": lambda of, _: s_over_sqrt_b(of.s, of.b),
    "s_over_sqrt_s_plus_b": lambda of, _: s_over_sqrt_s_plus_b(of.s, of.b),
    "asimov": lambda of, _: asimov(of.s, of.b),
    "asimov_systematic": lambda of, rules: asimov(of.s, of.b, np.sqrt(of.b_squares + (rules.systematic * of.b) ** 2)),
    "ams": lambda of, rules: ams(of.s, of.b, rules.ams_background),
    "punzi": lambda of, rules: punzi(of.s / of.total, of.b, rules.punzi_sigmas),
    "li_ma": lambda of, rules: _on_off(of, rules.off_exposure),
}


def _on_off(of: Counts, exposure: float | None) -> Array:
    """Li and Ma's significance of the expected counts on and off; none without an off region."""
    if exposure is None:
        return np.full(np.shape(of.s), np.nan)
    return li_ma(of.s + of.b, exposure * of.b, 1 / exposure)


def measured_by(rules: Rules) -> tuple[str, ...]:
    """The measures that these rules can have."""
    return tuple(name for name in MEASURES if name != "li_ma" or rules.off_exposure is not None)


def measure(name: str, of: Counts, rules: Rules) -> Array:
    """One of the MEASURES at each cut, [c]."""
    return MEASURES[name](of, rules)


def propagated(formula: Callable[[Array, Array, Array], Array], at: Array, covariance: Array) -> tuple[Array, Array]:
    """formula(s, b, sum of squared background weights) at [3, c], with its errors by the covariances [3, 3, c].

    Linear: the slopes are central differences; at s = 0 one-sided, as a significance needs s >= 0.
    """
    scales = (np.maximum(at[0], 1e-3 * np.sqrt(np.abs(at[1]))), at[1], at[2])
    slopes = np.zeros_like(at)
    with np.errstate(invalid="ignore", divide="ignore"):
        for axis, scale in enumerate(scales):
            low, high = at.copy(), at.copy()
            low[axis], high[axis] = np.maximum(at[axis] - 1e-4 * scale, 0.0), at[axis] + 1e-4 * scale
            step = high[axis] - low[axis]
            slopes[axis] = np.where(step > 0, (formula(*high) - formula(*low)) / step, 0.0)
        variance = np.einsum("i...,ij...,j...->...", slopes, covariance, slopes)
        return formula(*at), np.sqrt(np.maximum(variance, 0.0))

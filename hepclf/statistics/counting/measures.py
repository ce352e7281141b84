"""Measures of a cut, such as the Asimov significance, and their errors from those of signal and background."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.significance import ams, asimov, li_ma, punzi, s_over_sqrt_b, s_over_sqrt_s_plus_b

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a cut is optimised for, the background that it must keep, and the constants of the measures.

    punzi_sigmas   number of standard deviations that a search requires
    ams_background the constant that the AMS adds to the background
    off_exposure   exposure of an off region in units of the on region's, None without one
    """

    optimise: str
    systematic: float
    minimum_background: float
    punzi_sigmas: float = 5.0
    ams_background: float = 10.0
    off_exposure: float | None = None

    def check(self) -> None:
        """Refuse values outside their range."""
        for name in ("systematic", "minimum_background", "punzi_sigmas", "ams_background"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"evaluation.{name} must be zero or more, not {value:g}")
        if self.off_exposure is not None and not 0 < self.off_exposure < math.inf:
            raise ValueError(f"evaluation.off_exposure must be above zero, not {self.off_exposure:g}")
        if self.optimise == "li_ma" and self.off_exposure is None:
            raise ValueError("evaluation.optimise=li_ma needs an off region; give evaluation.off_exposure")


class Counts(NamedTuple):
    """Expected events above cuts, [c] each: sums of weights of signal and background, and sums of squared weights.

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
    "s_over_sqrt_b": lambda counts, _: s_over_sqrt_b(counts.s, counts.b),
    "s_over_sqrt_s_plus_b": lambda counts, _: s_over_sqrt_s_plus_b(counts.s, counts.b),
    "asimov": lambda counts, _: asimov(counts.s, counts.b),
    "asimov_systematic": lambda counts, rules: _asimov_systematic(counts, rules.systematic),
    "ams": lambda counts, rules: ams(counts.s, counts.b, rules.ams_background),
    "punzi": lambda counts, rules: punzi(counts.s / counts.total, counts.b, rules.punzi_sigmas),
    "li_ma": lambda counts, rules: _on_off(counts, rules.off_exposure),
}


def _asimov_systematic(counts: Counts, systematic: float) -> Array:
    return asimov(counts.s, counts.b, np.sqrt(counts.b_squares + (systematic * counts.b) ** 2))


def _on_off(counts: Counts, exposure: float | None) -> Array:
    """Li and Ma's significance of the expected counts on and off; none without an off region."""
    if exposure is None:
        return np.full(np.shape(counts.s), np.nan)
    return li_ma(counts.s + counts.b, exposure * counts.b, 1 / exposure)


def available_measures(rules: Rules) -> tuple[str, ...]:
    """The measures that can be computed with these rules."""
    return tuple(name for name in MEASURES if name != "li_ma" or rules.off_exposure is not None)


def measure(name: str, counts: Counts, rules: Rules) -> Array:
    """One of the MEASURES at each cut, [c]."""
    return MEASURES[name](counts, rules)


def propagated(
    formula: Callable[[Array, Array, Array], Array], yields: Array, covariance: Array
) -> tuple[Array, Array]:
    """formula(s, b, sum of squared background weights) at [3, c], with its errors by the covariances [3, 3, c].

    Linear: the slopes are central differences; at s = 0 one-sided, as a significance needs s >= 0.
    """
    # The step of s has a floor from the statistical error of b, as s may be 0.
    scales = (np.maximum(yields[0], 1e-3 * np.sqrt(np.abs(yields[1]))), yields[1], yields[2])
    slopes = np.zeros_like(yields)
    with np.errstate(invalid="ignore", divide="ignore"):
        for axis, scale in enumerate(scales):
            low, high = yields.copy(), yields.copy()
            low[axis], high[axis] = np.maximum(yields[axis] - 1e-4 * scale, 0.0), yields[axis] + 1e-4 * scale
            step = high[axis] - low[axis]
            slopes[axis] = np.where(step > 0, (formula(*high) - formula(*low)) / step, 0.0)
        # slopes^T covariance slopes, for all cuts at once.
        variance = np.einsum("i...,ij...,j...->...", slopes, covariance, slopes)
        return formula(*yields), np.sqrt(np.maximum(variance, 0.0))

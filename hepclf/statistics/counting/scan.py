"""Significance against the cut: the cut is chosen on one split and quoted on another; the scan is for drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.measures import MEASURES, Counts, Rules, available_measures, measure, propagated
from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.curves.roc import ROUNDING, Curve, thinned
from hepclf.statistics.value import NOTHING, Value, effective_count, measured

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Significance:
    """The expected result of counting events above a cut.

    Where there is no significance, `reason` says why: alone for a cut that was chosen on the validation set, with S
    and B for a fixed threshold. `b_limit` is the upper limit of the background where no simulated event of it is above
    a fixed threshold. `floor` is the minimum effective background count, where a tighter cut would be best without it.
    """

    cut: float | None = None
    s: Value = NOTHING
    b: Value = NOTHING
    s_over_sqrt_b: Value = NOTHING
    asimov: Value = NOTHING
    asimov_systematic: Value = NOTHING
    optimised: str
    reason: str | None = None
    b_limit: Limit | None = None
    floor: float | None = None


@dataclass(frozen=True, eq=False)
class Scan:
    """Significances [m] against the cut, over the cuts that keep enough background, for drawing."""

    cuts: Array
    s_over_sqrt_b: Array
    asimov: Array
    asimov_systematic: Array


def counts(curve: Curve, index: NDArray[np.intp] | int) -> Counts:
    """The events above these thresholds."""
    return Counts(
        s=curve.signal[index],
        b=curve.background[index],
        s_squares=curve.signal_squares[index],
        b_squares=curve.background_squares[index],
        total=float(curve.signal[-1]),
    )


def qualified(curve: Curve, minimum: float) -> NDArray[np.bool_]:
    """Which thresholds keep a positive background of at least this effective count, (sum w)^2 / sum w^2."""
    b = curve.background
    # Ten events of one weight are an effective count of ten, whatever their weight's rounding.
    return (b > 0) & (b**2 >= minimum * (1 - ROUNDING) * curve.background_squares)


def with_margin(minimum: float) -> float:
    """The count n with n - 2 sqrt(n) = minimum."""
    if minimum <= 0:
        return 0.0
    return (1 + math.sqrt(1 + minimum)) ** 2


def best_cut(curve: Curve, rules: Rules) -> float | None:
    """The threshold of the greatest significance, None if no threshold qualifies and keeps a positive signal.

    The cut is quoted on other events, so its background count must exceed the minimum by two standard deviations. The
    best cut of a good tagger is where the background ends; without this margin, every second test set would fall short.
    """
    allowed = np.flatnonzero(qualified(curve, with_margin(rules.minimum_background)) & (curve.signal > 0))
    z = measure(rules.optimise, counts(curve, allowed), rules)
    if not np.isfinite(z).any():
        return None
    return float(curve.thresholds[allowed[int(np.nanargmax(z))]])


def is_forced_by_minimum(curve: Curve, cut: float, rules: Rules) -> bool:
    """Whether a cut with less background than the rules require would be better than this one, the best allowed."""
    # Cuts without any background are left out: there no significance is defined, so none would be better.
    scarce = ~qualified(curve, with_margin(rules.minimum_background)) & (curve.background > 0) & (curve.signal > 0)
    index = np.append(np.flatnonzero(scarce), np.flatnonzero(curve.thresholds == cut))
    z = measure(rules.optimise, counts(curve, index), rules)
    return bool(np.nanmax(z) > z[-1])


def chosen_significance(curve: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    """The significance of a cut that was chosen elsewhere, index being its last threshold here (-1: none).

    background holds the weights of the background at or above the cut, [m].
    """
    if not _quotable(curve, index, rules):
        leaves = _shortage_text(curve, index, rules.minimum_background)
        reason = f"the cut at {cut:.6g}, chosen on validation, leaves {leaves}"
        return Significance(optimised=rules.optimise, reason=reason)
    return _significance(curve, index, cut, background, rules)


def fixed_significance(curve: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    """The same for a threshold that nobody tuned: S and B also where there is no significance.

    A threshold above all scores keeps nothing: S and B are zero.
    """
    if _quotable(curve, index, rules):
        return _significance(curve, index, cut, background, rules)
    reason = f"the threshold of {cut:.6g} leaves {_shortage_text(curve, index, rules.minimum_background)}"
    s, b = Value(0.0), Value(0.0)
    if index >= 0:
        s = measured(float(curve.signal[index]), math.sqrt(curve.signal_squares[index]))
        b = measured(float(curve.background[index]), math.sqrt(curve.background_squares[index]))
    return Significance(cut=cut, s=s, b=b, optimised=rules.optimise, reason=reason)


def _quotable(curve: Curve, index: int, rules: Rules) -> bool:
    """Whether enough background and no negative signal is left at a threshold (-1: none)."""
    return index >= 0 and bool(qualified(curve, rules.minimum_background)[index]) and bool(curve.signal[index] >= 0)


def _significance(curve: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    yields = np.array([curve.signal[index], curve.background[index], curve.background_squares[index]])
    # The background and its own statistical uncertainty are correlated, as they come from the same events.
    covariance = np.zeros((3, 3))
    covariance[0, 0] = curve.signal_squares[index]
    # cov(sum w^i, sum w^j) = sum w^(i+j) for Poisson counts of events.
    covariance[1:, 1:] = [[np.sum(background ** (i + j)) for j in (1, 2)] for i in (1, 2)]

    above = counts(curve, index)

    def value(name: str) -> Value:
        formula = MEASURES[name]
        figure, error = propagated(
            lambda s, b, squares: formula(above._replace(s=s, b=b, b_squares=squares), rules), yields, covariance
        )
        return measured(float(figure), float(error))

    return Significance(
        cut=cut,
        s=measured(float(yields[0]), math.sqrt(covariance[0, 0])),
        b=measured(float(yields[1]), math.sqrt(covariance[1, 1])),
        s_over_sqrt_b=value("s_over_sqrt_b"),
        asimov=value("asimov"),
        asimov_systematic=value("asimov_systematic"),
        optimised=rules.optimise,
    )


def _shortage_text(curve: Curve, index: int, minimum: float) -> str:
    """What the events above an unqualified threshold (-1: none) lack for a significance."""
    if index < 0 or curve.background[index] <= 0:
        return "no background on test"
    b = float(curve.background[index])
    if (count := effective_count(b, float(curve.background_squares[index]))) < minimum:
        return f"an effective background count of {count:.3g} on test, under the minimum of {minimum:g}"
    return f"a signal of negative weight on test, {float(curve.signal[index]):.6g}"


def drawn_thresholds(curve: Curve, rules: Rules) -> NDArray[np.intp]:
    """At most 1000 of the qualified thresholds, in even steps of both efficiencies; none without them."""
    allowed = np.flatnonzero(qualified(curve, rules.minimum_background))
    if not curve.defined or len(allowed) == 0:
        return allowed[:0]
    return allowed[thinned(curve.signal_efficiency[allowed], curve.background_efficiency[allowed])]


def scan(curve: Curve, rules: Rules) -> Scan | None:
    """The three significances over the thresholds that are shown, None if there are none."""
    index = drawn_thresholds(curve, rules)
    if len(index) == 0:
        return None
    above = counts(curve, index)
    return Scan(
        curve.thresholds[index],
        *(measure(name, above, rules) for name in ("s_over_sqrt_b", "asimov", "asimov_systematic")),
    )


def best_cuts(curve: Curve, rules: Rules) -> dict[str, float]:
    """The best cut of each measure among at most a thousand; a measure that no cut can have is left out."""
    index = drawn_thresholds(curve, replace(rules, minimum_background=with_margin(rules.minimum_background)))
    index = index[curve.signal[index] > 0]
    figures = {name: measure(name, counts(curve, index), rules) for name in available_measures(rules)}
    return {
        name: float(curve.thresholds[index[np.nanargmax(z)]]) for name, z in figures.items() if np.isfinite(z).any()
    }

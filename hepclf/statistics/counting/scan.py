"""Significance against the cut: choose on one split, quote on another, draw what a scan looks like."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.measures import MEASURES, Counts, Rules, measure, measured_by, propagated
from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.curves.roc import ROUNDING, Curve, thinned
from hepclf.statistics.value import NOTHING, Value, effective_count, measured

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Significance:
    """The expected result of counting events above a cut.

    Where there is none, the reason stands: alone for a cut that validation chose, beside S and B for a fixed threshold.
    `b_limit` is what the background is less than where no simulated event of it is left above a fixed threshold.
    `floor` is the least effective background count, where without it a tighter cut would have been the best.
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


def counts(of: Curve, index: NDArray[np.intp] | int) -> Counts:
    """The events above these thresholds."""
    return Counts(
        s=of.signal[index],
        b=of.background[index],
        s_squares=of.signal_squares[index],
        b_squares=of.background_squares[index],
        total=float(of.signal[-1]),
    )


def qualified(of: Curve, minimum: float) -> NDArray[np.bool_]:
    """Which thresholds keep a positive background of at least this effective count, (sum w)^2 / sum w^2."""
    b = of.background
    # Ten events of one weight are an effective count of ten, whatever their weight's rounding.
    return (b > 0) & (b**2 >= minimum * (1 - ROUNDING) * of.background_squares)


def with_margin(minimum: float) -> float:
    """The count n with n - 2 sqrt(n) = minimum."""
    return (1 + math.sqrt(1 + minimum)) ** 2 if minimum > 0 else 0.0


def best_cut(of: Curve, rules: Rules) -> float | None:
    """The threshold of the greatest significance, None if no threshold qualifies and keeps a positive signal.

    The cut is quoted on other events, so it must keep the minimum background two sigma of its count over: the
    best cut of a good tagger stands where the background ends, and would fall below it every other time.
    """
    allowed = np.flatnonzero(qualified(of, with_margin(rules.minimum_background)) & (of.signal > 0))
    z = measure(rules.optimise, counts(of, allowed), rules)
    if not np.isfinite(z).any():
        return None
    return float(of.thresholds[allowed[int(np.nanargmax(z))]])


def forced(of: Curve, cut: float, rules: Rules) -> bool:
    """Whether a cut that leaves less background than the rules ask for would beat this one, the best allowed."""
    scarce = ~qualified(of, with_margin(rules.minimum_background)) & (of.background > 0) & (of.signal > 0)
    index = np.append(np.flatnonzero(scarce), np.flatnonzero(of.thresholds == cut))
    z = measure(rules.optimise, counts(of, index), rules)
    return bool(np.nanmax(z) > z[-1])


def chosen_significance(of: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    """The significance of a cut that was chosen elsewhere, index being its last threshold here (-1: none).

    background holds the weights of the background at or above the cut, [m].
    """
    if not _quotable(of, index, rules):
        leaves = _lack(of, index, rules.minimum_background)
        reason = f"the cut at {cut:.6g}, chosen on validation, leaves {leaves}"
        return Significance(optimised=rules.optimise, reason=reason)
    return _quoted(of, index, cut, background, rules)


def fixed_significance(of: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    """The same for a threshold that nobody tuned: S and B also where there is no significance.

    A threshold above all scores keeps nothing: S and B are zero.
    """
    if _quotable(of, index, rules):
        return _quoted(of, index, cut, background, rules)
    reason = f"the threshold of {cut:.6g} leaves {_lack(of, index, rules.minimum_background)}"
    s, b = Value(0.0), Value(0.0)
    if index >= 0:
        s = measured(float(of.signal[index]), math.sqrt(of.signal_squares[index]))
        b = measured(float(of.background[index]), math.sqrt(of.background_squares[index]))
    return Significance(cut=cut, s=s, b=b, optimised=rules.optimise, reason=reason)


def _quotable(of: Curve, index: int, rules: Rules) -> bool:
    """Whether enough background and no negative signal is left at a threshold (-1: none)."""
    return index >= 0 and bool(qualified(of, rules.minimum_background)[index]) and bool(of.signal[index] >= 0)


def _quoted(of: Curve, index: int, cut: float, background: Array, rules: Rules) -> Significance:
    at = np.array([of.signal[index], of.background[index], of.background_squares[index]])
    # The background and its own statistical uncertainty rise and fall together.
    covariance = np.zeros((3, 3))
    covariance[0, 0] = of.signal_squares[index]
    covariance[1:, 1:] = [[np.sum(background ** (i + j)) for j in (1, 2)] for i in (1, 2)]

    kept = counts(of, index)

    def value(name: str) -> Value:
        formula = MEASURES[name]
        found, error = propagated(
            lambda s, b, squares: formula(kept._replace(s=s, b=b, b_squares=squares), rules), at, covariance
        )
        return measured(float(found), float(error))

    return Significance(
        cut=cut,
        s=measured(float(at[0]), math.sqrt(covariance[0, 0])),
        b=measured(float(at[1]), math.sqrt(covariance[1, 1])),
        s_over_sqrt_b=value("s_over_sqrt_b"),
        asimov=value("asimov"),
        asimov_systematic=value("asimov_systematic"),
        optimised=rules.optimise,
    )


def _lack(of: Curve, index: int, minimum: float) -> str:
    """What the events above an unqualified threshold (-1: none) lack for a significance."""
    b = float(of.background[index]) if index >= 0 else 0.0
    if b <= 0:
        return "no background on test"
    if (count := effective_count(b, float(of.background_squares[index]))) < minimum:
        return f"an effective background count of {count:.3g} on test, under the minimum of {minimum:g}"
    return f"a signal of negative weight on test, {float(of.signal[index]):.6g}"


def drawn_thresholds(of: Curve, rules: Rules) -> NDArray[np.intp]:
    """At most 1000 of the qualified thresholds, in even steps of both efficiencies; none without them."""
    allowed = np.flatnonzero(qualified(of, rules.minimum_background))
    if not of.defined or len(allowed) == 0:
        return allowed[:0]
    return allowed[thinned(of.signal_efficiency[allowed], of.background_efficiency[allowed])]


def scan(of: Curve, rules: Rules) -> Scan | None:
    """The three significances over the thresholds that are shown, None if there are none."""
    index = drawn_thresholds(of, rules)
    if len(index) == 0:
        return None
    kept = counts(of, index)
    return Scan(
        of.thresholds[index],
        *(measure(name, kept, rules) for name in ("s_over_sqrt_b", "asimov", "asimov_systematic")),
    )


def best_cuts(of: Curve, rules: Rules) -> dict[str, float]:
    """The best cut of each measure among at most a thousand; those that no cut has are left out."""
    index = drawn_thresholds(of, replace(rules, minimum_background=with_margin(rules.minimum_background)))
    index = index[of.signal[index] > 0]
    figures = {name: measure(name, counts(of, index), rules) for name in measured_by(rules)}
    return {name: float(of.thresholds[index[np.nanargmax(z)]]) for name, z in figures.items() if np.isfinite(z).any()}

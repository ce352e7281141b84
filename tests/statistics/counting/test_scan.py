from __future__ import annotations

import math

import numpy as np
import pytest

from hepclf.statistics.counting.measures import Counts, Rules, available_measures, measure
from hepclf.statistics.counting.scan import (
    best_cut,
    chosen_significance,
    counts,
    is_forced_by_minimum,
    qualified,
    scan,
    with_margin,
)
from hepclf.statistics.counting.significance import asimov
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, curve

RULES = Rules(optimise="asimov", systematic=0.1, minimum_background=10)


def rules(**changes):
    return Rules(**({"optimise": "asimov", "systematic": 0.1, "minimum_background": 10} | changes))


def counted(*steps):
    """A curve of (threshold, s, b, effective background) at each distinct score."""
    thresholds, s, b, n = (np.array(column, dtype=float) for column in zip(*steps, strict=True))
    squares = np.divide(b**2, n, out=np.zeros_like(b), where=n > 0)
    return Curve(thresholds, s, b, s, squares)


def heavy(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.random(n) < 0.3
    scores = 1 / (1 + np.exp(-rng.normal(2.0 * signal)))
    weights = np.where(signal, 0.05, 0.8) * rng.lognormal(0, 0.7, n)
    return scores, signal, weights


def test_the_best_cut_is_the_greatest_of_all_thresholds():
    scores, signal, weights = heavy(800)
    of = curve(Ranking(scores), signal, weights)
    for name in available_measures(rules(off_exposure=2)):
        chosen = rules(optimise=name, off_exposure=2)
        best = best_cut(of, chosen)
        figures = []
        for cut in scores:
            kept = scores >= cut
            s, w = weights[kept & signal].sum(), weights[kept & ~signal]
            if len(w) == 0 or w.sum() ** 2 / (w @ w) < with_margin(10):
                continue
            kept_counts = Counts(*map(np.asarray, (s, w.sum(), 0, w @ w)), total=weights[signal].sum())
            figures.append(float(measure(name, kept_counts, chosen)))
        index = int(np.flatnonzero(of.thresholds == best)[0])
        assert float(measure(name, counts(of, index), chosen)) == pytest.approx(max(figures), rel=1e-12)


def test_a_floor_forces_the_cut_where_the_cut_would_move_without_it():
    # S/sqrt(B): 15.8 above 0.9, of one effective event; 0.7 above 0.6. Without the first, the floor changes nothing.
    better = counted((0.9, 5, 0.1, 1), (0.6, 7, 100, 1000))
    worse = counted((0.9, 0.1, 0.1, 1), (0.6, 7, 100, 1000))
    for of, held in ((better, True), (worse, False)):
        cut = best_cut(of, rules(optimise="s_over_sqrt_b"))
        assert cut == 0.6
        assert is_forced_by_minimum(of, cut, rules(optimise="s_over_sqrt_b")) is held
        free = rules(optimise="s_over_sqrt_b", minimum_background=0)
        assert (best_cut(of, free) != cut) is held
        assert not is_forced_by_minimum(of, best_cut(of, free), free)


def test_a_cut_keeps_the_minimum_of_effective_background():
    of = counted((0.9, 5, 0.1, 1), (0.8, 6, 1, 9.9), (0.7, 6.5, 2, 10), (0.6, 7, 100, 1000))
    np.testing.assert_array_equal(qualified(of, 10), [False, False, True, True])
    assert best_cut(of, RULES) == 0.6
    assert best_cut(of, rules(minimum_background=0)) == 0.9
    assert best_cut(of, rules(minimum_background=2000)) is None


def test_the_margin_is_two_sigma_of_the_count():
    for minimum in (1, 10, 50):
        n = with_margin(minimum)
        assert n - 2 * np.sqrt(n) == pytest.approx(minimum)
    assert with_margin(0) == 0


def test_with_its_margin_a_cut_seldom_falls_short_on_other_events():
    rng, short = np.random.default_rng(5), 0
    for _ in range(300):
        scores = [1 / (1 + np.exp(-rng.normal(4.0 * (np.arange(2000) % 2)))) for _ in range(2)]
        valid, test = (curve(Ranking(each), np.arange(2000) % 2 == 1, np.ones(2000)) for each in scores)
        cut = best_cut(valid, RULES)
        short += test.background[Ranking(scores[1]).last(cut)] < 10
    assert short <= 20  # measured 9 of 300; without the margin 124


@pytest.mark.parametrize("weight", [1.0, 0.1, 0.3, 1 / 7, 1e-6])
def test_ten_equal_events_are_an_effective_count_of_ten(weight):
    of = curve(Ranking(np.linspace(1, 0, 12)), np.arange(12) == 0, np.full(12, weight))
    np.testing.assert_array_equal(qualified(of, 10), [False] * 10 + [True] * 2)


def test_no_background_is_never_a_cut():
    of = counted((0.9, 5, 0, 0), (0.5, 6, -1, 5), (0.1, 7, 0, 0))
    assert best_cut(of, rules(minimum_background=0)) is None
    assert scan(of, rules(minimum_background=0)) is None


def test_no_signal_is_never_a_cut():
    of = counted((0.9, 0, 50, 50), (0.5, -1, 60, 60))
    for name in available_measures(RULES):
        assert best_cut(of, rules(optimise=name)) is None


def test_a_quote_by_hand():
    of = counted((0.9, 1, 3, 3), (0.7, 10, 100, 100), (0.2, 20, 900, 900))
    found = chosen_significance(of, 1, 0.7, np.ones(100), RULES)
    assert (found.cut, found.optimised, found.reason) == (0.7, "asimov", None)
    assert found.s == pytest.approx((10, math.sqrt(10)))
    assert found.b == pytest.approx((100, 10))
    assert found.s_over_sqrt_b.value == pytest.approx(1)
    # (sigma_s / sqrt b)^2 + (s sigma_b / 2 b^1.5)^2
    assert found.s_over_sqrt_b.error == pytest.approx(math.sqrt(10 / 100 + (10 * 10 / 2 / 1000) ** 2), rel=1e-6)
    assert found.asimov.value == pytest.approx(0.9839916447569484)
    assert found.asimov_systematic.value == pytest.approx(float(asimov(10, 100, math.sqrt(100 + 10**2))))


@pytest.mark.parametrize(
    ("step", "index", "message"),
    [
        ((0.8, 5, 9, 9), 0, "leaves an effective background count of 9 on test, under the minimum of 10"),
        ((0.8, 5, 0, 0), 0, "leaves no background on test"),
        ((0.8, 5, -3, 0), 0, "leaves no background on test"),
        ((0.8, 5, 30, 30), -1, "leaves no background on test"),
        ((0.8, -2, 30, 30), 0, "leaves a signal of negative weight on test, -2"),
    ],
)
def test_a_cut_that_cannot_be_quoted_says_why(step, index, message):
    found = chosen_significance(counted(step), index, 0.75, np.zeros(0), RULES)
    assert found.reason == f"the cut at 0.75, chosen on validation, {message}"
    for value in (found.s, found.b, found.s_over_sqrt_b, found.asimov, found.asimov_systematic):
        assert value == (None, None)
    assert found.cut is None


def test_no_signal_above_the_cut_has_a_significance_of_zero_without_error():
    found = chosen_significance(counted((0.8, 0, 30, 30)), 0, 0.8, np.zeros(0), RULES)
    assert found.reason is None
    for value in (found.s, found.s_over_sqrt_b, found.asimov, found.asimov_systematic):
        assert value == (0.0, None)


def test_the_errors_are_those_of_a_bootstrap_of_the_yields():
    scores, signal, weights = heavy(3000, seed=1)
    rng = np.random.default_rng(2)

    def quoted(w):
        of = curve(ranking, signal, w)
        index = ranking.last(0.7)
        kept = ranking.events_above(index)
        return chosen_significance(of, index, 0.7, w[kept][~signal[kept]], RULES)

    ranking = Ranking(scores)
    found, repeated = quoted(weights), [quoted(weights * rng.poisson(1, len(weights))) for _ in range(600)]
    for name in ("s", "b", "s_over_sqrt_b", "asimov", "asimov_systematic"):
        spread = np.std([getattr(one, name).value for one in repeated])
        assert getattr(found, name).error == pytest.approx(spread, rel=0.1)


def test_a_scan_shows_what_qualifies_in_a_thousand_points():
    scores, signal, weights = heavy(20_000)
    of = curve(Ranking(scores), signal, weights)
    found = scan(of, RULES)
    assert 300 < len(found.cuts) <= 1000
    assert (np.diff(found.cuts) < 0).all()
    assert found.cuts.max() == of.thresholds[qualified(of, 10)].max()
    for name in ("s_over_sqrt_b", "asimov", "asimov_systematic"):
        assert np.isfinite(getattr(found, name)).all()
    assert (found.asimov_systematic <= found.asimov).all()
    assert (found.asimov <= found.s_over_sqrt_b).all()
    index = np.searchsorted(-of.thresholds, -found.cuts)
    np.testing.assert_allclose(found.s_over_sqrt_b, of.signal[index] / np.sqrt(of.background[index]))

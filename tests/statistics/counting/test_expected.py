from __future__ import annotations

import numpy as np
import pytest

from hepclf.scored import Scored
from hepclf.statistics.counting.expected import effective, expected_events
from hepclf.statistics.counting.measures import Rules, available_measures
from hepclf.statistics.value import Value

RULES = Rules(optimise="asimov", systematic=0.1, minimum_background=10, off_exposure=3)


def part(n=4000, seed=0, **columns):
    rng = np.random.default_rng(seed)
    processes = rng.choice(3, n, p=(0.5, 0.2, 0.3))
    labels = (processes == 2).astype(int)
    scores = np.round(1 / (1 + np.exp(-rng.normal(1.5 * labels))), 2)
    weights = rng.normal(0.7, 0.4, n) * np.array([0.8, 0.2, 0.05])[processes]
    plain = {"labels": labels, "scores": scores, "weights": weights, "processes": processes}
    return Scored(**(plain | {"process_names": ("qcd", "top", "higgs")} | columns))


def above(of, cuts, weights=None):
    return expected_events(of.scores, of, 1, of.weights if weights is None else weights, np.asarray(cuts, dtype=float))


def test_sums_of_powers_are_those_of_a_loop(monkeypatch):
    monkeypatch.setattr("hepclf.statistics.curves.passing.BLOCK", 700)
    of, cuts = part(), [0.5, 0.93, 0.2, 0.5]
    found = above(of, cuts)
    assert found.names == ("qcd", "top", "higgs")
    np.testing.assert_array_equal(found.signal, [False, False, True])
    for g in range(3):
        for p in range(4):
            powers = of.weights ** (p + 1) * (of.processes == g)
            assert found.before[p, g] == pytest.approx(powers.sum())
            for c, cut in enumerate(cuts):
                assert found.above[p, g, c] == pytest.approx(powers[of.scores >= cut].sum(), abs=1e-9)


def test_yields_and_their_errors_by_hand():
    of = Scored(labels=[0, 0, 0, 1], scores=[0.9, 0.8, 0.1, 0.9], weights=[3, -1, 5, 2.0])
    found = above(of, [0.5])
    assert found.process(0, 0) == pytest.approx((2, np.sqrt(10)))
    assert found.process(0) == pytest.approx((7, np.sqrt(35)))
    assert found.sum(found.signal, 0) == (2, 2)
    assert found.effective_background[0] == pytest.approx(4 / 10)
    assert effective(Value(2.0, np.sqrt(10))) == pytest.approx(0.4)
    assert effective(Value(2.0, None)) is None


def test_a_process_of_both_kinds_is_there_twice():
    of = Scored(labels=[0, 1, 0], scores=[0.1, 0.9, 0.5], processes=[0, 0, 1], process_names=("mixed", "qcd"))
    found = above(of, [0.0])
    assert found.names == ("mixed (background)", "mixed (signal)", "qcd")
    np.testing.assert_array_equal(found.signal, [False, True, False])


def test_a_cut_that_keeps_too_little_background_has_no_measure():
    of = Scored(labels=np.repeat([1, 0], 20), scores=np.tile(np.linspace(0.05, 1, 20), 2))
    found = above(of, [0.49, 0.54, 0.99])
    np.testing.assert_allclose(found.counts.b, [11, 10, 1])
    for name in available_measures(RULES):
        for column in found.figures(name, RULES):
            np.testing.assert_array_equal(np.isfinite(column), [True, True, False])


def test_errors_of_every_measure_are_those_of_a_bootstrap():
    of, rng = part(seed=3), np.random.default_rng(4)
    found = above(of, [0.6])
    # Punzi's efficiency is of a whole that varies with what passes, all others of yields that stand as they are.
    repeated = [above(of, [0.6], of.weights * rng.poisson(1, len(of))) for _ in range(200)]
    for name in available_measures(RULES):
        spread = np.std([float(each.figures(name, RULES)[0][0]) for each in repeated])
        assert found.figure(name, RULES).error == pytest.approx(spread, rel=0.15), name


def test_another_luminosity_scales_yields_and_errors_alike():
    of = part()
    found, more = above(of, [0.5, 0.7]), above(of, [0.5, 0.7]).scaled(10.0)
    again = above(of, [0.5, 0.7], of.weights * 10)
    np.testing.assert_allclose(more.above, again.above)
    np.testing.assert_allclose(more.before, again.before)
    assert more.process(0, 1) == pytest.approx([10 * each for each in found.process(0, 1)])
    # Without a systematic or statistical error, s/sqrt(b) grows with the root of the luminosity.
    ratio = more.figures("s_over_sqrt_b", RULES)[0] / found.figures("s_over_sqrt_b", RULES)[0]
    np.testing.assert_allclose(ratio, np.sqrt(10))


def test_a_cut_that_no_simulated_background_passes_has_an_upper_limit():
    of = Scored(
        labels=[0, 0, 0, 0, 1],
        scores=[0.1, 0.2, 0.3, 0.4, 0.9],
        weights=[1.0, 1.0, 5.0, 7.0, 2.0],
        processes=[0, 0, 1, 1, 2],
        process_names=("qcd", "top", "higgs"),
    )
    found = above(of, [0.35, 0.5])
    assert found.background_limit(0) is None
    assert found.background_words(1, 0) == "7.0 ± 7.0"
    # One more event of top would weigh (5^2 + 7^2) / 12.
    assert found.background_limit(1) == pytest.approx((-np.log(0.10) * 74 / 12, -np.log(0.05) * 74 / 12))
    assert found.background_words(1, 1) == "< 18.5 (95 %)"

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from hepclf.statistics.shapes import twosample
from hepclf.statistics.shapes.twosample import ScoreSample, two_sample

KINDS = {
    "unit": lambda _, x: np.ones(len(x)),
    "heavy": lambda rng, x: rng.lognormal(0, 1.5, len(x)),
    "signed": lambda rng, x: np.where(rng.random(len(x)) < 0.2, -1.0, 1.0),
    "with the score": lambda rng, x: np.exp(x) * np.where(rng.random(len(x)) < 0.1, -1, 1),
}


def drawn(rng, n, kind="unit", shift=0.0, ties=None):
    x = np.sort(rng.normal(shift, 1, n))
    x = x if ties is None else np.round(x * ties) / ties
    return ScoreSample(x, KINDS[kind](rng, x))


def p_values(count, sizes, kind, shift=0.0, permutations=99):
    rng = np.random.default_rng(5)
    found = [
        two_sample(drawn(rng, sizes[0], kind, shift), drawn(rng, sizes[1], kind), permutations) for _ in range(count)
    ]
    return np.array([each.p for each in found])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bags", [1000, 24], ids=["events", "bags"])
def test_events_of_one_distribution_are_rejected_as_often_as_they_should_be(monkeypatch, kind, bags):
    # A share of 400 samples has an error of 1.1 % and 2.3 %.
    monkeypatch.setattr(twosample, "BAGS", bags)
    monkeypatch.setattr(twosample, "FEWEST", 16)
    monkeypatch.setattr(twosample, "BLOCKS", 64)
    p = p_values(400, (100, 40), kind, permutations=39)
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.033)
    assert (p <= 0.325).mean() == pytest.approx(0.325, abs=0.07)


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(0)
    for sizes in ((30, 20), (150, 90)):
        first, second = drawn(rng, sizes[0]), drawn(rng, sizes[1], shift=0.3)
        found, oracle = two_sample(first, second, 999), ks_2samp(first.scores, second.scores)
        assert found.distance == pytest.approx(oracle.statistic, rel=1e-12)
        assert found.p == pytest.approx(oracle.pvalue, abs=0.05)


def test_in_blocks_the_distance_is_hardly_less():
    rng = np.random.default_rng(0)
    first, second = drawn(rng, 6000), drawn(rng, 3000, shift=0.1)
    found, oracle = two_sample(first, second, 499), ks_2samp(first.scores, second.scores)
    assert 0 <= oracle.statistic - found.distance < 0.002
    assert found.p == 1 / 500


def test_equal_weights_of_any_size_and_doubled_events_do_not_matter():
    rng = np.random.default_rng(1)
    first, second = drawn(rng, 100), drawn(rng, 80)
    plain = two_sample(first, second, 99)
    heavier = two_sample(*(ScoreSample(each.scores, 7 * each.weights) for each in (first, second)), 99)
    assert heavier.p == plain.p
    assert heavier.distance == pytest.approx(plain.distance)


def test_a_weight_of_two_is_an_event_twice():
    rng = np.random.default_rng(2)
    first, second = drawn(rng, 60), drawn(rng, 50)
    twice = ScoreSample(np.repeat(first.scores, 2), np.ones(120))
    heavy = two_sample(ScoreSample(first.scores, np.full(60, 2.0)), second, 19)
    assert heavy.distance == pytest.approx(two_sample(twice, second, 19).distance)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(1, 5), st.sampled_from(list(KINDS)))
def test_the_distance_is_that_of_a_loop_over_all_scores(n1, n2, ties, kind):
    rng = np.random.default_rng(n1 * 100 + n2)
    samples = [drawn(rng, n, kind, ties=ties) for n in (n1, n2)]
    found = two_sample(*samples, 19)
    if found is None:
        assert min(each.weights.sum() for each in samples) <= 1e-9
        return
    worst = 0.0
    for cut in np.concatenate([each.scores for each in samples]):
        below = [each.weights[each.scores <= cut].sum() / each.weights.sum() for each in samples]
        worst = max(worst, abs(below[0] - below[1]))
    assert found.distance == pytest.approx(worst, rel=1e-9, abs=1e-12)


def test_equal_samples_are_never_rejected():
    same = ScoreSample(np.full(50, 0.5), np.ones(50))
    assert two_sample(same, same, 99).p == 1


@pytest.mark.parametrize(("kind", "power"), [("unit", 0.9), ("heavy", 0.3), ("signed", 0.5)])
def test_a_shift_is_found(kind, power):
    assert (p_values(40, (1000, 500), kind, shift=0.25, permutations=39) <= 0.05).mean() > power


def test_the_same_events_have_the_same_p_value():
    rng = np.random.default_rng(3)
    samples = drawn(rng, 2000, "heavy"), drawn(rng, 700, "heavy")
    assert two_sample(*samples, 99).p == two_sample(*samples, 99).p


def test_a_sample_without_a_positive_sum_of_weights_has_no_test():
    rng = np.random.default_rng(3)
    first = drawn(rng, 10)
    for weights in (-np.ones(10), np.tile([1.0, -1.0], 5)):
        assert two_sample(first, ScoreSample(first.scores, weights), 99) is None
    empty = ScoreSample(np.empty(0), np.empty(0))
    assert two_sample(first, empty, 99) is None


def test_a_handful_of_test_events_is_dealt_too():
    rng = np.random.default_rng(4)
    found = two_sample(drawn(rng, 20_000), ScoreSample(np.full(3, 9.0), np.ones(3)), 199)
    assert found.p < 0.02

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, poisson

from hepclf.statistics.curves.bootstrap import TABLE, bins, bootstrap, interval
from hepclf.statistics.curves.partial import partial_area
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve

TARGETS = (0.1, 0.3, 0.5, 0.9)


def of(labels, scores, weights):
    ranking, is_signal = Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1
    return curve(ranking, is_signal, weights), ranking, is_signal


def replicated(labels, scores, weights, replicas=1000, seed=0):
    full, ranking, is_signal = of(labels, scores, weights)
    edges = bins(full, TARGETS)
    return full, bootstrap(full, ranking, is_signal, weights, edges=edges, replicas=replicas, seed=seed)


def by_hand(labels, scores, weights, replicas):
    """Area, partial area and background efficiencies, event by event."""
    rng = np.random.default_rng(99)
    ranking = Ranking(scores)
    found = []
    for _ in range(replicas):
        one = curve(ranking, labels == 1, weights * rng.poisson(1, len(weights)))
        kept = one.background_efficiency[one.index_at(TARGETS)]
        found.append([area(one).value, partial_area(one, 0, 0.1).area.value, *kept])
    return np.array(found)


@pytest.mark.parametrize(("weights", "ties"), [("unit", None), ("heavy", 40), ("heavy", None), ("signed", None)])
def test_replicas_are_those_of_drawing_every_event(drawn, weights, ties):
    labels, scores, w = drawn(2000, seed=1, weights=weights, ties=ties)
    full, found = replicated(labels, scores, w, 2000)
    hand = by_hand(labels, scores, w, 800)
    part = partial_area(full, 0, 0.1).area.value
    ours = np.column_stack([found.areas(area(full).value), found.areas(part, 0, 0.1), found.background_at(TARGETS)])
    spread, wanted = ours.std(axis=0, ddof=1), hand.std(axis=0, ddof=1)
    assert (np.abs(ours.mean(axis=0) - hand.mean(axis=0)) < 0.2 * wanted).all()
    # 800 replicas know their spread to 2.5 %, 2000 to 1.6 %; measured 0.95 to 1.07 over the four samples,
    # and means within 0.09 of it.
    assert spread / wanted == pytest.approx(np.ones(6), abs=0.12)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_sums_above_edges_scatter_by_their_sums_of_squares(drawn, weights):
    labels, scores, w = drawn(20_000, seed=2, weights=weights)
    full, found = replicated(labels, scores, w, 4000)
    for sums, exact, squares in (
        (found.signal, full.signal, full.signal_squares),
        (found.background, full.background, full.background_squares),
    ):
        error = np.sqrt(squares[found.edges])
        some = error > 0
        pull = (sums.mean(axis=0) - exact[found.edges])[some] / error[some]
        assert np.abs(pull).max() < 5 / np.sqrt(4000)
        assert sums.std(axis=0, ddof=1)[some] / error[some] == pytest.approx(np.ones(some.sum()), abs=0.06)
        assert (sums[:, ~some] == 0).all()


@pytest.mark.parametrize("weights", ["unit", "heavy"])
def test_the_far_tail_has_the_distribution_of_drawing_every_event(drawn, weights):
    labels, scores, w = drawn(4000, seed=3, weights=weights)
    full, found = replicated(labels, scores, w, 4000)
    first = int(np.argmax(full.background_squares[found.edges] > 0)) + 3
    above = scores >= full.thresholds[found.edges[first]]
    tail = w[above & (labels == 0)]
    assert 1 < len(tail) < 12
    hand = np.random.default_rng(5).poisson(1, (4000, len(tail))) @ tail
    # The same sums in another order differ in the last digits, which a test of ranks would see.
    assert ks_2samp(found.background[:, first].round(6), hand.round(6)).pvalue > 1e-3
    # Nothing at all is seen as often as Poisson says.
    assert np.mean(found.background[:, first] < 1e-6) == pytest.approx(np.exp(-len(tail)), abs=0.02)


def test_one_event_that_outweighs_the_others_is_there_or_not(drawn):
    labels, scores, w = drawn(5000, seed=4, weights="unit")
    w[np.flatnonzero(labels == 0)[0]] = 1000
    _, found = replicated(labels, scores, w, 4000)
    times = np.round((found.background[:, -1] - w[labels == 0].sum() + 1000) / 1000)
    shares = [np.mean(times == count) for count in range(4)]
    assert shares == pytest.approx(poisson.pmf(np.arange(4), 1), abs=0.025)


def test_the_table_of_poisson_numbers_has_their_moments():
    counts = TABLE.astype(float)
    assert counts.mean() == pytest.approx(1, abs=5e-5)
    assert counts.var() == pytest.approx(1, abs=5e-4)
    assert ((counts - 1) ** 3).mean() == pytest.approx(1, abs=5e-3)
    np.testing.assert_allclose(np.bincount(TABLE) / len(TABLE), poisson.pmf(np.arange(TABLE.max() + 1), 1), atol=2e-5)


def test_the_same_seed_gives_the_same_replicas(drawn):
    columns = drawn(2000, seed=5)
    one, two, three = (replicated(*columns, 50, seed=seed)[1].background for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one[:, -1] != three[:, -1]).all()


def test_edges_are_few_hold_the_targets_and_end_with_the_curve(drawn):
    full, _, _ = of(*drawn(100_000, seed=6))
    edges = bins(full, TARGETS)
    assert len(edges) < 310
    assert edges[-1] == len(full.thresholds) - 1
    assert set(full.index_at(TARGETS)) <= set(edges)


def test_replicas_on_a_line_cross_where_they_should():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    full, ranking, is_signal = of([1, 0, 1, 0], scores, np.ones(4))
    found = bootstrap(full, ranking, is_signal, np.ones(4), edges=np.arange(4), replicas=200)
    for signal, background, kept in zip(found.signal, found.background, found.background_at([0.25, 1.0]), strict=True):
        if min(signal[-1], background[-1]) == 0:
            assert np.isnan(kept).any()
            continue
        first = signal[0] / signal[-1]
        # The target lies on the first signal event or on the second; between them there is background.
        assert kept[0] == pytest.approx(0.0 if first >= 0.25 else background[1] / background[-1])
        assert kept[1] == pytest.approx(0.0 if first == 1 else background[2] / background[-1])


def test_the_interval_holds_what_it_says():
    values = np.linspace(0, 1, 10_001)
    np.testing.assert_allclose(interval(values), [0.158655, 0.841345], atol=1e-5)
    np.testing.assert_allclose(interval(values, 0.9), [0.05, 0.95], atol=1e-12)
    assert np.isnan(interval(np.array([0.1, np.nan]))).all()

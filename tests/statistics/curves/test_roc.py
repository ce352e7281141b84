from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, background_error, curve, influence, roc_points, thinned
from hepclf.statistics.curves.working_point import working_point
from hepclf.statistics.value import NOTHING

SCORES = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.3, 0.1])
TRUTH = np.array([1, 1, 0, 1, 0, 1, 1, 0, 0, 0], dtype=bool)


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


def pairs(labels, scores, weights):
    """The area and its DeLong error by the definitions, pair by pair, with the weights as they are."""
    s, b = labels == 1, labels == 0
    kernel = (scores[s][:, None] > scores[b]) + 0.5 * (scores[s][:, None] == scores[b])
    ws, wb = weights[s], weights[b]
    placed_s, placed_b = kernel @ wb / wb.sum(), ws @ kernel / ws.sum()
    value = ws @ kernel @ wb / ws.sum() / wb.sum()
    variance = 0.0
    for placed, w in ((placed_s, ws), (placed_b, wb)):
        n = w.sum() ** 2 / (w**2).sum()
        variance += n / (n - 1) * (w**2 * (placed - value) ** 2).sum() / w.sum() ** 2
    return value, np.sqrt(variance)


@pytest.mark.parametrize("weights", ["unit", "heavy"])
@pytest.mark.parametrize("ties", [None, 10, 200])
def test_the_area_is_that_of_scikit_learn(drawn, ties, weights):
    labels, scores, w = drawn(3000, seed=1, ties=ties, weights=weights)
    assert area(of(labels, scores, w)).value == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=w), rel=0, abs=1e-12
    )


@pytest.mark.parametrize("ties", [None, 50])
def test_the_curve_is_that_of_scikit_learn(drawn, ties):
    labels, scores, w = drawn(900, seed=2, ties=ties)
    fpr, tpr, thresholds = roc_curve(labels, scores, sample_weight=w, drop_intermediate=False)
    ours = roc_points(of(labels, scores, w))
    np.testing.assert_allclose(ours.background_efficiency, fpr, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.signal_efficiency, tpr, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ours.thresholds[1:], thresholds[1:])
    assert ours.area == area(of(labels, scores, w))


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
@pytest.mark.parametrize("ties", [None, 20])
def test_the_area_and_its_error_are_those_of_all_pairs(drawn, ties, weights):
    labels, scores, w = drawn(400, seed=3, ties=ties, weights=weights)
    assert (w < 0).any() == (weights == "signed")
    value, error = pairs(labels, scores, w)
    found = area(of(labels, scores, w))
    assert found.value == pytest.approx(value, rel=0, abs=1e-12)
    assert found.error == pytest.approx(error, rel=1e-10)


def test_the_error_of_equal_weights_is_the_one_of_delong_1988(drawn):
    labels, scores, _ = drawn(300, seed=4, ties=30)
    s, b = scores[labels == 1], scores[labels == 0]
    kernel = (s[:, None] > b) + 0.5 * (s[:, None] == b)
    textbook = np.var(kernel.mean(axis=1), ddof=1) / len(s) + np.var(kernel.mean(axis=0), ddof=1) / len(b)
    for weight in (1.0, 0.01):
        assert area(of(labels, scores, np.full(300, weight))).error == pytest.approx(np.sqrt(textbook), rel=1e-10)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_the_influences_of_the_events_make_the_error_of_the_area(drawn, weights):
    labels, scores, w = drawn(300, seed=9, ties=15, weights=weights)
    full, ranking = of(labels, scores, w), Ranking(scores)
    moved = influence(full, ranking, labels == 1, w)
    assert np.sqrt(moved @ moved) == pytest.approx(area(full).error, rel=1e-10)
    # A little more of an event: the area moves by its influence, but for the factor sqrt(n/(n-1)).
    for event in (0, 1, 2, 3):
        n = full.effective_signal if labels[event] else full.effective_background
        more = w.copy()
        more[event] *= 1 + 1e-6
        slope = (area(of(labels, scores, more)).value - area(full).value) / 1e-6
        assert slope * np.sqrt(n / (n - 1)) == pytest.approx(moved[event], rel=1e-3, abs=1e-8)


@pytest.mark.parametrize(("separation", "best"), [(0.5, 0.638163), (1, 0.760250), (2, 0.921350), (3, 0.983053)])
def test_equal_gaussians_have_the_area_of_the_closed_form(separation, best):
    # Quantiles instead of draws: what is left is the size of one step.
    n = 2000
    x = norm.ppf((np.arange(n) + 0.5) / n)
    found = area(of(np.repeat([0, 1], n), np.concatenate([x, x + separation]), np.ones(2 * n)))
    assert found.value == pytest.approx(best, abs=5e-5)


def test_the_error_of_the_mixture_is_the_one_of_hanley_and_mcneil():
    # NUMBERS 7: 0.00309 for 10,000 + 10,000 at an area of 0.80556, by their formula for exponential scores.
    rng = np.random.default_rng(5)
    distance = np.sqrt(2) * norm.ppf(0.8055561631)
    labels = np.repeat([0, 1], 10_000)
    found = area(of(labels, rng.normal(size=20_000) + distance * labels, np.ones(20_000)))
    assert found.value == pytest.approx(0.80556, abs=4 * 0.00309)
    assert found.error == pytest.approx(0.00309, rel=0.03)


@pytest.mark.parametrize(("weights", "bound"), [("unit", 0.12), ("heavy", 0.15)])
def test_the_error_of_the_area_is_the_spread_over_repeated_samples(drawn, weights, bound):
    # 400 samples know their spread to 3.5 %.
    found = [area(of(*drawn(500, seed=seed, weights=weights))) for seed in range(400)]
    spread = np.std([auc.value for auc in found], ddof=1)
    assert np.sqrt(np.mean([auc.error**2 for auc in found])) / spread == pytest.approx(1, abs=bound)
    covered = np.mean([abs(auc.value - norm.cdf(1 / np.sqrt(2))) < auc.error for auc in found])
    assert covered == pytest.approx(0.683, abs=0.07)


@pytest.mark.parametrize(("weights", "bound"), [("unit", 0.15), ("heavy", 0.2)])
def test_the_error_of_the_rejection_is_the_spread_over_repeated_samples(drawn, weights, bound):
    points = [working_point(of(*drawn(4000, seed=seed, weights=weights)), 0.5) for seed in range(300)]
    spread = np.std([point.rejection.value for point in points], ddof=1)
    assert np.sqrt(np.mean([point.rejection.error**2 for point in points])) / spread == pytest.approx(1, abs=bound)
    truth = 1 / norm.sf(1.0)
    covered = np.mean([abs(point.rejection.value - truth) < point.rejection.error for point in points])
    assert covered == pytest.approx(0.683, abs=0.08)


def test_working_points_of_ten_events_by_hand():
    of_ten = of(TRUTH, SCORES, np.ones(10))
    np.testing.assert_allclose(of_ten.signal_efficiency, [0.2, 0.4, 0.6, 0.6, 0.8, 1, 1, 1])
    np.testing.assert_allclose(of_ten.background_efficiency, [0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.8, 1])
    # 0.4 is reached at the tie at 0.8, which brings its background along.
    for target, signal, background, threshold in [
        (0.1, 0.2, 0.0, 0.9),
        (0.3, 0.4, 0.2, 0.8),
        (0.4, 0.4, 0.2, 0.8),
        (0.41, 0.6, 0.2, 0.7),
        (0.6, 0.6, 0.2, 0.7),
        (0.9, 1.0, 0.6, 0.4),
        (1.0, 1.0, 0.6, 0.4),
    ]:
        point = working_point(of_ten, target)
        assert point.signal_efficiency == pytest.approx(signal)
        assert point.background_efficiency.value == pytest.approx(background)
        assert point.threshold == threshold
        assert point.rejection.value == (pytest.approx(1 / background) if background else None)
    # 25 pairs, 18 right and 2 tied.
    assert area(of_ten).value == pytest.approx(19 / 25)


def test_no_background_left_has_no_rejection_and_no_error_of_zero():
    point = working_point(of(TRUTH, SCORES, np.ones(10)), 0.2)
    assert point.background_efficiency.value == 0
    assert point.rejection == NOTHING
    apart = of([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], np.ones(4))
    assert working_point(apart, 1.0).background_efficiency == (0.0, None)
    assert area(apart) == (1.0, None)


def test_working_points_follow_the_weights():
    weights = np.array([1, 2, 1, 4, 3, 2, 1, 1, 2, 3.0])
    point = working_point(of(TRUTH, SCORES, weights), 0.7)
    assert (point.signal_efficiency, point.threshold) == (0.7, 0.7)
    assert point.background_efficiency.value == pytest.approx(0.1)
    # Each class's own error event by event; that of the signal moves the cut between 0.9 and 0.4.
    kept = np.asarray(SCORES) >= 0.7
    own, spread = (
        np.sqrt((weights[of_class] ** 2 * (kept[of_class] - e) ** 2).sum()) / 10
        for of_class, e in ((np.asarray(TRUTH) == 0, 0.1), (np.asarray(TRUTH) == 1, 0.7))
    )
    assert 0.3 < 0.7 - spread <= 0.7
    high = 0.5 if 0.7 + spread > 0.9 else 0.4
    assert point.background_efficiency.error == pytest.approx(np.hypot(own, (high - 0.1) / 2))
    assert point.rejection.error == pytest.approx(point.background_efficiency.error / 0.1**2)


@pytest.mark.parametrize("weight", [1.0, 0.1, 0.7, 1 / 3, 1e-5])
def test_a_target_is_met_whatever_the_rounding_of_the_sums(weight):
    labels, scores = np.repeat([1, 0], 10), np.linspace(1, 0, 20)
    equal = of(labels, scores, np.full(20, weight))
    for events in range(1, 11):
        assert working_point(equal, events / 10).threshold == scores[events - 1]


def test_a_negative_background_has_no_rejection():
    point = working_point(of([1, 0, 1, 0], [0.9, 0.95, 0.5, 0.4], [1, -1, 1, 3.0]), 0.5)
    assert point.background_efficiency.value == -0.5
    assert point.rejection == NOTHING


def test_negative_weights_may_turn_the_curve_and_the_first_crossing_counts():
    found = of([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.55, 0.5], [2, -1, 1, 2, 1, 1])
    np.testing.assert_allclose(found.signal_efficiency[:4], [0.5, 0.25, 0.5, 1])
    assert working_point(found, 0.5).threshold == 0.9
    assert working_point(found, 0.51).threshold == 0.6
    beyond = of([1, 1, 0, 0, 0], [0.9, 0.5, 0.8, 0.7, 0.2], [1, 1, 3, -1, -1])
    assert working_point(beyond, 0.9).background_efficiency.value == 2
    assert max(beyond.background_efficiency) == 3


@pytest.mark.parametrize(
    ("labels", "weights"),
    [([1, 1, 1], [1, 1, 1]), ([0, 0, 0], [1, 1, 1]), ([1, 0, 0], [1, 1, -1]), ([1, 0, 0], [-1, 1, 1]), ([], [])],
)
def test_a_class_without_weight_has_no_curve(labels, weights):
    found = of(labels, np.linspace(0, 1, len(labels)), weights)
    assert not found.defined
    assert area(found) == NOTHING
    assert roc_points(found) is None
    assert working_point(found, 0.5) == (0.5, None, NOTHING, NOTHING, None, None)


def test_weights_that_cancel_but_for_rounding_have_no_curve():
    weights = np.array([1, 0.1, 0.2, -0.3])
    assert 0 < weights[1:].sum() < 1e-15
    assert not of([1, 0, 0, 0], [0.5, 0.9, 0.4, 0.1], weights).defined


def test_one_event_a_class_has_an_area_without_error():
    assert area(of([1, 0], [0.9, 0.1], [1, 1])) == (1.0, None)
    assert area(of([1, 0, 0], [0.5, 0.9, 0.1], [1, 1, 1])) == (0.5, None)


events = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.floats(0.1, 10)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(row[0] for row in rows) < len(rows)
)


@settings(deadline=None, max_examples=150)
@given(events, st.randoms(use_true_random=False))
def test_a_monotone_map_doubled_weights_and_shuffled_rows_change_nothing(rows, random):
    labels, scores, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    before = of(labels, scores, weights)
    order = np.array(random.sample(range(len(rows)), len(rows)))
    others = {
        "mapped": (labels, np.exp(scores / 7), weights),
        "doubled": (labels, scores, 2 * weights),
        "shuffled": (labels[order], scores[order], weights[order]),
    }
    for name, columns in others.items():
        after = of(*columns)
        assert area(after).value == pytest.approx(area(before).value, abs=1e-12)
        assert area(after).error == (area(before).error and pytest.approx(area(before).error, rel=1e-6, abs=1e-9))
        for target in (0.3, 0.5, 0.7, 1.0):
            old, new = working_point(before, target), working_point(after, target)
            threshold = np.exp(old.threshold / 7) if name == "mapped" else old.threshold
            assert new.threshold == threshold
            assert new.signal_efficiency == pytest.approx(old.signal_efficiency, abs=1e-12)
            assert new.background_efficiency.value == pytest.approx(old.background_efficiency.value, abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(events)
def test_turned_scores_turn_the_area(rows):
    labels, scores, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    over = area(of(labels, scores, weights)).value + area(of(labels, -scores, weights)).value
    assert over == pytest.approx(1, abs=1e-12)


def test_the_last_threshold_at_or_above_a_cut():
    ranking = Ranking(np.array([0.2, 0.8, 0.8, 0.5]))
    np.testing.assert_array_equal(ranking.thresholds, [0.8, 0.5, 0.2])
    assert [ranking.last(cut) for cut in (0.9, 0.8, 0.79, 0.5, 0.3, 0.2, 0.0)] == [-1, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("weights", ["unit", "signed"])
def test_a_drawn_curve_keeps_its_ends_its_area_and_its_shape_in_a_thousand_points(drawn, weights):
    labels, scores, w = drawn(60_000, seed=7, weights=weights)
    full = of(labels, scores, w)
    found = roc_points(full)
    assert len(found.thresholds) <= 1000
    assert (found.signal_efficiency[0], found.background_efficiency[0]) == (0, 0)
    assert (found.signal_efficiency[-1], found.background_efficiency[-1]) == pytest.approx((1, 1))
    assert found.area == area(full)
    if weights == "unit":
        assert np.trapezoid(found.signal_efficiency, found.background_efficiency) == pytest.approx(
            found.area.value, abs=1e-4
        )
        assert np.diff(found.signal_efficiency).max() < 0.01
        # On a logarithmic axis the steps are even down to the first background event.
        kept = found.background_efficiency[found.background_efficiency > 0]
        assert kept[0] == full.background_efficiency[full.background_efficiency > 0][0]


def test_thinning_is_at_most_999_of_any_curve():
    for m in (1, 5, 999, 1000, 1001, 5000):
        index = thinned(np.linspace(0, 1, m), np.linspace(0, 1, m) ** 3)
        assert len(index) <= 999
        assert (index[0], index[-1]) == (0, m - 1)
        assert (np.diff(index) > 0).all()


def test_the_band_of_the_background_is_wider_than_its_own_binomial_error(drawn):
    full = of(*drawn(2000, seed=8, weights="unit"))
    index = np.array([int(full.index_at(0.5))])
    e, n = full.background_efficiency[index], full.effective_background
    assert background_error(full, index)[0] > np.sqrt(e * (1 - e) / n)[0]


def test_a_cut_settles_where_an_event_with_weight_is():
    made = of([1, 0, 1, 0, 0], [0.9, 0.7, 0.5, 0.3, 0.1], [1, 2, 0, 0, -1])
    assert [made.settled(index) for index in range(5)] == [0, 1, 1, 1, 4]


def test_a_score_of_nan_is_refused():
    with pytest.raises(ValueError, match="scores must be numbers, and some are nan"):
        Ranking(np.array([0.1, np.nan, 0.3]))

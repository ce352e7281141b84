from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.shapes.reliability import merging_matrix, probability_bins, reliability

WEIGHTS = {
    "unit": lambda _, n: np.ones(n),
    "heavy": lambda rng, n: rng.lognormal(0, 1, n),
    "signed": lambda rng, n: np.where(rng.random(n) < 0.2, -1.0, 1.0),
}


def drawn(seed, n=4000, kind="unit", prior=0.5, sharpness=1.0):
    """Scores of two Gaussians, whose probability for classes of equal weight is known; weights of that mixture."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < prior).astype(np.int64)
    scores = expit(2 * sharpness * rng.normal(2 * labels - 1))
    weights = WEIGHTS[kind](rng, n)
    return scores, labels, weights * (0.5 / np.bincount(labels, weights))[labels]


def judged(scores, labels, mixed, bins=15):
    return reliability(probability_bins(Ranking(scores), mixed, bins), scores, labels, 1, mixed)


def test_bins_of_equal_weights_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    scores = rng.random(3000)
    labels = (rng.random(3000) < scores).astype(np.int64)
    mixed = np.full(3000, 1 / 3000)
    found = reliability(probability_bins(Ranking(scores), mixed, 10), scores, labels, 1, mixed)
    observed, predicted = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    assert found.observed == pytest.approx(observed, abs=0.005)
    assert found.predicted == pytest.approx(predicted, abs=0.005)


def test_bins_and_their_error_are_those_of_a_loop():
    scores, labels, mixed = drawn(1, 500, "heavy")
    bin = probability_bins(Ranking(scores), mixed, 7)
    found = reliability(bin, scores, labels, 1, mixed)
    total = 0.0
    for b in range(7):
        of = bin == b
        w = mixed[of].sum()
        predicted, observed = (mixed[of] @ scores[of]) / w, (mixed[of] @ labels[of]) / w
        assert (found.predicted[b], found.observed[b], found.share[b]) == pytest.approx((predicted, observed, w))
        total += w * abs(observed - predicted)
        assert w == pytest.approx(1 / 7, abs=0.03)
    assert found.ece.value == pytest.approx(total)


def test_sums_do_not_depend_on_how_many_events_are_summed_at_once(monkeypatch):
    given = drawn(2, 500, "signed")
    at_once = judged(*given)
    monkeypatch.setattr("hepclf.statistics.shapes.reliability.BLOCK", 7)
    in_parts = judged(*given)
    assert in_parts.chi2 == pytest.approx(at_once.chi2, rel=1e-9)
    assert in_parts.ece == pytest.approx(at_once.ece, rel=1e-9)
    assert in_parts.error == pytest.approx(at_once.error, rel=1e-9)


def test_ties_share_a_bin():
    scores = np.repeat([0.1, 0.4, 0.8], [10, 80, 10])
    bin = probability_bins(Ranking(scores), np.full(100, 0.01), 10)
    assert all(len(set(bin[scores == value])) == 1 for value in (0.1, 0.4, 0.8))
    assert sorted(set(bin)) == [0, 1, 2]


@pytest.mark.parametrize(("kind", "most"), [("unit", 0.12), ("heavy", 0.14), ("signed", 0.14)])
@pytest.mark.parametrize("prior", [0.5, 0.15])
def test_true_probabilities_are_rejected_about_as_often_as_they_should_be(kind, most, prior):
    # Measured with 300 samples of 20,000 events: unit 4-7 %, heavy-tailed and signed 4-10 %; here 200 of 4,000.
    p = np.array([judged(*drawn(seed, kind=kind, prior=prior)).p for seed in range(200)])
    assert (p <= 0.05).mean() < most
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.15)


def test_the_error_of_a_calibrated_tagger_is_what_chance_gives():
    each = [judged(*drawn(seed)) for seed in range(100)]
    errors = np.array([one.ece.value for one in each])
    assert errors.mean() == pytest.approx(np.mean([one.by_chance.value for one in each]), rel=0.08)
    assert errors.std() == pytest.approx(np.mean([one.by_chance.error for one in each]), rel=0.25)


def test_the_errors_of_the_points_cover_them():
    each = [judged(*drawn(seed, prior=0.3)) for seed in range(100)]
    pulls = np.array([(one.observed - one.predicted) / one.error for one in each])
    # The larger of two estimates is a little too large.
    assert 0.85 < pulls[:, 2:-2].std() < 1.05


@pytest.mark.parametrize("sharpness", [0.6, 1.5])
def test_scores_that_are_too_sure_or_not_sure_enough_are_found(sharpness):
    found = judged(*drawn(0, sharpness=sharpness))
    assert found.p < 1e-6
    assert found.ece.value > found.by_chance.value + 5 * found.by_chance.error
    low = found.observed[2] > found.predicted[2]
    assert low == (sharpness > 1)


def test_a_class_without_chance_to_err_has_no_p_value():
    found = judged(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]), np.full(4, 0.25), bins=2)
    assert (found.chi2, found.p) == (None, None)
    assert found.ece.value == 0


def test_neighbours_are_joined_until_enough_is_expected():
    assert merging_matrix(np.array([1.0, 9.0, 20.0, 3.0, 3.0])).tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert merging_matrix(np.array([1.0, 2.0])).tolist() == [[1, 1]]

"""Differences of areas against the published ones, all pairs by hand, resampling, and chance itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest, norm
from sklearn.metrics import roc_auc_score

from hepclf.comparison.differences import auc_difference, differing_property, holm_p_values
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve

TEST = 2


# DeLong, DeLong and Clarke-Pearson (1988), as in example 8 of the LOGISTIC procedure's guide: albumin, total protein,
# K-G score and outcome of 43 patients.
PATIENTS = """
30 58 10 0 32 63 5 1 39 68 3 1 28 48 6 0 32 58 3 1 09 40 5 0 25 57 8 0 16 56 5 1 38 57 5 1 37 67 6 1 32 54 4 1
38 66 6 1 41 66 5 1 36 57 5 1 43 70 4 1 36 67 4 0 23 44 6 1 42 76 4 0 40 66 6 0 35 58 6 1 38 68 7 1 30 47 8 0
45 74 5 1 37 74 5 1 31 66 6 1 41 82 6 1 43 70 5 1 43 65 4 1 32 51 5 1 26 47 6 1 33 68 6 0 17 40 7 0 37 61 5 1
33 63 7 1 42 77 6 1 35 62 5 1 29 57 9 0 21 48 7 1 28 62 8 0 40 70 7 1 33 57 6 1 37 69 5 1 36 66 5 1
"""


def placed(labels, scores, weights):
    """The area and the structural components V10 and V01, pair by pair."""
    s, b = labels == 1, labels == 0
    kernel = (scores[s][:, None] > scores[b]) + 0.5 * (scores[s][:, None] == scores[b])
    ws, wb = weights[s], weights[b]
    return ws @ kernel @ wb / ws.sum() / wb.sum(), kernel @ wb / wb.sum(), ws @ kernel / ws.sum()


def by_pairs(labels, first_scores, second_scores, weights):
    """Difference of two areas and its error from the covariances of the components of both."""
    (a1, s1, b1), (a2, s2, b2) = placed(labels, first_scores, weights), placed(labels, second_scores, weights)
    variance = 0.0
    for v1, v2, w in ((s1, s2, weights[labels == 1]), (b1, b2, weights[labels == 0])):
        n = w.sum() ** 2 / (w**2).sum()
        deviations = np.stack([v1 - a1, v2 - a2])
        covariance = n / (n - 1) * (w**2 * deviations) @ deviations.T / w.sum() ** 2
        variance += covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return a1 - a2, np.sqrt(variance)


def test_the_differences_of_delong_1988_are_the_published_ones(tagger_of):
    albumin, protein, score, outcome = np.array(PATIENTS.split(), dtype=float).reshape(-1, 4).T
    labels = outcome.astype(int)
    taggers = [tagger_of(labels, column) for column in (albumin / 100, protein / 100, 1 - score / 10)]
    areas = [(0.7366, 0.0927), (0.6478, 0.1000), (0.7258, 0.1028)]
    assert_allclose([tagger.test for tagger in taggers], areas, rtol=0, atol=5e-5)
    published = [(0.0108, 0.0953, 0.9102), (-0.0780, 0.1046, 0.4561)]
    for tagger, (value, error, p) in zip(taggers[:2], published, strict=True):
        difference = auc_difference(tagger, taggers[2])
        assert_allclose([*difference.value, difference.p], [value, error, p], rtol=0, atol=5.1e-5)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
@pytest.mark.parametrize("ties", [None, 20])
def test_a_difference_and_its_error_are_those_of_all_pairs(two, ties, weights, tagger_of):
    labels, first_scores, second_scores, w = two(300, seed=1, ties=ties, weights=weights)
    assert (w < 0).any() == (weights == "signed")
    value, error = by_pairs(labels, first_scores, second_scores, w)
    difference = auc_difference(tagger_of(labels, first_scores, w), tagger_of(labels, second_scores, w))
    assert difference.value == pytest.approx((value, error), rel=1e-9)
    assert difference.p == pytest.approx(2 * norm.sf(abs(value) / error), rel=1e-9)


def test_the_areas_are_those_of_scikit_learn(two, tagger_of):
    labels, first_scores, second_scores, w = two(2000, seed=2, ties=50, weights="heavy")
    expected = roc_auc_score(labels, first_scores, sample_weight=w) - roc_auc_score(
        labels, second_scores, sample_weight=w
    )
    assert auc_difference(
        tagger_of(labels, first_scores, w), tagger_of(labels, second_scores, w)
    ).value.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("weights", "bound"), [("unit", 0.12), ("heavy", 0.12), ("signed", 0.15)])
def test_the_error_of_a_difference_is_that_of_a_bootstrap(two, weights, bound, tagger_of):
    # 400 resamplings know their spread to 3.5 %.
    labels, first_scores, second_scores, w = two(1500, seed=3, weights=weights)
    rng = np.random.default_rng(4)

    def resampled():
        indices = rng.integers(len(labels), size=len(labels))
        areas = [
            area(curve(Ranking(s[indices]), labels[indices] == 1, w[indices])).value
            for s in (first_scores, second_scores)
        ]
        return areas[0] - areas[1]

    spread = np.std([resampled() for _ in range(400)], ddof=1)
    assert auc_difference(
        tagger_of(labels, first_scores, w), tagger_of(labels, second_scores, w)
    ).value.error / spread == pytest.approx(1, abs=bound)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_between_equal_taggers_every_p_is_as_likely(weights, tagger_of):
    # Two taggers that each add noise of one size of their own to the same score: neither is better.
    values = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        labels = np.arange(400) % 2
        z = labels + rng.normal(size=400)
        w = {
            "unit": np.ones(400),
            "heavy": rng.lognormal(0, 0.7, 400),
            "signed": rng.choice([2, -1], 400, p=[0.8, 0.2]),
        }
        first_scores, second_scores = (norm.cdf(z + rng.normal(size=400)) for _ in range(2))
        values.append(
            auc_difference(tagger_of(labels, first_scores, w[weights]), tagger_of(labels, second_scores, w[weights])).p
        )
    assert kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.033)  # three sigma of 400


def test_on_the_same_events_a_difference_is_known_better_than_two_areas(two, tagger_of):
    labels, first_scores, second_scores, _ = two(2000, seed=5)
    a, b = tagger_of(labels, first_scores), tagger_of(labels, second_scores)
    assert auc_difference(a, b).value.error < 0.8 * np.hypot(a.test.error, b.test.error)


def test_taggers_on_other_test_events_are_refused_a_difference(two, tagger_of):
    labels, first_scores, second_scores, _ = two(200, seed=5)
    with pytest.raises(
        ValueError, match="on the same test events, not on different ones: those of 'a' and 'b' differ in their weights"
    ):
        auc_difference(tagger_of(labels, first_scores), tagger_of(labels, second_scores, np.full(200, 2.0), name="b"))


def test_the_same_events_are_those_with_equal_columns_at_equal_places(two, tagger_of):
    labels, first_scores, second_scores, w = two(60, seed=6, weights="heavy")
    mass = np.where(labels == 1, np.nan, np.arange(60.0))
    split = np.where(np.arange(60) % 3 == 0, TEST, 0)
    base = {"labels": labels, "weights": w, "split": split, "spectators": {"mass": mass, "run": np.arange(60)}}

    def why(**changed):
        columns = base | changed
        return differing_property(tagger_of(scores=first_scores, **base), tagger_of(scores=second_scores, **columns))

    third, second = np.arange(60) % 3 == 0, np.arange(60) % 3 == 1
    assert why() is None
    assert why(spectators={}) is None
    assert why(spectators={"other": np.zeros(60)}) is None
    assert why(weights=np.where(second, 5.0, w)) is None, "training events may differ"
    assert why(weights=np.where(third, w + 1e-12, w)) == "weights"
    assert why(labels=np.where(third, 1 - labels, labels), processes=labels) == "labels"
    assert why(processes=np.where(third, 1 - labels, labels)) == "processes"
    assert why(process_names=("qcd", "top")) == "processes"
    assert why(split=np.roll(split, 1)) == "split"
    assert why(split=np.where(np.arange(60) < 57, split, 0)) == "split"
    assert why(spectators={"mass": np.where(mass == 0, 99.0, mass)}) == "mass"
    assert why(spectators={"mass": mass * (1 + 1e-7)}) is None, "the same, computed on another machine"
    assert why(spectators={"mass": np.arange(60).astype(str)}) == "mass"


def test_taggers_that_rank_alike_have_no_p(two, tagger_of):
    labels, first_scores, _, w = two(500, seed=7, ties=30, weights="heavy")
    difference = auc_difference(tagger_of(labels, first_scores, w), tagger_of(labels, first_scores**3, w))
    assert (difference.value, difference.p, difference.reason) == ((0.0, None), None, "they rank the events alike")


@pytest.mark.parametrize(("turned", "value"), [(False, 0), (True, -1)])
def test_taggers_without_an_exception_have_no_p(turned, value, tagger_of):
    # Weights that do not add up exactly leave areas of one but for rounding, which is no difference.
    rng = np.random.default_rng(15)
    labels, w = np.arange(999) % 2, rng.lognormal(0, 1, 999)
    first_scores, second_scores = (labels / 2 + rng.random(999) / 2.1 for _ in range(2))
    difference = auc_difference(
        tagger_of(labels, 1 - first_scores if turned else first_scores, w), tagger_of(labels, second_scores, w)
    )
    assert difference.value == (pytest.approx(value, abs=1e-12), None)
    assert (difference.p, difference.reason) == (None, "both order the classes without exception")


@pytest.mark.parametrize(
    ("labels", "weights", "reason"),
    [
        ([0, 0, 0, 0], [1, 1, 1, 1], "there is no AUC on test"),
        ([1, 1, 0, 0], [1, -1, 1, 1], "there is no AUC on test"),
        ([1, 0, 0, 0], [1, 1, 1, 1], "too few events for an error"),
    ],
)
def test_where_there_is_no_error_there_is_no_p_and_a_reason(labels, weights, reason, tagger_of):
    first_scores, second_scores = np.array([0.6, 0.7, 0.3, 0.2]), np.array([0.6, 0.2, 0.3, 0.7])
    difference = auc_difference(
        tagger_of(np.array(labels), first_scores, np.array(weights)),
        tagger_of(np.array(labels), second_scores, np.array(weights)),
    )
    assert (difference.value.error, difference.p, difference.reason) == (None, None, reason)


def test_holm_is_the_table_done_by_hand():
    assert holm_p_values([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_p_values([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm_p_values([0.02]) == [0.02]
    assert holm_p_values([]) == []

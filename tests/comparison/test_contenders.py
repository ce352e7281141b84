"""Differences of areas against the published ones, all pairs by hand, resampling, and chance itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest, norm
from sklearn.metrics import roc_auc_score

from hepclf.comparison.comparison import compare, comparisons
from hepclf.comparison.contenders import GRID, contender
from hepclf.comparison.differences import auc_difference, differing_property, holm_p_values
from hepclf.evaluation.evaluation import evaluate
from hepclf.scored import Scored
from hepclf.statistics.curves.roc import Ranking, area, curve

VALID, TEST = 1, 2

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


@pytest.fixture
def two(drawn):
    """A function drawing labels, the scores of two correlated taggers and weights of n events."""

    def draw(n, seed=0, ties=None, weights="unit", better=0.3):
        labels, first, sizes = drawn(n, seed=seed, ties=ties, weights=weights)
        rng = np.random.default_rng(seed + 10_000)
        logits = np.log(np.clip(first, 1e-9, 1) / np.clip(1 - first, 1e-9, 1))
        second = 1 / (1 + np.exp(-(logits + better * labels + rng.normal(size=n))))
        return labels, first, np.round(second * ties) / ties if ties else second, sizes

    return draw


def tagger_of(labels, scores, weights=None, name="a", targets=(), **columns):
    return contender(name, Scored(labels=labels, scores=scores, weights=weights, **columns), 1, targets)


def test_the_differences_of_delong_1988_are_the_published_ones():
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
def test_a_difference_and_its_error_are_those_of_all_pairs(two, ties, weights):
    labels, first_scores, second_scores, w = two(300, seed=1, ties=ties, weights=weights)
    assert (w < 0).any() == (weights == "signed")
    value, error = by_pairs(labels, first_scores, second_scores, w)
    difference = auc_difference(tagger_of(labels, first_scores, w), tagger_of(labels, second_scores, w))
    assert difference.value == pytest.approx((value, error), rel=1e-9)
    assert difference.p == pytest.approx(2 * norm.sf(abs(value) / error), rel=1e-9)


def test_the_areas_are_those_of_scikit_learn(two):
    labels, first_scores, second_scores, w = two(2000, seed=2, ties=50, weights="heavy")
    expected = roc_auc_score(labels, first_scores, sample_weight=w) - roc_auc_score(
        labels, second_scores, sample_weight=w
    )
    assert auc_difference(
        tagger_of(labels, first_scores, w), tagger_of(labels, second_scores, w)
    ).value.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("weights", "bound"), [("unit", 0.12), ("heavy", 0.12), ("signed", 0.15)])
def test_the_error_of_a_difference_is_that_of_a_bootstrap(two, weights, bound):
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
def test_between_equal_taggers_every_p_is_as_likely(weights):
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


def test_on_the_same_events_a_difference_is_known_better_than_two_areas(two):
    labels, first_scores, second_scores, _ = two(2000, seed=5)
    a, b = tagger_of(labels, first_scores), tagger_of(labels, second_scores)
    assert auc_difference(a, b).value.error < 0.8 * np.hypot(a.test.error, b.test.error)


def test_taggers_on_other_test_events_are_refused_a_difference(two):
    labels, first_scores, second_scores, _ = two(200, seed=5)
    with pytest.raises(
        ValueError, match="on the same test events, however those of 'a' and 'b' differ in their weights"
    ):
        auc_difference(tagger_of(labels, first_scores), tagger_of(labels, second_scores, np.full(200, 2.0), name="b"))


def test_taggers_are_ranked_only_with_those_that_are_judged_on_the_same_events(two):
    labels, first_scores, second_scores, _ = two(2000, seed=11)
    third = np.random.default_rng(0).permutation(first_scores)
    elsewhere = np.full(2000, 2.0)
    taggers = [
        tagger_of(labels, scores, name=name)
        for name, scores in zip("abc", (first_scores, second_scores, third), strict=True)
    ]
    taggers[0:0] = [
        tagger_of(labels, scores, elsewhere, name=name)
        for name, scores in zip("xy", (second_scores, first_scores), strict=True)
    ]
    first, second = comparisons(taggers)
    assert [[run.name for run in part.contenders] for part in (first, second)] == [["a", "b", "c"], ["x", "y"]]
    assert (first.differs_in, second.differs_in) == (None, "weights")
    assert [(change.name, change.reference) for change in second.differences] == [("y", "x")]
    changes = [*first.differences, *second.differences]
    assert [change.holm for change in changes] == holm_p_values([change.p for change in changes]), (
        "all tests are counted"
    )
    assert changes[1].holm == pytest.approx(3 * changes[1].p)


def test_a_copy_has_no_difference_and_counts_in_no_correction(two):
    labels, first_scores, second_scores, _ = two(2000, seed=11)
    runs = [
        tagger_of(labels, second_scores, name="a"),
        tagger_of(labels, first_scores, name="b"),
        tagger_of(labels, first_scores, name="c"),
    ]
    runs.append(replace(tagger_of(labels, second_scores, name="again"), copy_of="a"))
    comparison = compare(runs)
    assert [run.name for run in comparison.contenders] == ["a", "again", "b", "c"]
    assert [run.name for run in comparison.trainings] == ["a", "b", "c"]
    copy = comparison.differences[0]
    assert (copy.value, copy.p, copy.holm) == ((None, None), None, None)
    assert copy.reason == "it is the same training as a"
    assert comparison.differences[1].holm == pytest.approx(2 * comparison.differences[1].p)


def test_a_copy_that_is_better_by_rounding_is_not_the_reference(two):
    labels, first_scores, second_scores, _ = two(2000, seed=12)
    split = np.where(np.arange(2000) % 2, TEST, VALID)
    runs = [
        tagger_of(labels, scores, name=name, split=split)
        for name, scores in (("x", first_scores), ("y", second_scores))
    ]
    best, worse = sorted(runs, key=lambda run: run.valid, reverse=True)
    better = best.valid._replace(value=best.valid.value + 1e-9)
    comparison = compare([worse, best, replace(best, name="copy", valid=better, copy_of=best.name)])
    assert [run.name for run in comparison.contenders] == [best.name, "copy", worse.name]


def test_a_working_point_without_background_has_the_limit_of_the_verdict(two):
    labels, first_scores, _, w = two(60, seed=7, weights="heavy")
    scores = np.where(labels == 1, 0.5 + first_scores / 2, first_scores / 2)
    points = tagger_of(labels, scores, w, name="a", targets=(0.5,)).working_points
    background = w[labels == 0]
    # No background event is seen with probability exp(-n); here all are of one process.
    expected = background.sum() / (-np.log(0.05) * (background**2).sum() / background.sum())
    assert points[0].rejection.value is None
    assert points[0].rejection_limit.at_95 == pytest.approx(expected)


def test_the_same_events_are_those_with_equal_columns_at_equal_places(two):
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


def test_taggers_that_rank_alike_have_no_p(two):
    labels, first_scores, _, w = two(500, seed=7, ties=30, weights="heavy")
    difference = auc_difference(tagger_of(labels, first_scores, w), tagger_of(labels, first_scores**3, w))
    assert (difference.value, difference.p, difference.reason) == ((0.0, None), None, "they rank the events alike")


@pytest.mark.parametrize(("turned", "value"), [(False, 0), (True, -1)])
def test_taggers_without_an_exception_have_no_p(turned, value):
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
def test_where_there_is_no_error_there_is_no_p_and_a_reason(labels, weights, reason):
    first_scores, second_scores = np.array([0.6, 0.7, 0.3, 0.2]), np.array([0.6, 0.2, 0.3, 0.7])
    difference = auc_difference(
        tagger_of(np.array(labels), first_scores, np.array(weights)),
        tagger_of(np.array(labels), second_scores, np.array(weights)),
    )
    assert (difference.value.error, difference.p, difference.reason) == (None, None, reason)


def test_several_classes_are_compared_by_the_mean_of_their_areas():
    rng = np.random.default_rng(8)
    n = 3000
    labels = np.arange(n) % 3
    z = rng.normal(size=(n, 3)) + np.eye(3)[labels]
    split = np.where(np.arange(n) % 2 == 0, TEST, VALID)

    def scored(extra):
        p = np.exp(z + extra * rng.normal(size=(n, 3)))
        return Scored(labels=labels, scores=p / p.sum(axis=1, keepdims=True), classes=("a", "b", "c"), split=split)

    clean, noisy = scored(0.0), scored(1.0)
    comparison = compare([contender("noisy", noisy, 2), contender("clean", clean, 2)])
    evaluations = [evaluate(clean), evaluate(noisy)]
    assert [tagger.name for tagger in comparison.contenders] == ["clean", "noisy"]
    for tagger, results in zip(comparison.contenders, evaluations, strict=True):
        assert tagger.test == pytest.approx(results.test.auc, rel=1e-12)
        assert tagger.valid == pytest.approx(results.valid.auc, rel=1e-12)
        assert_allclose(tagger.roc.background_efficiency, results.test.roc.background_efficiency)
    (difference,) = comparison.differences
    test = split == TEST

    def plain(is_label, scores):
        return area(curve(Ranking(scores), is_label, np.ones(len(scores)))).value

    def resampled():
        indices = rng.choice(np.flatnonzero(test), test.sum())
        areas = [
            np.mean([plain(labels[indices] == k, sample.scores[indices, k]) for k in range(3)])
            for sample in (noisy, clean)
        ]
        return areas[0] - areas[1]

    assert difference.value.error / np.std([resampled() for _ in range(200)], ddof=1) == pytest.approx(1, abs=0.17)


def test_the_reference_is_the_best_on_validation_whatever_test_says(two):
    labels, first_scores, second_scores, _ = two(3000, seed=9, better=1.5)
    split = np.where(np.arange(3000) % 2, TEST, VALID)
    turned = np.where(split == TEST, first_scores, second_scores)
    comparison = compare(
        [
            tagger_of(labels, second_scores, name="best on test", split=split),
            tagger_of(labels, turned, name="x", split=split),
        ]
    )
    assert comparison.by_validation
    worse = np.where(split == TEST, second_scores, first_scores)
    comparison = compare(
        [tagger_of(labels, worse, name="best on test", split=split), tagger_of(labels, turned, name="x", split=split)]
    )
    assert [run.name for run in comparison.contenders] == ["x", "best on test"]
    assert comparison.differences[0].value.value > 0


def test_without_validation_the_reference_is_the_first_given(two):
    labels, first_scores, second_scores, _ = two(500, seed=10, better=1.5)
    comparison = compare(
        [tagger_of(labels, first_scores, name="first"), tagger_of(labels, second_scores, name="second")]
    )
    assert not comparison.by_validation
    assert [run.name for run in comparison.contenders] == ["first", "second"]


def test_holm_is_the_table_done_by_hand():
    assert holm_p_values([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_p_values([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm_p_values([0.02]) == [0.02]
    assert holm_p_values([]) == []


def test_a_comparison_corrects_for_the_number_of_its_differences(two):
    labels, first_scores, second_scores, _ = two(2000, seed=11)
    third = np.random.default_rng(0).permutation(first_scores)
    comparison = compare(
        [tagger_of(labels, scores, name=str(i)) for i, scores in enumerate((second_scores, first_scores, third))]
    )
    assert [difference.holm for difference in comparison.differences] == holm_p_values(
        [difference.p for difference in comparison.differences]
    )
    assert comparison.differences[1].holm == pytest.approx(2 * comparison.differences[1].p)


def test_the_ratio_is_of_rejections_at_the_same_signal_efficiency(two):
    labels, first_scores, second_scores, _ = two(4000, seed=12, better=1.0)
    comparison = compare([tagger_of(labels, first_scores, name="a"), tagger_of(labels, second_scores, name="b")])
    assert_allclose(comparison.ratios[0].value[~np.isnan(comparison.ratios[0].value)], 1)
    index = int(np.searchsorted(GRID, 0.5))
    rejections = [
        1
        / np.mean(
            s[labels == 0] >= np.sort(s[labels == 1])[::-1][int(np.ceil(GRID[index] * (labels == 1).sum() - 1e-9)) - 1]
        )
        for s in (first_scores, second_scores)
    ]
    assert comparison.ratios[1].value[index] == pytest.approx(rejections[1] / rejections[0])
    relative = (
        comparison.contenders[1].background_efficiency_error[index]
        / comparison.contenders[1].background_efficiency[index]
    )
    assert comparison.ratios[1].error[index] == pytest.approx(comparison.ratios[1].value[index] * relative)


def test_a_ratio_is_unknown_where_one_rejection_is_not_known_to_a_half(two):
    labels, first_scores, second_scores, _ = two(300, seed=13)
    comparison = compare([tagger_of(labels, first_scores, name="a"), tagger_of(labels, second_scores, name="b")])
    first, second = comparison.contenders
    poor = [run.background_efficiency_error >= run.background_efficiency / 2 for run in (first, second)]
    assert poor[0].any()
    assert (~poor[0] & poor[1]).any()
    assert not poor[0].all()
    np.testing.assert_array_equal(np.isnan(comparison.ratios[1].value), poor[0] | poor[1])

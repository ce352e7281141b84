"""Who is compared with whom, in which order, and with which correction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hepclf.comparison.comparison import compare, comparisons
from hepclf.comparison.contenders import GRID, contender
from hepclf.comparison.differences import holm_p_values
from hepclf.evaluation.evaluation import evaluate
from hepclf.scored import Scored
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve

VALID, TEST = 1, 2


def test_taggers_are_ranked_only_with_those_that_are_judged_on_the_same_events(two, tagger_of):
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


def test_a_copy_has_no_difference_and_counts_in_no_correction(two, tagger_of):
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


def test_a_copy_that_is_better_by_rounding_is_not_the_reference(two, tagger_of):
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


def test_the_reference_is_the_best_on_validation_whatever_test_says(two, tagger_of):
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


def test_without_validation_the_reference_is_the_first_given(two, tagger_of):
    labels, first_scores, second_scores, _ = two(500, seed=10, better=1.5)
    comparison = compare(
        [tagger_of(labels, first_scores, name="first"), tagger_of(labels, second_scores, name="second")]
    )
    assert not comparison.by_validation
    assert [run.name for run in comparison.contenders] == ["first", "second"]


def test_a_comparison_corrects_for_the_number_of_its_differences(two, tagger_of):
    labels, first_scores, second_scores, _ = two(2000, seed=11)
    third = np.random.default_rng(0).permutation(first_scores)
    comparison = compare(
        [tagger_of(labels, scores, name=str(i)) for i, scores in enumerate((second_scores, first_scores, third))]
    )
    assert [difference.holm for difference in comparison.differences] == holm_p_values(
        [difference.p for difference in comparison.differences]
    )
    assert comparison.differences[1].holm == pytest.approx(2 * comparison.differences[1].p)


def test_the_ratio_is_of_rejections_at_the_same_signal_efficiency(two, tagger_of):
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


def test_a_ratio_is_unknown_where_one_rejection_is_not_known_to_a_half(two, tagger_of):
    labels, first_scores, second_scores, _ = two(300, seed=13)
    comparison = compare([tagger_of(labels, first_scores, name="a"), tagger_of(labels, second_scores, name="b")])
    first, second = comparison.contenders
    poor = [run.background_efficiency_error >= run.background_efficiency / 2 for run in (first, second)]
    assert poor[0].any()
    assert (~poor[0] & poor[1]).any()
    assert not poor[0].all()
    np.testing.assert_array_equal(np.isnan(comparison.ratios[1].value), poor[0] | poor[1])

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.counting import Counting
from hepclf.recipe import RecipeError, build
from hepclf.scored import Scored
from hepclf.statistics.counting.significance import asimov

VALID, TEST = 1, 2


def simple(*groups, **columns):
    """Events in groups of (split, label, score, count)."""
    split, labels, scores = (np.concatenate([np.full(g[3], g[i]) for g in groups]) for i in range(3))
    names = ("background", "signal")
    plain = {
        "labels": labels,
        "scores": scores,
        "split": split,
        "weights": np.ones(len(labels)),
        "classes": names,
        "processes": labels.astype(int),
        "process_names": names,
    }
    return Scored(**(plain | columns))


def three(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[labels]
    return Scored(
        labels=labels,
        weights=rng.lognormal(0, 0.5, n),
        scores=np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
        split=rng.integers(0, 3, n),
        classes=("qcd", "top", "higgs"),
        processes=labels,
        process_names=("qcd", "top", "higgs"),
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.5}, r"evaluation.threshold must lie in 0\.\.1 or be 'best', not 1\.5"),
        ({"threshold": math.nan}, r"evaluation.threshold must lie in 0\.\.1"),
        ({"threshold": "most"}, r"threshold must be a number or best, not 'most'"),
        ({"working_points": (0.5, 0.0)}, r"efficiencies above 0 and up to 1, not 0\.0"),
        ({"working_points": (1.1,)}, r"not 1\.1"),
        ({"optimise": "asimow"}, r"optimise must be one of asimov, s_over_sqrt_b, .*, punzi, li_ma, not 'asimow'"),
        ({"systematic": -0.1}, r"evaluation.systematic must be zero or more, not -0\.1"),
        ({"minimum_background": math.inf}, r"evaluation.minimum_background must be zero or more, not inf"),
        ({"yields": {"qcd": -1}}, r"evaluation.yields.qcd must be zero or more events, not -1"),
        (
            {"cross_sections_fb": {"qcd": math.nan}, "luminosity_fb": 3},
            r"evaluation.cross_sections_fb.qcd must be zero or more fb, not nan",
        ),
        ({"cross_sections_fb": {"qcd": 1}}, r"cross_sections_fb must come with evaluation.luminosity_fb"),
        (
            {"optimise": "li_ma"},
            r"evaluation.optimise=li_ma needs an off region; give evaluation.off_exposure",
        ),
        ({"counting": {"luminosities_fb": (300,)}}, r"needs the luminosity that the yields stand for"),
        (
            {"cross_sections_fb": {"a": 1}, "luminosity_fb": 3, "counting": {"luminosity_fb": 4}},
            r"evaluation.counting.luminosity_fb=4 contradicts evaluation.luminosity_fb=3; leave it out",
        ),
        (
            {"counting": {"luminosities_fb": (-1,), "luminosity_fb": 3}},
            r"luminosities_fb\[0\] must be above zero, .* -1",
        ),
        ({"punzi_sigmas": -1}, r"evaluation.punzi_sigmas must be zero or more, not -1"),
        ({"ams_background": math.inf}, r"evaluation.ams_background must be zero or more, not inf"),
        ({"off_exposure": 0}, r"evaluation.off_exposure must be above zero, not 0"),
        ({"cross_sections_fb": {"a": 1}, "luminosity_fb": 0}, r"evaluation.luminosity_fb must be positive"),
        (
            {"yields": {"a": 1}, "cross_sections_fb": {"a": 1}, "luminosity_fb": 1},
            r"'a' is in evaluation.yields and in evaluation.cross_sections_fb; give one",
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Evaluation(**settings)


@pytest.mark.parametrize("settings", [{"punzi_sigmas": 100}, {"ams_background": 100}, {"off_exposure": 0.5}])
def test_the_cut_is_chosen_alike_without_the_study_of_yields(settings):
    optimise = {"punzi_sigmas": "punzi", "ams_background": "ams", "off_exposure": "li_ma"}[next(iter(settings))]
    events = three()
    cuts = [
        evaluate(events, Evaluation(optimise=optimise, counting=counting, **settings)).significance.cut
        for counting in (Counting(), None)
    ]
    assert cuts[0] == cuts[1]
    assert cuts[0] is not None


def test_the_constants_of_a_measure_decide_its_cut():
    cuts = [
        evaluate(three(), Evaluation(optimise="punzi", punzi_sigmas=sigmas, counting=None)).significance.cut
        for sigmas in (0, 100)
    ]
    assert cuts[0] > cuts[1]  # the less a search asks for, the tighter the cut


def test_constants_in_their_former_group_are_read():
    former = {"optimise": "punzi", "counting": {"punzi_sigmas": 3.0, "ams_background": 7.0, "off_exposure": None}}
    assert build(Evaluation, former, "x") == Evaluation(optimise="punzi", punzi_sigmas=3, ams_background=7)
    # The default, which a file of settings may inherit, does not contradict them; another value does.
    assert build(Evaluation, former | {"punzi_sigmas": 5.0}, "x").punzi_sigmas == 3
    with pytest.raises(RecipeError, match=r"x\.counting\.punzi_sigmas is called punzi_sigmas now, and both are set"):
        build(Evaluation, former | {"punzi_sigmas": 4.0}, "x")


def test_expected_yields_are_given_or_cross_sections_by_luminosity():
    of = Evaluation(yields={"qcd": 5}, cross_sections_fb={"higgs": 2.5}, luminosity_fb=140)
    assert of.expected == {"qcd": 5, "higgs": 350}


def test_the_cut_is_of_validation_where_test_would_choose_another():
    """On validation 0.8 is best (40 over 25, 0.4 would be 60 over 125); on test it is 0.4 (60 over 20)."""
    of = simple(
        (VALID, 1, 0.8, 40), (VALID, 0, 0.8, 25), (VALID, 1, 0.4, 20), (VALID, 0, 0.4, 100), (VALID, 0, 0.1, 75),
        (TEST, 1, 0.81, 30), (TEST, 0, 0.81, 15), (TEST, 1, 0.4, 30), (TEST, 0, 0.4, 5), (TEST, 0, 0.1, 180),
    )  # fmt: skip
    results = evaluate(of, Evaluation(threshold="best"))
    found = results.significance
    assert found.cut == 0.8
    # Both splits hold half of the sample: every yield is twice what it sums to there.
    assert found.s == pytest.approx((60, math.sqrt(4 * 30)))
    assert found.b == pytest.approx((30, math.sqrt(4 * 15)))
    assert found.asimov.value == pytest.approx(float(asimov(60, 30)))
    assert found.s_over_sqrt_b.value == pytest.approx(60 / math.sqrt(30))
    assert found.asimov_systematic.value == pytest.approx(float(asimov(60, 30, math.hypot(math.sqrt(60), 3))))
    assert results.scan.cuts[np.argmax(results.scan.asimov)] == 0.4
    # The decision goes by the same cut, on every split.
    assert {split.threshold for split in results.splits.values()} == {0.8}
    np.testing.assert_array_equal(results.test.confusion.counts, [[185, 15], [30, 30]])
    swapped = simple(
        (TEST, 1, 0.8, 40), (TEST, 0, 0.8, 25), (TEST, 1, 0.4, 20), (TEST, 0, 0.4, 100), (TEST, 0, 0.1, 75),
        (VALID, 1, 0.81, 30), (VALID, 0, 0.81, 15), (VALID, 1, 0.4, 30), (VALID, 0, 0.4, 5), (VALID, 0, 0.1, 180),
    )  # fmt: skip
    assert evaluate(swapped, Evaluation()).significance.cut == 0.4


def test_yields_stand_for_the_whole_sample_process_by_process():
    """By hand: qcd has 100 of its 400 events on test and top 20 of its 30; 15 and 8 of them pass."""
    counts = [  # split, label, process, score, events
        (VALID, 1, 2, 0.9, 50), (VALID, 0, 0, 0.9, 300), (VALID, 0, 1, 0.1, 10),
        (TEST, 1, 2, 0.95, 40), (TEST, 1, 2, 0.1, 10),
        (TEST, 0, 0, 0.95, 15), (TEST, 0, 0, 0.1, 85), (TEST, 0, 1, 0.95, 8), (TEST, 0, 1, 0.1, 12),
    ]  # fmt: skip
    split, labels, processes, scores = (
        np.concatenate([np.full(row[4], row[i]) for row in counts]) for i in range(4)
    )  # fmt: skip
    of = Scored(
        labels=labels.astype(int),
        weights=np.ones(len(labels)),
        scores=scores,
        split=split,
        classes=("background", "signal"),
        processes=processes.astype(int),
        process_names=("qcd", "top", "higgs"),
    )
    found = evaluate(of, Evaluation()).significance
    assert found.cut == 0.9
    assert found.s.value == pytest.approx(40 * 100 / 50)
    assert found.b == pytest.approx((15 * 4 + 8 * 1.5, math.sqrt(15 * 16 + 8 * 1.5**2)))
    given = Evaluation(yields={"higgs": 5}, cross_sections_fb={"background": 2}, luminosity_fb=86)
    found = evaluate(of, given).significance
    assert found.s.value == pytest.approx(5 * 40 / 50)
    # 172 events keep the shares 400 : 30.
    assert found.b.value == pytest.approx(172 * (400 / 430 * 15 / 100 + 30 / 430 * 8 / 20))


NO_CUT = (
    "no cut on validation keeps an effective background count of 18.6 (evaluation.minimum_background=10, and two sigma "
    "over it for another split)"
)
PLENTY = ((VALID, 1, 0.9, 50), (VALID, 0, 0.9, 50), (VALID, 0, 0.2, 50))


@pytest.mark.parametrize(
    ("groups", "settings", "reason"),
    [
        (
            (*PLENTY, (TEST, 1, 0.9, 9), (TEST, 0, 0.5, 40)),
            {},
            "the cut at 0.9, chosen on validation, leaves no background on test",
        ),
        (
            (*PLENTY, (TEST, 1, 0.9, 9), (TEST, 0, 0.95, 7), (TEST, 0, 0.5, 40)),
            {},
            "an effective background count of 7 on test, under the minimum of 10",
        ),
        (
            ((VALID, 1, 0.9, 9), (VALID, 0, 0.9, 9), (TEST, 1, 0.9, 9), (TEST, 0, 0.9, 90)),
            {},
            NO_CUT,
        ),
        (
            ((VALID, 1, 0.9, 9), (VALID, 0, 0.9, 90), (TEST, 1, 0.9, 9), (TEST, 0, 0.9, 90)),
            {"yields": {"signal": 0}},
            f"{NO_CUT} and a positive signal",
        ),
        (PLENTY, {}, "there are no test events to quote a significance on"),
        (((TEST, 1, 0.9, 9), (TEST, 0, 0.5, 40)), {}, "there are no validation events to choose a cut on"),
        (
            (*PLENTY, (TEST, 0, 0.5, 40)),
            {},
            "process 'signal' has weights that sum to 50 over all events, but to 0 in the test split, which cannot "
            "stand for them; give it more of its events",
        ),
    ],
)
def test_no_significance_says_why(groups, settings, reason):
    found = evaluate(simple(*groups), Evaluation(**settings)).significance
    assert found.reason.endswith(reason)
    assert found.cut is None
    assert found.asimov == found.b == (None, None)


def test_the_threshold_has_its_own_yields_and_significance_without_validation():
    """By hand: 30 of 40 signal and 20 of 400 background events pass 0.8, and stand for yields of 60 and 1000."""
    of = simple((TEST, 1, 0.9, 30), (TEST, 1, 0.3, 10), (TEST, 0, 0.9, 20), (TEST, 0, 0.7, 30), (TEST, 0, 0.1, 350))
    results = evaluate(of, Evaluation(threshold=0.8, yields={"signal": 60, "background": 1000}))
    assert results.significance.reason == "there are no validation events to choose a cut on"
    found = results.at_threshold
    assert found.cut == 0.8
    assert found.s == pytest.approx((45, 1.5 * math.sqrt(30)))
    assert found.b == pytest.approx((50, 2.5 * math.sqrt(20)))
    assert found.s_over_sqrt_b.value == pytest.approx(45 / math.sqrt(50))
    assert found.asimov.value == pytest.approx(math.sqrt(2 * (95 * math.log(95 / 50) - 45)))
    assert found.asimov_systematic.value == pytest.approx(float(asimov(45, 50, math.hypot(2.5 * math.sqrt(20), 5))))
    assert results.to_dict()["test"]["significance_at_threshold"]["asimov"] == found.asimov.to_dict()


def test_a_threshold_that_leaves_too_little_background_has_yields_and_a_reason():
    of = simple((TEST, 1, 0.9, 30), (TEST, 0, 0.9, 4), (TEST, 0, 0.1, 96))
    found = evaluate(of, Evaluation()).at_threshold
    assert (found.s.value, found.b.value) == (30, 4)
    assert found.asimov == (None, None)
    assert found.reason == (
        "the threshold of 0.5 leaves an effective background count of 4 on test, under the minimum of 10"
    )


def test_a_threshold_above_all_scores_keeps_nothing():
    of = simple((TEST, 1, 0.9, 30), (TEST, 0, 0.9, 4), (TEST, 0, 0.1, 96))
    found = evaluate(of, Evaluation(threshold=1.0)).at_threshold
    assert (found.s, found.b) == ((0, None), (0, None))
    assert found.b_limit == pytest.approx((-math.log(0.1), -math.log(0.05)))
    assert found.reason == "the threshold of 1 leaves no background on test"


def test_the_best_threshold_is_quoted_once():
    of = simple(*PLENTY, (TEST, 1, 0.9, 50), (TEST, 0, 0.9, 50), (TEST, 0, 0.2, 50))
    results = evaluate(of, Evaluation(threshold="best"))
    assert results.at_threshold is results.significance


def test_several_classes_have_no_threshold_to_count_above():
    found = evaluate(three(), Evaluation()).at_threshold
    assert (found.cut, found.reason) == (
        None,
        "3 classes are decided by the largest probability, not by a threshold",
    )


def test_the_best_threshold_needs_a_cut():
    with pytest.raises(ValueError, match=r"evaluation.threshold=best needs a best cut, .* no validation events"):
        evaluate(simple((TEST, 1, 0.9, 9), (TEST, 0, 0.5, 40)), Evaluation(threshold="best"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"signal": "sginal"}, "evaluation.signal 'sginal' is no class of the data; nearest: 'signal'"),
        ({"yields": {"backgroud": 3}}, "'backgroud', which is no process or class of the data; nearest: 'background'"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(settings, message):
    with pytest.raises(ValueError, match=message):
        evaluate(simple(*PLENTY), Evaluation(**settings))


def test_a_yield_given_twice_is_an_error_and_no_reason():
    of = simple(*PLENTY, (TEST, 1, 0.9, 50), (TEST, 0, 0.5, 40), process_names=("qcd", "signal"))
    with pytest.raises(ValueError, match="the yield of process 'qcd' is given twice"):
        evaluate(of, Evaluation(yields={"qcd": 1, "background": 2}))


def test_no_events_at_all_are_refused():
    with pytest.raises(ValueError, match="there are no scored events to evaluate"):
        evaluate(three(0), Evaluation())


def test_the_other_class_may_be_the_signal():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 900)
    of = simple((TEST, 0, 0.5, 900), labels=labels, processes=labels, scores=rng.beta(1 + labels, 2 - labels))
    plain, turned = evaluate(of, Evaluation()).test, evaluate(of, Evaluation(signal="background")).test
    assert turned.auc == pytest.approx(plain.auc)
    assert turned.log_loss == plain.log_loss
    assert turned.precision.value == pytest.approx(plain.confusion.weights[0, 0] / plain.confusion.weights[:, 0].sum())
    assert turned.operating.signal_efficiency == pytest.approx(1 - plain.operating.background_efficiency)
    np.testing.assert_allclose(turned.confusion.weights, plain.confusion.weights)


def test_several_classes_are_judged_one_against_the_rest():
    of = three()
    found, part = evaluate(of, Evaluation()).test, of.of("test")
    # Each class counts as in the whole sample, of which the random split holds unequal shares.
    whole, here = (np.bincount(events.labels, events.weights) for events in (of, part))
    weights = part.weights * (whole / here)[part.labels]
    areas = []
    for label, name in enumerate(of.classes):
        area = roc_auc_score(part.labels == label, part.scores[:, label], sample_weight=weights)
        assert found.one_vs_rest[name].auc.value == pytest.approx(area, rel=0, abs=1e-12)
        assert [point.target for point in found.one_vs_rest[name].working_points] == [0.3, 0.5, 0.7, 0.9]
        areas.append(area)
    assert found.auc.value == pytest.approx(np.mean(areas), abs=1e-12)
    assert found.threshold is None
    assert found.operating is None
    right = part.scores.argmax(axis=1) == part.labels
    assert found.accuracy.value == pytest.approx(np.average(right, weights=weights))
    assert found.roc.area == found.one_vs_rest["higgs"].auc
    assert found.working_points == found.one_vs_rest["higgs"].working_points
    top = evaluate(of, Evaluation(signal="top")).test
    assert top.roc.area == found.one_vs_rest["top"].auc
    for threshold in (0.4, "best"):
        with pytest.raises(ValueError, match=r"evaluation.threshold is for two classes, not 3"):
            evaluate(of, Evaluation(threshold=threshold))


def test_the_error_of_the_mean_area_is_its_spread_over_repeated_samples(without_studies):
    """Of 300 samples; errors that took the three areas for independent would be off by more."""
    found = [evaluate(three(900, seed), Evaluation(**without_studies)).train for seed in range(300)]
    spread = np.std([split.auc.value for split in found], ddof=1)
    assert np.mean([split.auc.error for split in found]) == pytest.approx(spread, rel=0.15)
    independent = np.mean([math.hypot(*(one.auc.error for one in split.one_vs_rest.values())) / 3 for split in found])
    assert abs(independent / spread - 1) > 0.15


def test_the_operating_point_lies_on_the_curve():
    of = simple((TEST, 1, 0.9, 3), (TEST, 1, 0.4, 1), (TEST, 0, 0.6, 2), (TEST, 0, 0.2, 6))
    found = evaluate(of, Evaluation()).test
    assert found.operating == (0.75, 0.25)
    assert (0.75, 0.25) in set(zip(found.roc.signal_efficiency, found.roc.background_efficiency, strict=True))
    assert evaluate(simple((TEST, 1, 0.9, 3)), Evaluation()).test.operating is None


def test_working_points_and_threshold_are_as_asked():
    of = simple((TEST, 1, 0.9, 3), (TEST, 1, 0.4, 1), (TEST, 0, 0.6, 2), (TEST, 0, 0.2, 6))
    found = evaluate(of, Evaluation(threshold=0.3, working_points=[0.75, 1])).test
    assert [point.target for point in found.working_points] == [0.75, 1]
    assert [point.threshold for point in found.working_points] == [0.9, 0.4]
    np.testing.assert_array_equal(found.confusion.counts, [[6, 2], [0, 4]])

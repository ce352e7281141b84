"""One cut has one background efficiency and one purity, by hand, wherever they are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.comparison.contenders import contender
from hepclf.comparison.differences import differing_property
from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.flatness import Flatness
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.evaluation.studies.triggers import Triggers
from hepclf.evaluation.studies.variations import Variations
from hepclf.evaluation.studies.varied import Variation
from hepclf.presentation.page.movable import movable
from hepclf.scored import Scored
from hepclf.statistics.counting.mixture import mixed

VALID, TEST = 1, 2
QCD, TOP, HIGGS = 0, 1, 2
# On test: process, events, events at a score of 0.9; the others have 0.1.
COUNTS = ((QCD, 400, 120), (TOP, 400, 180), (HIGGS, 400, 334))
WHOLE = {"qcd": 2020, "top": 980, "higgs": 1732}
# 120/400 of qcd and 180/400 of top pass: (120 + 180)/800 of the events, and 0.3 * 2020 + 0.45 * 980 = 1047 of 3000.
OF_EVENTS, OF_MIXTURE = 300 / 800, 1047 / 3000
SIGNAL = 334 / 400 * 1732
PURE_EVENTS, PURE_MIXTURE = 334 / (334 + 300), SIGNAL / (SIGNAL + 1047)
SETTINGS = {
    "working_points": (0.8,),
    "flatness": Flatness(spectators=("place",), bins=2, signal_efficiencies=(0.8,)),
    "sculpting": Sculpting(spectators=("place",), bins=2),
    "variations": Variations(named={"same": Variation(factor="one")}, signal_efficiencies=(0.8,)),
}


def three(splits):
    """Events of the three processes: `splits` says how many of each the splits hold."""
    columns = []
    for split, sizes in splits.items():
        for (process, events, passing), size in zip(COUNTS, sizes, strict=True):
            high = round(size * passing / events)
            columns += [(split, process, 0.9, high), (split, process, 0.1, size - high)]
    split, process, scores = (np.concatenate([np.full(row[3], row[i]) for row in columns]) for i in range(3))
    return Scored(
        labels=(process == HIGGS).astype(np.int64),
        scores=scores,
        split=split.astype(np.int8),
        processes=process.astype(np.int64),
        process_names=("qcd", "top", "higgs"),
        spectators={"place": np.arange(len(scores)) % 7 + 0.5, "one": np.ones(len(scores))},
    )


EVEN = {VALID: (400, 400, 400), TEST: (400, 400, 400)}
UNEVEN = {VALID: (1620, 580, 1332), TEST: (400, 400, 400)}  # of 2020, 980 and 1732
CASES = {
    "yields": (EVEN, {"yields": WHOLE}, OF_MIXTURE, PURE_MIXTURE),
    "cross sections": (
        EVEN,
        {"cross_sections_fb": {"qcd": 202.0, "top": 98.0}, "luminosity_fb": 10.0, "yields": {"higgs": 1732.0}},
        OF_MIXTURE,
        PURE_MIXTURE,
    ),
    "splits": (UNEVEN, {}, OF_MIXTURE, PURE_MIXTURE),
    "events": (EVEN, {}, OF_EVENTS, PURE_EVENTS),
}


@pytest.fixture(params=CASES)
def judged(request):
    """A results with the background efficiency and the purity that it must have at a cut of 0.5."""
    splits, settings, kept, pure = CASES[request.param]
    return evaluate(three(splits), Evaluation(**SETTINGS | settings)), kept, pure


def test_the_two_readings_are_those_of_the_counts():
    assert (OF_EVENTS, round(OF_MIXTURE, 3)) == (0.375, 0.349)
    assert (round(PURE_EVENTS, 3), round(PURE_MIXTURE, 3)) == (0.527, 0.58)


def test_one_cut_has_one_background_efficiency_everywhere(judged):
    results, kept, _ = judged
    row, studies = results.cuts.start, results.studies
    shape = next(iter(studies["flatness"].shapes["place"].shapes.values()))
    rejection = next(one for one in studies["bands"].quantities if one.name == "rejection")
    told = {
        "confusion": results.test.confusion.fractions[0, 1],
        "operating": results.test.operating.background_efficiency,
        "ROC": results.test.roc.background_efficiency[1],
        "working point": results.test.working_points[0].background_efficiency.value,
        "validation": results.valid.working_points[0].background_efficiency.value,
        "slider": results.cuts.efficiencies[0][0, row],
        "retrieval": studies["retrieval"].chosen.value("background").value,
        "points": studies["points"].points[0].background_efficiency.value,
        "flatness": shape[0].mean.value,
        "bands": 1 / rejection.value.value,
        "sculpting": 1 / studies["sculpting"].spectators["place"].points[0].working_point.rejection.value,
        "variations": next(iter(studies["variations"].nominal.by_cut.values()))["background_efficiency"].value,
        "yields": results.at_threshold.b.value / results.studies["counting"].scan.before[0, :2].sum(),
    }
    assert told == pytest.approx(dict.fromkeys(told, kept), rel=1e-12)
    assert rejection.low < 1 / kept < rejection.high
    assert movable(results.cuts).shares["background efficiency"][row].startswith(f"{kept:.3f}")


def test_one_cut_has_one_purity_everywhere(judged):
    results, _, pure = judged
    told = {
        "precision": results.test.precision.value,
        "slider": results.cuts.purity[0][results.cuts.start],
        "retrieval": results.studies["retrieval"].chosen.value("purity").value,
        "yields": results.at_threshold.s.value / (results.at_threshold.s.value + results.at_threshold.b.value),
    }
    assert told == pytest.approx(dict.fromkeys(told, pure), rel=1e-12)


def test_a_variation_that_changes_nothing_moves_nothing(judged):
    results, *_ = judged
    same = results.studies["variations"].variations["same"]
    assert same.auc.value == pytest.approx(results.test.auc.value)
    assert {name: move.value for name, move in next(iter(same.by_cut.values())).items()} == pytest.approx(
        {"signal_efficiency": 0, "background_efficiency": 0, "s": 0, "b": 0}, abs=1e-12
    )


def test_false_alarms_count_the_background_as_it_was_seen():
    rates = [
        evaluate(three(EVEN), Evaluation(triggers=Triggers(live_time_s=1e4), yields=yields)).studies["triggers"]
        for yields in ({}, WHOLE)
    ]
    assert [one.background for one in rates] == [800, 800]
    assert rates[0].quiet == rates[1].quiet


@pytest.mark.parametrize("name", CASES)
def test_a_comparison_refers_to_the_mixture_of_the_evaluation(name):
    splits, settings, kept, _ = CASES[name]
    evaluation = Evaluation(working_points=(0.8,), **settings)
    results = evaluate(three(splits), evaluation)
    found = contender("one", three(splits), 1, (0.8,), evaluation.expected)
    assert found.test == pytest.approx(results.test.auc, rel=1e-12)
    assert found.valid == pytest.approx(results.valid.auc, rel=1e-12)
    assert found.working_points == results.test.working_points
    assert found.working_points[0].background_efficiency.value == pytest.approx(kept)


def test_taggers_of_different_mixtures_are_not_compared():
    one, other, same = (contender("a", three(EVEN), 1, (), yields) for yields in ({}, WHOLE, dict(WHOLE)))
    assert differing_property(one, other) == "mixture"
    assert differing_property(other, same) is None


def test_importance_loses_the_area_of_the_mixture_and_the_loss_of_the_events():
    of = three({TEST: (400, 400, 400)})
    features = np.stack([of.scores, np.zeros(len(of))], axis=1).astype(np.float32)
    inside = Inside(names=("score", "none"), read=lambda places: features[places], ask=lambda x: x[:, 0].astype(float))
    weights = np.array([2020, 980, 1732])[of.processes] / 400
    plain, mixed_, weighted = (
        evaluate(scored, Evaluation(yields=yields), inside).studies["importance"].features["score"]
        for scored, yields in ((of, {}), (of, WHOLE), (replace(of, weights=weights, totals=None), {}))
    )
    assert mixed_["auc"].value == pytest.approx(weighted["auc"].value, rel=1e-9)
    assert mixed_["log_loss"] == plain["log_loss"]
    assert plain["auc"].value != pytest.approx(weighted["auc"].value, rel=1e-3)


def test_bands_of_few_events_have_the_spread_of_the_mixture():
    of = three({TEST: (20, 20, 20)})
    weights = np.array([2020, 980, 1732])[of.processes] / 20
    mixture, weighted = (
        evaluate(scored, Evaluation(yields=yields, working_points=(0.777,))).studies["bands"].quantities
        for scored, yields in ((of, WHOLE), (replace(of, weights=weights, totals=None), {}))
    )
    assert [one.bootstrap_error for one in mixture] == pytest.approx([one.bootstrap_error for one in weighted])


def test_the_area_is_that_of_the_mixture(judged):
    results, kept, _ = judged
    # A curve of one step: (0, 0), (kept, 0.835), (1, 1).
    assert results.test.auc.value == pytest.approx((1 + 0.835 - kept) / 2, rel=1e-12)


def test_the_confusion_matrix_holds_the_expected_events_of_the_threshold():
    for name in ("yields", "splits"):
        splits, settings, *_ = CASES[name]
        results = evaluate(three(splits), Evaluation(**SETTINGS | settings))
        np.testing.assert_allclose(results.test.confusion.weights, [[3000 - 1047, 1047], [1732 - SIGNAL, SIGNAL]])
        np.testing.assert_allclose(results.cuts.cells[..., results.cuts.start], results.test.confusion.weights)
        assert results.at_threshold.b.value == pytest.approx(1047)
    counted = evaluate(three(EVEN), Evaluation()).test.confusion.weights
    np.testing.assert_array_equal(counted, [[500, 300], [66, 334]])


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("yields", "yields", "the mixture of the expected yields, qcd 2020, top 980, higgs 1732."),
        ("splits", "splits", "the whole sample: each process is normalised to its full yield"),
        ("events", "events", "the events with their weights as they are: no yields are given"),
    ],
)
def test_a_sentence_says_which_mixture_it_is(name, source, words):
    splits, settings, *_ = CASES[name]
    told = evaluate(three(splits), Evaluation(**settings)).to_dict()["mixture"]
    assert told["defined_by"] == source
    assert words in told["text"]


def test_a_split_that_cannot_be_scaled_keeps_its_events_and_says_why():
    of = three({VALID: (400, 0, 400), TEST: (400, 400, 400)})
    results = evaluate(of, Evaluation(yields=WHOLE))
    assert results.valid.confusion.fractions[0, 1] == pytest.approx(0.3)
    assert results.test.confusion.fractions[0, 1] == pytest.approx(OF_MIXTURE)
    assert "The valid events count as they are: process 'top' has weights that sum to" in results.mixture.sentence


def test_a_split_is_even_to_within_an_event_of_each_process():
    assert evaluate(three({VALID: (401, 400, 400), TEST: (400, 400, 400)}), Evaluation()).mixture.source == "events"
    assert evaluate(three({VALID: (410, 400, 400), TEST: (400, 400, 400)}), Evaluation()).mixture.source == "splits"


def test_yields_of_two_classes_leave_their_curve_as_it_was_to_the_last_digit(make_scored, drawn):
    scored = make_scored(*drawn(3000), split=np.arange(3000) % 3)
    plain, given = (evaluate(scored, Evaluation(yields=yields)) for yields in ({}, {"signal": 7, "background": 3e5}))
    assert given.test.auc == plain.test.auc
    assert given.test.working_points == plain.test.working_points
    areas = [[one for one in of.studies["bands"].quantities if one.name != "asimov"] for of in (plain, given)]
    assert areas[0][:2] == areas[1][:2]
    assert given.test.precision.value < 0.01 < plain.test.precision.value


def test_a_yield_of_zero_leaves_the_efficiencies_of_its_class():
    results = evaluate(three(EVEN), Evaluation(yields={"higgs": 0.0}))
    assert results.test.confusion.fractions[0, 1] == pytest.approx(OF_EVENTS)
    assert results.test.working_points[0].signal_efficiency == pytest.approx(0.835)
    assert results.test.precision.value == 0


def test_the_rest_of_several_classes_is_mixed_by_the_yields():
    rng = np.random.default_rng(4)
    labels, z = rng.integers(0, 3, 3000), rng.normal(size=(3000, 3))
    scores = np.exp(z + 1.5 * np.eye(3)[labels])
    scores /= scores.sum(axis=1, keepdims=True)
    yields = {"u": 900.0, "c": 90.0, "b": 10.0}
    found = evaluate(Scored(labels=labels, scores=scores, classes=tuple(yields)), Evaluation(yields=yields)).test
    weights = np.array(list(yields.values()))[labels] / np.bincount(labels)[labels]
    for label, name in enumerate(yields):
        area = roc_auc_score(labels == label, scores[:, label], sample_weight=weights)
        assert found.one_vs_rest[name].auc.value == pytest.approx(area, abs=1e-12)
    assert found.confusion.weights.sum(axis=1) == pytest.approx([900, 90, 10])


def test_only_what_is_mixed_anew_has_new_weights():
    own, is_signal = np.array([1.0, 2.0, 1.0, 3.0]), np.array([True, True, False, False])
    of = mixed(own, np.array([2.0, 4.0, 5.0, 6.0]), is_signal)
    assert of.scale == (1.0, 2.0)
    np.testing.assert_array_equal(of.within, [1, 2, 5, 6])
    assert mixed(own, 3 * own, is_signal).within is own

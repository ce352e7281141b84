"""Every row of the table against the events themselves, and against what the results quote."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.movable import ROWS
from hepclf.statistics.confusion import confusion_matrix

BARE = {one.name: None for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}


@pytest.fixture
def case(make_scored, drawn):
    """A function making results and the test events behind it, with their weights in the mixture."""

    def make(n=3000, weights="signed", ties=None, splits=(1, 2), **evaluation):
        labels, scores, sizes = drawn(n, weights=weights, ties=ties)
        scored = make_scored(labels, scores, sizes, split=np.asarray(splits)[np.arange(n) % len(splits)])
        test = replace(scored.of("test"), weights=scored.scaled_weights("test"))
        return evaluate(scored, Evaluation(**BARE, **evaluation)), test

    return make


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
@pytest.mark.parametrize("ties", [None, 12])
def test_every_row_is_the_confusion_matrix_of_its_cut(case, weights, ties):
    results, test = case(weights=weights, ties=ties)
    found, scale = results.cuts, np.abs(test.weights).sum()
    efficiencies, errors = found.efficiencies
    for row in range(0, len(found.cuts), 7):
        cells = confusion_matrix(test.labels, (test.scores >= found.cuts[row]).astype(np.int64), test.weights, 2)
        assert_allclose(found.cells[..., row], cells.weights, atol=1e-12 * scale)
        assert_allclose(efficiencies[:, row], cells.fractions[:, 1], atol=1e-12)
        recall, precision = cells.recall([1]), cells.precision([1])
        assert_allclose(errors[1, row], recall.error or 0.0, atol=1e-7)
        if precision.value is not None:
            assert_allclose([found.purity[0][row], found.purity[1][row]], [precision.value, precision.error or 0.0])
        else:
            assert np.isnan(found.purity[0][row])


def test_the_row_to_begin_with_is_what_metrics_say(case):
    results, _ = case(threshold=0.43)
    found = results.cuts
    assert found.cuts[found.start] == 0.43
    assert found.marks["decision"] == found.start
    assert_allclose(found.cells[..., found.start], results.test.confusion.weights)
    assert_allclose([column[found.start] for column in found.purity], results.test.precision)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_the_best_cut_has_the_significance_that_is_quoted(case, weights):
    results, _ = case(n=20_000, weights=weights, yields={"signal": 40.0, "background": 1000.0})
    quoted, found = results.significance, results.cuts
    row = found.marks["best cut"]
    assert found.cuts[row] == quoted.cut
    for name in ("s_over_sqrt_b", "asimov", "asimov_systematic"):
        assert_allclose(found.expected.figure(name, found.rules, row), getattr(quoted, name))
    assert_allclose(found.expected.counts.s[row], quoted.s.value)
    assert_allclose(found.expected.counts.b[row], quoted.b.value)


def test_marks_are_chosen_on_validation(case):
    results, test = case(weights="unit", working_points=(0.5,))
    found = results.cuts
    cut = found.cuts[found.marks["signal efficiency 0.5"]]
    assert cut == results.valid.working_points[0].threshold
    passing = (test.scores >= cut) & (test.labels == 1)
    assert_allclose(found.efficiencies[0][1, found.marks["signal efficiency 0.5"]], passing.sum() / test.labels.sum())


def test_cuts_rise_and_stay_few(case):
    results, _ = case(n=20_000)
    assert (np.diff(results.cuts.cuts) > 0).all()
    assert 0.9 * ROWS < len(results.cuts.cuts) <= ROWS + len(results.cuts.marks)


def test_a_cut_above_all_scores_keeps_nothing(case):
    results, _ = case(threshold=1.0)
    found = results.cuts
    assert found.cuts[found.start] == 1.0
    assert found.start == len(found.cuts) - 1
    assert_allclose(found.cells[:, 1, found.start], 0.0)
    assert np.isnan(found.purity[0][found.start])
    assert np.isnan(found.expected.figures("asimov", found.rules)[0][found.start])


def test_several_classes_have_the_signal_against_the_rest(make_scored):
    rng = np.random.default_rng(3)
    labels = np.arange(900) % 3
    scores = rng.dirichlet(np.ones(3), 900)
    results = evaluate(make_scored(labels, scores, split=1 + np.arange(900) // 3 % 2), Evaluation(**BARE))
    found = results.cuts
    assert "decision" not in found.marks
    assert found.start == found.marks["best cut"]
    assert_allclose(found.totals, [300, 150])


def test_where_yields_cannot_be_had_the_reason_stands(make_scored, drawn):
    labels, scores, _ = drawn(400, weights="unit")
    split = np.where(np.arange(400) % 3, 2, 1)
    absent = np.where((split == 1) & (labels == 0), 2, labels)
    scored = make_scored(
        labels, scores, split=split, processes=absent, process_names=("background", "signal", "absent")
    )
    assert "'absent' has weights that sum to" in evaluate(scored, Evaluation(**BARE)).cuts.expected


def test_without_test_events_of_both_classes_there_is_no_table(make_scored, drawn):
    labels, scores, _ = drawn(200, weights="unit")
    assert evaluate(make_scored(labels, scores, split=np.zeros(200, dtype=int)), Evaluation(**BARE)).cuts is None
    assert evaluate(make_scored(labels * 0, scores), Evaluation(**BARE)).cuts is None

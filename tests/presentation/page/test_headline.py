from __future__ import annotations

import numpy as np

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.points import Points
from hepclf.presentation.page.headline import headline
from hepclf.presentation.tables import significance_table, working_points_table
from hepclf.words import number


def test_the_lines_say_what_metrics_say(results_of):
    results = results_of(yields={"signal": 50.0, "background": 2000.0}, points=Points())
    separates, leaves, worth, held, decided = headline(results)
    assert separates == (
        f"AUC of signal: {number(*results.test.auc)} on 2,000 test events; {number(*results.train.auc)} on the "
        "training set."
    )
    half = next(point for point in results.studies["points"].points if point.wish.target == 0.5)
    assert leaves == (
        f"Cut chosen on the validation set for 50 % of signal, score ≥ {half.cut:.6g}: on the test set, efficiency "
        f"{number(*half.signal_efficiency)} for signal and {number(*half.background_efficiency)} for background, "
        f"a rejection of {number(*half.rejection, 1)}."
    )
    assert f"Asimov Z = {number(*results.significance.asimov, 2)}" in worth
    assert "Best cut on the validation set" in worth
    quoted = results.at_threshold
    assert decided == (
        f"Decision threshold, score ≥ 0.5000: S = {number(*quoted.s, 1)}, B = {number(*quoted.b, 1)}, "
        f"Asimov Z = {number(*quoted.asimov, 2)}, or {number(*quoted.asimov_systematic, 2)} "
        "with sigma_B = 10 % ⊕ MC stat."
    )
    assert held.startswith("Tighter cuts have a higher expected significance, but leave too few simulated background ")
    assert held.endswith(
        "18.6 effective ones are needed, which are evaluation.minimum_background=10 and two standard deviations more. "
        "MC statistics limit this cut, which is no optimum."
    )
    assert significance_table(results).header[1] == "best Asimov Z allowed by minimum_background"
    assert len(headline(results_of(threshold="best"))) == 3


def test_without_a_chosen_cut_the_roc_curve_is_named(results_of):
    results = results_of()
    half = next(point for point in results.test.working_points if point.target == 0.5)
    line = headline(results)[1]
    assert line.startswith(f"ROC curve of the test set: efficiency {half.signal_efficiency:.4f} for signal and ")
    assert line.endswith(f"a rejection of {number(*half.rejection, 1)}.")


def test_a_cut_that_no_floor_holds_has_no_line_of_it(results_of):
    results = results_of(minimum_background=0)
    assert results.significance.floor is None
    assert significance_table(results).header[1] == "best Asimov Z"
    assert len(headline(results)) == 4


def test_a_significance_that_could_not_be_had_says_why(results_of):
    results = results_of(minimum_background=1e6)
    best, decided = headline(results)[-2:]
    assert best == f"No significance: {results.significance.reason}."
    assert decided.endswith(f"and no significance: {results.at_threshold.reason}.")


def test_several_classes_have_the_mean_area(results_of):
    results = results_of(("qcd", "W", "top"))
    assert headline(results)[0].startswith(f"Mean AUC of each class against the rest: {number(*results.test.auc)} on ")


def test_without_a_second_class_there_is_no_area(results_of):
    results = results_of(splits=(0,))
    assert headline(results)[0] == f"AUC of signal: {number(*results.train.auc)} on 6,000 training events."


def test_where_no_background_is_left_the_limit_is_quoted(make_scored):
    labels = np.array([1] * 10 + [0] * 40)
    scores = np.concatenate([np.linspace(0.99, 0.5, 10), np.linspace(0.4, 0.1, 40)])
    results = evaluate(make_scored(labels, scores), Evaluation(working_points=(0.5,)))
    limit = "ROC curve of the test set: efficiency 0.5000 for signal, and no background event passes: a rejection above"
    assert headline(results)[1] == f"{limit} 13.4 at 95 %."
    assert working_points_table(results.test).rows[0][2] == "> 13.35 (95 %)"

from __future__ import annotations

import numpy as np

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.presentation.page.headline import headline
from hepclf.presentation.tables import working_points_table
from hepclf.words import number


def test_the_lines_say_what_metrics_say(results_of):
    results = results_of(yields={"signal": 50.0, "background": 2000.0})
    separates, leaves, worth, held, decided = headline(results)
    assert separates == (
        f"AUC of signal: {number(*results.test.auc)} on 2,000 test events; {number(*results.train.auc)} on the "
        "training set."
    )
    half = next(point for point in results.test.working_points if point.target == 0.5)
    assert f"a rejection of {number(*half.rejection, 1)}." in leaves
    assert f"At an efficiency of {100 * half.signal_efficiency:.1f} % for signal" in leaves
    assert f"Asimov Z = {number(*results.significance.asimov, 2)}" in worth
    assert "Best cut on the validation set" in worth
    quoted = results.at_threshold
    assert decided == (
        f"Decision threshold, score ≥ 0.5000: S = {number(*quoted.s, 1)}, B = {number(*quoted.b, 1)}, "
        f"Asimov Z = {number(*quoted.asimov, 2)}, or {number(*quoted.asimov_systematic, 2)} "
        "with sigma_B = 10 % ⊕ MC stat."
    )
    assert held.startswith("Tighter cuts have a higher expected significance, but leave too few simulated background ")
    assert len(headline(results_of(threshold="best"))) == 3


def test_a_cut_that_no_floor_holds_has_no_line_of_it(results_of):
    results = results_of(minimum_background=0)
    assert results.significance.floor is None
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
    assert "no background event of the test set passes: a rejection above 13.4 at 95 %." in headline(results)[1]
    assert working_points_table(results.test).rows[0][2] == "> 13.35 (95 %)"

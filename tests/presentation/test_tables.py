from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.finding import passed_checks
from hepclf.evaluation.studies.folds import Fold, FoldResults
from hepclf.evaluation.studies.overtraining import Gap
from hepclf.presentation.tables import (
    bullets,
    cell,
    chosen_points,
    confusion_table,
    plain_title,
    quality_table,
    significance_table,
    titles_table,
    uncertainty,
    uncertainty_note,
    unquoted,
    working_points_table,
)
from hepclf.statistics.value import Value
from hepclf.words import number, percent


def judged(make_scored, drawn, **settings):
    labels, scores, weights = drawn(2000, weights="signed")
    return evaluate(make_scored(labels, scores, weights, split=np.arange(2000) % 3), Evaluation(**settings))


def test_each_split_is_a_column_with_its_errors(make_scored, drawn):
    results = judged(make_scored, drawn)
    grid = quality_table(results, "a title")
    assert grid.title == "a title"
    assert list(grid.header) == ["", "training set (667)", "validation set (667)", "test set (666)"]
    rows = {row[0]: row[1:] for row in grid.rows}
    assert rows["AUC"] == [number(*split.auc) for split in results.splits.values()]
    assert rows["w < 0, % of Σ|w|"][2] == f"{100 * results.test.negative_fraction:.1f}"
    assert "AUC of likelihood ratio" not in rows


def test_in_folds_the_test_events_are_out_of_fold(make_scored, drawn):
    fold = Fold(333, Value(0.8, 0.1), Value(0.5, 0.1), Value(None))
    results = judged(make_scored, drawn)
    folds = FoldResults(folds=(fold, fold), pooled=Value(0.8, 0.1))
    grid = quality_table(replace(results, studies={"folds": folds}), "mine")
    assert grid.title == "mine"
    assert grid.header[-1] == "test, out of fold (666)"


def test_losses_of_separated_classes_have_no_digits_of_rounding(make_scored):
    labels = np.arange(60) % 2
    results = evaluate(
        make_scored(labels, np.where(labels == 1, 1 - 1e-16, 1e-60), split=np.arange(60) // 20), Evaluation()
    )
    rows = {row[0]: row[1:] for row in quality_table(results, "").rows}
    assert rows["Brier score"] == ["< 1e-12"] * 3
    assert rows["AUC"] == ["1.0000"] * 3


def test_working_points_confusion_and_significance_are_those_of_test(make_scored, drawn):
    results = judged(make_scored, drawn)
    assert [row[0] for row in working_points_table(results.test).rows] == [
        number(point.signal_efficiency) for point in results.test.working_points
    ]
    weights = results.test.confusion.weights
    assert confusion_table(results.classes, results.test).rows[0][1].startswith(f"{weights[0, 0]:.4g} (")
    quoted = results.significance, results.at_threshold
    assert significance_table(results).rows[0] == ["score ≥", *(number(significance.cut) for significance in quoted)]
    assert significance_table(results).rows[4] == [
        "Asimov Z",
        *(number(*significance.asimov, 2) for significance in quoted),
    ]
    assert [len(row) for row in significance_table(judged(make_scored, drawn, threshold="best")).rows] == [2] * 6


def test_where_there_is_no_significance_s_and_b_at_the_threshold_stand(make_scored, drawn):
    results = judged(make_scored, drawn, minimum_background=1e9)
    rows = {row[0]: row[1:] for row in significance_table(results).rows}
    assert rows["S"] == [number(*results.at_threshold.s, 1)]
    assert rows["Asimov Z"] == ["-"]
    best, decided = unquoted(results)
    assert best.startswith("no significance at the best cut: no cut on validation keeps")
    assert decided.startswith("no significance at the threshold: the threshold of 0.5 leaves an effective background")


def test_working_points_that_were_chosen_on_validation_are_those_of_their_study(make_scored, drawn):
    results = judged(make_scored, drawn)
    assert chosen_points(results) == results.studies["points"].tables[0]
    assert chosen_points(judged(make_scored, drawn, points=None)) is None


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("$E_T^{miss}$", "E_T^miss"),
        (r"$\Delta\phi$", "Δφ"),
        (r"$\lambda_{\mathrm{QCD}}$", "λ_QCD"),
        (r"$m_{\ell\ell}$", "m_ℓℓ"),
        ("plain", "plain"),
    ],
)
def test_a_title_is_read_without_mathematical_text(title, plain):
    assert plain_title(title) == plain


def test_titles_and_units_have_a_table_of_their_own():
    assert titles_table({}) is None
    assert titles_table({"met": ("$E_T$", "GeV"), "n": ("n", "")}).rows == [["met", "E_T", "GeV"], ["n", "n", ""]]


def test_working_points_of_one_cut_are_one_row(make_scored):
    scores = np.tile([0.9, 0.9, 0.37, 0.37], 300)  # half of each class at either score
    results = evaluate(make_scored(np.arange(1200) % 2, scores), Evaluation(working_points=(0.3, 0.5, 0.7, 0.9)))
    rows = working_points_table(results.test).rows
    assert [row[0] for row in rows] == ["0.5000 (targets 0.3, 0.5)", "1.0000 (targets 0.7, 0.9)"]
    assert [row[3] for row in rows] == ["0.9000", "0.3700"]
    assert [point["target"] for point in results.to_dict()["test"]["working_points"]] == [0.3, 0.5, 0.7, 0.9]


def test_a_class_without_weight_has_no_share():
    assert cell(1234.6, 0.25) == "1,235 (25.0 %)"
    assert cell(0.0, float("nan")) == "0"


def test_sums_of_weights_have_no_more_digits_than_they_are_known_to():
    texts = ["1.08e+09 (82.6 %)", "6,613,561 (50.0 %)", "1,932 (27.3 %)", "10.25 (50.0 %)"]
    assert [cell(1075327434, 0.826), cell(6613561.4, 0.5), cell(1932.22, 0.273), cell(10.25, 0.5)] == texts


def test_a_percentage_is_written_as_in_a_paper():
    assert [percent(0.4751), percent(0.4751, 0), percent(0.125, None), percent(0.07, None)] == [
        "47.5 %",
        "48 %",
        "12.5 %",
        "7 %",
    ]
    assert percent(None) == percent(float("nan")) == "-"


def test_what_is_in_order_is_one_line_and_a_bullet_that_remains_is_a_finding(make_scored, drawn):
    results = judged(make_scored, drawn)
    findings = results.studies["overtraining"], results.studies["calibration"]
    passed = [sentence for finding in results.studies.values() for sentence in passed_checks(finding)]
    *others, last = bullets(results)
    assert last.startswith(f"3 checks: 1 not passed (calibration; see above), {len(passed)} passed: ")
    assert f"overtraining (p = {findings[0].evidence.p:.2g})" in last
    assert findings[0].sentences[0] in passed
    assert not set(passed) & set(others)
    assert len(others) == sum(len(finding.sentences) for finding in results.studies.values()) - len(passed)


def test_a_problem_is_a_bullet_of_its_own(make_scored, drawn):
    results = judged(make_scored, drawn)
    gap = Gap(Value(0.3, 0.01), Value(0.1, 0.01))
    overtrained = replace(results.studies["overtraining"], gaps={"valid": gap, "test": gap})
    (line,) = bullets(replace(results, studies={"overtraining": overtrained}))
    assert line.startswith("A clear sign of overtraining")


def test_a_problem_stands_before_the_findings_and_what_is_in_order_last(make_scored, drawn):
    results = judged(make_scored, drawn)
    gap = Gap(Value(0.3, 0.01), Value(0.1, 0.01))
    overtrained = replace(results.studies["overtraining"], gaps={"valid": gap, "test": gap})
    studies = {"retrieval": results.studies["retrieval"], "quiet": results.studies["overtraining"]}
    lines = bullets(replace(results, studies=studies | {"overtraining": overtrained}))
    assert lines[0].startswith("A clear sign of overtraining")
    assert lines[1:-1] == list(studies["retrieval"].sentences)
    assert lines[-1].startswith("2 checks: 1 not passed (overtraining; see above), 1 passed: overtraining (p = ")
    (line,) = bullets(replace(results, studies={"quiet": results.studies["overtraining"]}))
    assert line.startswith("No problem found in 1 check: overtraining (p = ")


def test_the_uncertainty_of_the_background_is_that_of_the_evaluation(make_scored, drawn):
    results = judged(make_scored, drawn, systematic=0.25)
    assert uncertainty(results) == "sigma_B = 25 % ⊕ MC stat."
    assert significance_table(results).rows[5][0] == "Asimov Z, sigma_B = 25 % ⊕ MC stat."
    assert "evaluation.systematic (25 % of B)" in uncertainty_note(results)

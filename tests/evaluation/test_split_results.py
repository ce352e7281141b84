from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.split_results import decisions
from hepclf.statistics.curves.limit import purity_limit, rejection_limit


def test_a_decision_is_the_signals_at_the_threshold_itself(make_scored):
    of = make_scored([1, 0, 1], [0.5, 0.5, 0.49])
    np.testing.assert_array_equal(decisions(of, 1, 0.5), [1, 1, 0])
    np.testing.assert_array_equal(decisions(of, 0, 0.5), [0, 0, 0])


def test_histograms_hold_every_event_in_unit_area(make_scored):
    scores = np.array([0.0, 0.35, np.nextafter(0.35, 1), 1.0, 0.35, 0.2])
    weights = np.array([1, 2, 3, -1, 4, 4.0])
    labels = np.array([1, 1, 1, 1, 0, 0])
    for top in (6, 4, 3):
        keep = (np.argsort(np.argsort(scores)) < top) | (labels == 0)
        columns = {"labels": labels[keep], "scores": scores[keep], "weights": weights[keep]}
        found = evaluate(make_scored(**columns), Evaluation()).test.histograms
        for label, name in enumerate(("background", "signal")):
            histogram, w = found[name], weights[keep & (labels == label)]
            widths = np.diff(histogram.edges)
            assert (histogram.density * widths).sum() == pytest.approx(1)
            assert (histogram.error**2 * widths**2).sum() == pytest.approx((w**2).sum() / w.sum() ** 2)
            assert len(widths) == 40


def test_the_fraction_of_negative_weight_is_reported(make_scored):
    of = make_scored([1, 1, 1, 0, 0], [0.9, 0.9, 0.9, 0.6, 0.6], [1, 1, -1, 2, -0.5])
    assert evaluate(of, Evaluation()).test.negative_fraction == pytest.approx(1.5 / 5.5)
    assert evaluate(make_scored([1, 1], [0.9, 0.9], [0, 0]), Evaluation()).test.negative_fraction is None


def test_the_exact_ratio_is_judged_on_the_same_events(make_scored):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    llr = rng.normal(2.0 * labels)
    llr[:3] = [np.inf, -np.inf, np.inf]
    columns = {"labels": labels, "scores": rng.random(500), "spectators": {"llr": llr}}
    of = make_scored(**columns)
    expected = roc_auc_score(labels, np.clip(llr, -99, 99))
    assert evaluate(of, Evaluation()).test.optimal.area.value == pytest.approx(expected, abs=1e-12)
    turned = evaluate(of, Evaluation(signal="background")).test.optimal
    assert turned.area.value == pytest.approx(expected, abs=1e-12)
    llr = llr.copy()
    llr[5] = np.nan
    with pytest.raises(ValueError, match="spectator 'llr' must be a number in each event, not nan as in 1 events"):
        evaluate(make_scored(**(columns | {"spectators": {"llr": llr}})), Evaluation())


def test_a_split_has_a_limit_where_no_background_is_left_and_only_there(make_scored):
    labels = np.array([1] * 10 + [0] * 40)
    scores = np.concatenate([np.linspace(0.99, 0.5, 10), [0.7], np.linspace(0.4, 0.1, 39)])
    part = make_scored(labels, scores)
    found = evaluate(part, Evaluation(working_points=(0.2, 0.9))).test
    free, kept = found.working_points
    assert (free.rejection.value, kept.rejection_limit) == (None, None)
    assert kept.rejection.value == 40
    assert free.rejection_limit == found.roc.limit == rejection_limit(40.0, 1.0)
    written = found.to_dict()["working_points"][0]["rejection_limit"]
    assert written == {"at_90": pytest.approx(17.37, abs=0.01), "at_95": pytest.approx(13.35, abs=0.01)}


def test_a_negative_event_that_is_left_is_background_that_is_left(make_scored):
    labels, scores = np.array([1, 0, 0, 1, 0]), np.array([0.9, 0.95, 0.8, 0.7, 0.1])
    part = make_scored(labels, scores, weights=np.array([1, -1, 1, 1, 5.0]))
    found = evaluate(part, Evaluation(working_points=(0.5,))).test
    assert found.working_points[0].rejection.value is None
    assert found.working_points[0].rejection_limit is None
    assert found.roc.limit is None


def test_a_cut_at_the_loudest_background_event_keeps_it(make_scored):
    scores = np.array([0.9, 0.8, 0.8, 0.1])
    found = evaluate(make_scored([1, 1, 0, 0], scores), Evaluation(working_points=(1.0,))).test
    assert found.working_points[0].rejection.value == 2
    assert found.working_points[0].rejection_limit is None


def test_a_precision_has_a_limit_where_no_background_is_selected(make_scored):
    labels = np.array([1] * 10 + [0] * 40)
    scores = np.concatenate([np.linspace(0.99, 0.51, 10), np.linspace(0.4, 0.1, 40)])
    found = evaluate(make_scored(labels, scores), Evaluation(threshold=0.5)).test
    assert found.precision_limit == purity_limit(10.0, 1.0)
    assert found.to_dict()["precision_limit"]["at_95"] == pytest.approx(10 / 12.996, abs=1e-4)
    lower = evaluate(make_scored(labels, scores), Evaluation(threshold=0.4)).test
    assert lower.precision_limit is None
    assert "precision_limit" not in lower.to_dict()


def test_the_processes_of_a_class_add_up_to_it(make_scored):
    rng = np.random.default_rng(0)
    n = 900
    processes = np.arange(n) % 3
    results = evaluate(
        make_scored(
            (processes == 2).astype(int),
            rng.random(n),
            rng.random(n),
            processes=processes,
            process_names=("qcd", "ttbar", "signal"),
        ),
        Evaluation(),
    )
    histograms = results.test.histograms
    parts = histograms["background"].parts
    assert list(parts) == ["qcd", "ttbar"]
    np.testing.assert_allclose(sum(part.density for part in parts.values()), histograms["background"].density)
    squares = sum(part.error**2 for part in parts.values())
    np.testing.assert_allclose(np.sqrt(squares), histograms["background"].error)
    assert not histograms["signal"].parts

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.retrieval import Retrieval
from hepclf.presentation.page.movable import movable
from hepclf.presentation.tables import quality_table, significance_table
from hepclf.scored import Scored


def scored(n=6000, k=2):
    rng = np.random.default_rng(1)
    labels = np.arange(n) % k
    z = rng.normal(size=(n, k))
    z[np.arange(n), labels] += 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return Scored(
        labels=labels,
        scores=p[:, 1] if k == 2 else p,
        split=(np.arange(n) // k % 3).astype(np.int8),
        classes=("background", "signal") if k == 2 else ("u", "c", "b"),
    )


def found(of, retrieval=None, **settings):
    return evaluate(of, Evaluation(retrieval=retrieval or Retrieval(), **settings)).studies["retrieval"]


def test_the_purity_at_the_threshold_is_the_precision_of_the_verdict():
    results = evaluate(scored(), Evaluation(threshold=0.6))
    study, test = results.studies["retrieval"], results.test
    assert study.chosen.value("purity").value == pytest.approx(test.precision.value)
    assert study.chosen.value("purity").error == pytest.approx(test.precision.error, rel=1e-6)
    assert study.chosen.value("signal").value == pytest.approx(test.recall.value)
    assert study.tables[0].rows[0][:2] == ("decision", "0.6000"), "the threshold that was asked for"


def test_the_average_is_that_of_scikit_learn_on_test_events():
    of = scored()
    test = of.of("test")
    assert found(of).average.value == pytest.approx(average_precision_score(test.labels, test.scores), abs=1e-12)


def test_the_average_says_how_much_signal_has_no_background_above_it():
    labels = np.array([1] * 30 + [0, 1] * 35)
    of = Scored(labels=labels, scores=np.linspace(0.9, 0.1, 100))
    told = found(of).sentences[0]
    assert "It counts a purity of 1 for the 46.2 % of the signal above the highest score of a background event" in told
    assert "It counts" not in found(Scored(labels=1 - labels, scores=np.linspace(0.9, 0.1, 100))).sentences[0]


def test_expected_yields_set_the_purity():
    plain, rare = found(scored()), found(scored(), yields={"signal": 10, "background": 990})
    assert (plain.prevalence, rare.prevalence) == pytest.approx((0.5, 0.01))
    s, b = plain.chosen.value("signal").value, plain.chosen.value("background").value
    assert rare.chosen.value("purity").value == pytest.approx(10 * s / (10 * s + 990 * b))
    assert rare.average.value < plain.average.value


def test_the_loosest_pure_cut_is_that_of_a_loop():
    of = scored()
    test = of.of("test")
    study = found(of, Retrieval(purities=(0.9,)))
    pure = [cut for cut in np.unique(test.scores) if test.labels[test.scores >= cut].mean() >= 0.9]
    assert float(study.loosest[0.9].cut[0]) == min(pure)


def test_a_mixed_first_event_has_no_cut_of_any_purity():
    # The highest score is background's, and what follows never makes up for it.
    of = Scored(labels=np.array([0, 1, 0, 0]), scores=np.array([0.9, 0.8, 0.7, 0.1]))
    study = found(of, Retrieval(purities=(0.9,)))
    assert study.loosest[0.9] is None
    assert study.to_dict()["purities"] == [{"target": 0.9, "cut": None}]
    assert study.sentences[-1] == "No cut reaches a purity of 90 % on test."


def test_several_classes_have_no_decision_by_a_threshold():
    study = found(scored(k=3))
    assert (study.chosen, study.threshold) == (None, None)
    assert [row[0] for row in study.tables[0].rows] == ["purity 50 %", "purity 90 %"]


def test_the_table_fits_80_columns():
    (grid,) = found(scored()).tables
    assert sum(max(len(row[i]) for row in (grid.header, *grid.rows)) for i in range(5)) + 8 <= 80


@pytest.mark.parametrize("wanted", [0.0, 1.0, 1.5])
def test_a_purity_lies_between_0_and_1(wanted):
    with pytest.raises(ValueError, match="purities must lie between 0 and 1, not "):
        Retrieval(purities=(wanted,))


def pure(weights=None, **settings):
    """Ten signal events above all of 40 background events, which are of two processes."""
    labels = np.array([1] * 10 + [0] * 40)
    scores = np.concatenate([np.linspace(0.99, 0.6, 10), np.linspace(0.4, 0.1, 40)])
    of = Scored(
        labels=labels,
        scores=scores,
        weights=weights,
        processes=np.where(labels == 1, 2, np.arange(50) % 4 == 0).astype(np.int64),
        process_names=("qcd", "top", "higgs"),
    )
    return of, evaluate(of, Evaluation(**settings))


def test_a_purity_from_no_background_events_is_a_limit():
    _, results = pure(retrieval=Retrieval(purities=(0.95,)))
    study, row = results.studies["retrieval"], results.cuts.start
    limit = 10 / (10 - np.log(0.05))
    written = study.to_dict()["at_threshold"]["purity_limit"]
    assert written["at_95"] == pytest.approx(limit)
    assert written["at_90"] == pytest.approx(10 / (10 - np.log(0.10)))
    assert study.tables[0].rows[0][-1] == f"> {limit:.4g} (95 %)"
    assert study.sentences[-1] == (
        f"The cut for a purity of 95 % leaves no simulated background on test: at 95 % confidence the purity is "
        f"above {limit:.3g}, which is less than 95 %."
    )
    shares = movable(results.cuts).shares
    assert shares["purity of the selected"][row] == f"> {limit:.4g} (95 %)"
    assert shares["rejection"][row] == f"> {40 / -np.log(0.05):.4g} (95 %)"
    assert dict(quality_table(results, "").rows)["precision"] == f"> {limit:.4g} (95 %)"
    assert dict(significance_table(results).rows)["B"] == "< 3 (95 %)"


def test_the_limit_of_a_purity_has_the_heaviest_weight_of_the_mixture():
    of, results = pure(yields={"qcd": 3000.0, "top": 4000.0, "higgs": 500.0})
    tops = int((of.processes == 1).sum())
    weight = max(4000 / tops, 3000 / (40 - tops))
    found = results.studies["retrieval"].to_dict()["at_threshold"]["purity_limit"]["at_95"]
    assert found == pytest.approx(500 / (500 - np.log(0.05) * weight))
    assert results.cuts.purity_limit(results.cuts.start).at_95 == pytest.approx(found)
    assert results.test.precision_limit.at_95 == pytest.approx(found)
    assert results.at_threshold.b_limit.at_95 == pytest.approx(-np.log(0.05) * weight)


def test_where_background_is_left_there_is_no_limit():
    study = found(scored())
    assert "purity_limit" not in study.to_dict()["at_threshold"]
    assert np.isfinite(study.scan.purity_above_95).sum() == (study.scan.background == 0).sum() > 0


def test_background_that_cancels_makes_no_cut_pure():
    scores = np.array([0.9, 0.9, 0.9, 0.9, 0.9, *np.full(40, 0.1)])
    labels = np.array([1, 0, 0, 0, 0, *np.tile([0, 1], 20)])
    weights = np.where(labels == 1, 1e-3, 1.0)
    weights[3:5] = -1.0
    study = found(Scored(labels=labels, scores=scores, weights=weights, split=np.full(45, 2)))
    assert study.loosest == {0.5: None, 0.9: None}
    chosen = study.chosen
    assert np.isnan(chosen.purity[0])
    # By hand: four events of weight 1, 1.645 x 2 standard deviations.
    assert chosen.limit.at_95 == pytest.approx(1e-3 / (1e-3 + 1.6449 * 2), rel=1e-4)
    assert chosen.words.startswith("> 0.0003039 (95 %)")
    assert study.to_dict()["at_threshold"]["purity"] == {"value": None, "error": None}

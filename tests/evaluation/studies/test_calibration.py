from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import log_loss

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.calibration import Calibration
from hepclf.evaluation.studies.likelihood_ratio import LikelihoodRatio
from hepclf.scored import Scored
from hepclf.statistics.calibration import shifted
from hepclf.statistics.value import Value

OTHERS = {one.name: None for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}


def scored(n=16_000, sharpness=1.0, prior=0.5, seed=0, weights=None, llr=False):
    """Two Gaussians whose ln r is 2 x; scores for classes of equal weight, so much too sure."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < prior).astype(np.int64)
    x = rng.normal(2 * labels - 1)
    return Scored(
        labels=labels,
        scores=expit(2 * sharpness * x),
        weights=np.ones(n) if weights is None else weights(rng, labels),
        split=rng.integers(0, 3, n),
        spectators={"llr": 2 * x} if llr else {},
    )


def found(events, name="calibration", balance="classes", **settings):
    study = {"calibration": Calibration, "likelihood_ratio": LikelihoodRatio}[name]
    evaluation = Evaluation(**{**OTHERS, name: study(**settings), "yields": {}})
    return evaluate(events, evaluation, balance=balance).studies.get(name)


@pytest.mark.parametrize("prior", [0.5, 0.1])
def test_scores_for_equal_classes_are_judged_there_whatever_the_events(prior):
    finding = found(scored(prior=prior))
    assert finding.conclusion in ("calibrated", "harmless")
    assert finding.qualities["none"].reliability.p > 0.01
    assert finding.temperature.value == pytest.approx(1, abs=4 * finding.temperature.error)
    assert finding.shares == {"background": 0.5, "signal": 0.5}


def test_a_tagger_of_the_natural_mixture_is_judged_in_that():
    events = scored(40_000, prior=0.1)
    natural = Scored(labels=events.labels, scores=shifted(events.scores, 1 / 9), split=events.split)
    assert found(natural, balance="none").conclusion in ("calibrated", "harmless")
    assert found(natural).conclusion == "miscalibrated"


def test_scores_that_are_too_sure_are_said_to_be_and_the_cure_named():
    finding = found(scored(sharpness=2))
    assert finding.conclusion == "miscalibrated"
    assert finding.temperature.value == pytest.approx(2, abs=4 * finding.temperature.error)
    words = " ".join(finding.sentences)
    assert "A clear sign of miscalibration (p" in words
    assert "A clear sign that the tagger is overconfident: temperature 2." in words
    assert finding.to_dict()["evidence"]["answer"] == "clear"
    assert "trainer.calibrate=" in words
    for method in ("temperature", "isotonic"):
        assert finding.qualities[method].reliability.ece.value < finding.qualities["none"].reliability.ece.value / 2


def test_a_small_p_is_a_hint_and_not_called_calibrated():
    finding = found(scored())
    reliability = finding.qualities["none"].reliability
    for p, answer, conclusion in ((0.02, "hint", "miscalibrated"), (0.03, "none", "calibrated"), (1e-3, "clear", None)):
        none = replace(finding.qualities["none"], reliability=replace(reliability, p=p))
        changed = replace(finding, qualities={"none": none}, temperature=Value(1.01, 0.01), harmless=0.0)
        assert changed.evidence == (pytest.approx(2 * p), 2)
        assert changed.evidence.answer == answer
        assert changed.conclusion == (conclusion or "miscalibrated")
    assert changed.sentences[0].startswith("A clear sign of miscalibration (p = 0.002, corrected for 2 tests): ")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weights", [None, lambda rng, labels: rng.exponential(size=len(labels))])
def test_equal_scores_have_a_calibration_error_without_an_error(weights, seed):
    events = replace(scored(3000 + 7 * seed, weights=weights, seed=seed), scores=np.full(3000 + 7 * seed, 0.37))
    finding = found(events)
    assert finding.qualities["none"].reliability.ece == (pytest.approx(0.13), None)
    assert finding.qualities["isotonic"].reliability.ece == (0.0, None)
    assert finding.tables[0].rows[0][3] == "0.1300"


def test_losses_are_scikit_learns_and_a_gain_is_their_difference_with_a_smaller_error():
    events = scored(sharpness=2, prior=0.2)
    finding, test = found(events), events.of("test")
    sizes = 1 / np.bincount(test.labels)[test.labels]
    before, after = finding.qualities["none"], finding.qualities["temperature"]
    assert before.log_loss.value == pytest.approx(log_loss(test.labels, test.scores, sample_weight=sizes), rel=1e-9)
    assert after.gain.value == pytest.approx(before.log_loss.value - after.log_loss.value, rel=1e-9)
    assert after.gain.error < before.log_loss.error


def test_metrics_hold_the_fitted_temperature_beside_the_quality_that_it_gives():
    finding = found(scored(sharpness=2))
    stored = finding.to_dict()
    assert stored["fitted_temperature"] == finding.temperature.to_dict()
    assert stored["fitted_temperature"]["value"] == pytest.approx(
        2, abs=0.2
    )  # logits twice too large; eight seeds gave 1.88 to 2.05
    assert stored["temperature"] == finding.qualities["temperature"].to_dict()


def test_maps_know_nothing_of_the_test_events():
    events = scored(sharpness=2)
    other = np.where(events.split == 2, 0.5, events.scores)
    changed = Scored(labels=events.labels, scores=other, split=events.split)
    assert found(events).temperature == found(changed).temperature


def test_expected_yields_come_with_the_formula():
    finding = evaluate(
        scored(), Evaluation(**{**OTHERS, "calibration": Calibration()}, yields={"signal": 1, "background": 99})
    )
    finding = finding.studies["calibration"]
    assert finding.ratio == pytest.approx(1 / 99)
    assert finding.sentences[-1].endswith(": 50 % at a score of 0.99.")
    rare = replace(finding, ratios={"signal": 5.4e-6, "background": 1.0})
    assert rare.sentences[-1].endswith("a probability of p r / (p r + 1 - p)."), "no even odds at a score that reads 1"
    assert shifted(0.99, finding.ratio) == pytest.approx(0.5)


def test_the_formula_starts_from_the_mixture_of_training():
    events = scored(prior=0.1)
    expected = Evaluation(**{**OTHERS, "calibration": Calibration()}, yields={"signal": 1, "background": 99})
    as_it_is = evaluate(events, expected, balance="mean").studies["calibration"]
    learnt = events.of("train")
    signal = float(learnt.weights[learnt.labels == 1].sum() / learnt.weights.sum())
    assert as_it_is.ratio == pytest.approx(1 / 99 / (signal / (1 - signal)))


def test_of_several_classes_each_has_a_ratio_of_its_own():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 9000)
    equal = expit(rng.normal(2.0 * (labels[:, None] == np.arange(3))))
    equal /= equal.sum(axis=1, keepdims=True)
    events = Scored(labels=labels, scores=equal, classes=("b", "c", "l"), split=rng.integers(1, 3, 9000))
    settings = Evaluation(**{**OTHERS, "calibration": Calibration()}, yields={"b": 10, "c": 20, "l": 70})
    finding = evaluate(events, settings).studies["calibration"]
    assert finding.ratios == pytest.approx({"b": 0.3, "c": 0.6, "l": 2.1})
    assert finding.ratio is None
    assert "r = 0.3 (b), 0.6 (c), 2.1 (l)" in finding.sentences[-1]
    assert not any("ROC curve stay" in sentence for sentence in finding.sentences)


def test_three_classes_have_a_temperature_alone():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 6000)
    labels = (rng.random(6000)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    finding = found(Scored(labels=labels, scores=p, classes=("b", "c", "l"), split=rng.integers(1, 3, 6000)))
    assert list(finding.qualities) == ["none", "temperature"]
    assert finding.qualities["none"].reliability.p > 0.001


def test_without_validation_no_map_is_fitted_and_without_test_nothing_is_asked():
    events = scored(4000)
    assert list(found(events.of("test")).qualities) == ["none"]
    assert found(events.of("valid")) is None


def test_signed_weights_are_honoured():
    finding = found(scored(weights=lambda rng, labels: np.where(rng.random(len(labels)) < 0.15, -1.0, 1.0)))
    assert finding.qualities["none"].reliability.p > 0.001
    assert finding.qualities["none"].reliability.share.sum() == pytest.approx(1)


def test_what_it_says_is_plain_and_fits_a_terminal():
    finding = found(scored(prior=0.3))
    assert json.loads(json.dumps(finding.to_dict()))["none"]["bins"]["share"]
    for grid in finding.tables:
        width = sum(max(len(row[i]) for row in (grid.header, *grid.rows)) + 2 for i in range(len(grid.header)))
        assert width <= 80


def density(x, parts):
    return sum(fraction * norm.pdf(x, mean, width) for fraction, mean, width in parts)


@pytest.fixture
def integral():
    """The double Gaussian of data=mixture as weighted events on a grid: sums are integrals."""
    x = np.linspace(-9, 9, 60_001)
    signal = density(x, [(0.6, -1.1, 0.5), (0.4, 1.0, 1.0)])
    background = density(x, [(0.7, 2.0, 0.5), (0.3, -1.0, 1.0)])
    return Scored(
        labels=np.repeat([0, 1], len(x)),
        scores=np.tile(signal / (signal + background), 2),
        weights=np.concatenate([background, signal]) * (x[1] - x[0]),
        spectators={"llr": np.tile(np.log(signal / background), 2)},
    )


def test_the_best_loss_and_brier_score_of_the_mixture_are_the_reference_values(integral):
    quality = found(integral).qualities["none"]
    assert quality.log_loss.value == pytest.approx(0.5264834, abs=5e-7)
    assert quality.brier.value == pytest.approx(0.1731076, abs=5e-7)
    assert quality.reliability.ece.value == pytest.approx(0, abs=1e-9)


def test_the_exact_ratio_is_followed_exactly(integral):
    ratio = found(integral, "likelihood_ratio")
    assert [ratio.slope.value, ratio.correlation.value] == pytest.approx([1, 1], rel=1e-9)
    assert [ratio.bias, ratio.rms, ratio.lost] == [(0, None)] * 3
    assert ratio.evidence.answer == "none"
    assert ratio.sentences[0] == (
        "No sign that the score is worse than the exact likelihood ratio (p = 1): its log-loss is the same. ln r from "
        "the score against the exact ln r: slope 1.0000, correlation 1.0000, rms difference 0.0000."
    )


def test_the_rounding_of_scores_in_single_precision_is_no_difference():
    events = scored(llr=True)
    exact = found(replace(events, scores=np.float64(np.float32(events.scores))), "likelihood_ratio")
    assert exact.lost == (0, None)
    assert "correlation 1.0000," in exact.sentences[0]
    scaled = found(replace(events, scores=expit(1.01425286 * events.spectators["llr"])), "likelihood_ratio")
    assert scaled.slope == (pytest.approx(1.01425286), None)
    assert "slope 1.0143," in scaled.sentences[0]


@pytest.mark.parametrize("balance", ["classes", "none"])
def test_the_ratio_knows_the_mixture_of_training(balance):
    events = scored(prior=0.1, llr=True)
    part = np.bincount(events.of("train").labels)
    scores = events.scores if balance == "classes" else shifted(events.scores, part[1] / part[0])
    made = Scored(labels=events.labels, scores=scores, split=events.split, spectators=events.spectators)
    ratio = found(made, "likelihood_ratio", balance=balance)
    assert [ratio.slope.value, ratio.rms.value] == pytest.approx([1, 0], abs=1e-6)


def test_a_scaled_ratio_has_its_slope_and_loses_what_it_should():
    events = scored(sharpness=1.5, llr=True)
    ratio, test = found(events, "likelihood_ratio"), events.of("test")
    assert ratio.slope.value == pytest.approx(1.5)
    x = test.spectators["llr"]
    sizes = 1 / np.bincount(test.labels)[test.labels]
    assert ratio.rms.value == pytest.approx(np.sqrt(np.average(x**2 / 4, weights=sizes)))
    oracle = [log_loss(test.labels, expit(a * x), sample_weight=sizes) for a in (1.5, 1)]
    assert ratio.lost.value == pytest.approx(oracle[0] - oracle[1], rel=1e-6)
    assert ratio.evidence.p == pytest.approx(norm.sf(ratio.lost.value / ratio.lost.error))
    assert ratio.sentences[0].startswith("A clear sign that the score is worse than the exact likelihood ratio (p")
    assert ratio.to_dict()["evidence"]["answer"] == "clear"


def test_the_errors_of_slope_and_correlation_cover_them():
    each = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        events = scored(1500, seed=seed, llr=True, weights=lambda rng, labels: rng.lognormal(0, 0.5, len(labels)))
        noisy = expit(events.spectators["llr"] + rng.normal(0, 1, 1500))
        made = Scored(
            labels=events.labels, scores=noisy, weights=events.weights, split=events.split, spectators=events.spectators
        )
        each.append(found(made, "likelihood_ratio"))
    for name, truth in (("slope", 1.0), ("correlation", np.sqrt(8 / 9))):
        pulls = [(getattr(one, name).value - truth) / getattr(one, name).error for one in each]
        assert np.std(pulls) == pytest.approx(1, abs=0.25)
        assert np.mean(pulls) == pytest.approx(0, abs=0.35)


def test_infinite_ratios_are_counted_and_left_out():
    events = scored(2000, llr=True)
    llr = events.spectators["llr"].copy()
    llr[np.flatnonzero(events.split == 2)[:3]] = np.inf
    made = Scored(labels=events.labels, scores=events.scores, split=events.split, spectators={"llr": llr})
    ratio = found(made, "likelihood_ratio")
    assert ratio.events - ratio.finite == 3
    assert ratio.sentences[1].startswith("3 test events have an exact ratio that is not finite")


def test_without_an_exact_ratio_there_is_no_such_question():
    assert found(scored(2000), "likelihood_ratio") is None


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [(Calibration, {"bins": 1}), (Calibration, {"harmless": -1}), (LikelihoodRatio, {"bins": 1})],
)
def test_settings_out_of_range_are_refused(recipe, settings):
    with pytest.raises(ValueError, match="must lie in"):
        recipe(**settings)


def test_a_ratio_that_no_event_has_is_not_compared():
    events = scored(4000, llr=True)
    nowhere = replace(events, spectators={"llr": np.full(4000, np.inf)})
    assert found(nowhere, "likelihood_ratio") is None

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, roc_auc_score

from hepclf.statistics.calibration import (
    Isotonic,
    Temperature,
    calibration_map,
    from_dict,
    isotonic,
    logits,
    shifted,
    temperature,
)


def drawn(n=20_000, seed=0, sharpness=2.0):
    """Scores so much too sure, the labels of what they would be otherwise, and plain weights."""
    rng = np.random.default_rng(seed)
    at = rng.normal(0, 1.5, n)
    labels = (rng.random(n) < expit(at)).astype(np.int64)
    return expit(sharpness * at), labels, np.ones(n)


def test_a_temperature_undoes_what_made_scores_too_sure():
    scores, labels, weights = drawn()
    found = temperature(scores, labels, weights)
    assert found.error == pytest.approx(0.026, rel=0.2)
    assert found.temperature == pytest.approx(2, abs=3 * found.error)


def test_the_error_of_a_temperature_is_the_spread_of_repeated_ones():
    each = [temperature(*drawn(2000, seed)) for seed in range(200)]
    spread = np.std([found.temperature for found in each], ddof=1)
    assert spread == pytest.approx(np.mean([found.error for found in each]), rel=0.15)


def test_no_other_temperature_has_a_lower_loss():
    scores, labels, weights = drawn(3000)
    weights = np.random.default_rng(1).lognormal(0, 1, 3000)
    best = temperature(scores, labels, weights).temperature
    losses = [log_loss(labels, Temperature(best * factor)(scores), sample_weight=weights) for factor in (0.98, 1, 1.02)]
    assert losses[1] < min(losses[0], losses[2])


def test_two_classes_have_the_same_temperature_as_two_of_several():
    scores, labels, weights = drawn(3000)
    two, several = (temperature(given, labels, weights) for given in (scores, np.stack([1 - scores, scores], axis=1)))
    assert several.temperature == pytest.approx(two.temperature, rel=1e-8)
    assert several.error == pytest.approx(two.error, rel=1e-6)
    both = np.stack([1 - scores, scores], axis=1)
    assert Temperature(1.7)(both)[:, 1] == pytest.approx(Temperature(1.7)(scores), rel=1e-9)


def test_classes_that_do_not_overlap_have_the_least_temperature():
    assert temperature(np.array([0.1, 0.9]), np.array([0, 1]), np.ones(2)).temperature == 0.01
    assert temperature(np.array([0.1, 0.9]), np.array([1, 0]), np.ones(2)).temperature == 100


def test_isotonic_steps_are_those_of_scikit_learn():
    scores, labels, _ = drawn(2000)
    weights = np.random.default_rng(2).lognormal(0, 1, 2000)
    found = isotonic(scores, labels, weights)
    # The event of each class at the wrong end is given to the oracle as one more event there.
    one = (weights**2).sum() / weights.sum()
    x, y = (np.append(scores, ends) for ends in ([scores.min(), scores.max()], [0, 0]))
    y = np.append(labels, [1.0, 0.0])
    oracle = IsotonicRegression().fit(x, y, sample_weight=np.append(weights, [one, one]))
    steps = np.unique(oracle.predict(scores))
    assert expit(found.after) == pytest.approx(steps, rel=1e-9)
    assert (oracle.predict(expit(found.before)) >= steps - 1e-9).all()


def test_steps_that_lie_close_are_joined_as_single_precision_would_not_tell_them_apart():
    rng = np.random.default_rng(5)
    at = np.repeat([-1.0, 0.0, 0.001, 1.0], 500)
    labels = (rng.random(2000) < np.repeat([0.1, 0.3, 0.6, 0.9], 500)).astype(np.int64)
    found = isotonic(expit(at), labels, np.ones(2000))
    assert found.before == pytest.approx([-1, 0.0005, 1], abs=1e-9)
    assert expit(found.after[1]) == pytest.approx(labels[500:1500].mean())


def test_isotonic_scores_keep_the_order_of_events_and_the_area_under_the_curve():
    scores, labels, weights = drawn(5000)
    mapped = isotonic(scores, labels, weights)(scores)
    assert (np.argsort(mapped) == np.argsort(scores)).all()
    assert roc_auc_score(labels, mapped) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert ((mapped > 0) & (mapped < 1)).all()


def test_beyond_the_last_knots_the_odds_keep_their_ratio():
    found = Isotonic(np.array([-1.0, 1.0]), np.array([-2.0, 0.5]))
    assert logits(found(expit(np.array([-3.0, -1.0, 0.0, 1.0, 4.0])))) == pytest.approx([-4, -2, -0.75, 0.5, 3.5])


def test_isotonic_calibration_lowers_the_loss_of_other_events():
    found, (scores, labels, _) = isotonic(*drawn()), drawn(seed=1)
    best = log_loss(labels, expit(logit(scores) / 2))
    assert log_loss(labels, scores) > best + 0.05
    assert log_loss(labels, found(scores)) < best + 0.005


@pytest.mark.parametrize("scores", [[0.3, 0.3, 0.3], [0.0, 1.0, 0.5], [0.2]])
def test_few_or_certain_scores_give_probabilities_that_are_not(scores):
    scores = np.array(scores)
    labels = (scores > 0.4).astype(np.int64)
    found = isotonic(scores, labels, np.ones(len(scores)))
    assert np.isfinite(found.after).all()


def test_negative_weights_count_as_zero():
    scores, labels, _ = drawn(3000)
    weights = np.random.default_rng(3).normal(0.8, 1, 3000)
    for method in ("temperature", "isotonic"):
        signed, clipped = (calibration_map(method, scores, labels, each) for each in (weights, np.maximum(weights, 0)))
        assert signed.to_dict() == clipped.to_dict()
    with pytest.raises(ValueError, match="needs events of positive weight"):
        calibration_map("isotonic", scores, labels, -np.ones(3000))


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_map_is_read_as_it_was_written(method):
    scores, labels, weights = drawn(500)
    found = calibration_map(method, scores, labels, weights)
    again = from_dict(json.loads(json.dumps(found.to_dict())))
    assert (again(scores) == found(scores)).all()


@pytest.mark.parametrize(
    "values",
    [
        None,
        {"method": "platt"},
        {"method": "temperature"},
        {"method": "temperature", "temperature": "1"},
        {"method": "temperature", "temperature": [1.0]},
        {"method": "temperature", "temperature": 1e9},
        {"method": "temperature", "temperature": float("nan")},
        {"method": "isotonic", "before": [0.0, 1.0], "after": [1.0]},
        {"method": "isotonic", "before": [0.0, 1.0], "after": [1.0, 0.5]},
        {"method": "isotonic", "before": [], "after": []},
        {"method": "isotonic", "before": [0.0, [1.0]], "after": [1.0, 2.0]},
        {"method": "isotonic", "before": [0.0, float("inf")], "after": [1.0, 2.0]},
        {"method": "isotonic", "before": 0.0, "after": 1.0},
    ],
)
def test_a_map_that_no_fit_left_is_refused(values):
    with pytest.raises(ValueError, match=r"must|rise"):
        from_dict(values)


def test_isotonic_is_for_two_classes():
    with pytest.raises(ValueError, match=r"for two classes, not 3; use temperature"):
        calibration_map("isotonic", np.full((4, 3), 1 / 3), np.zeros(4, dtype=np.int64), np.ones(4))


def test_a_prior_shift_is_bayes_formula():
    signal, background = 0.7, 0.2  # densities somewhere
    in_training = 0.5 * signal / (0.5 * signal + 0.5 * background)
    expected = 0.01 * signal / (0.01 * signal + 0.99 * background)
    assert shifted(in_training, 0.01 / 0.99) == pytest.approx(expected, rel=1e-12)
    assert shifted([0, 1, 0.3], 5)[:2] == pytest.approx([0, 1])
    assert shifted(0.3, 1) == pytest.approx(0.3)

"""Calibration finds what made the logits wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from hepclf.models.arrays import Matrix
from hepclf.models.platt import log_softmax, platt_scaling, probabilities


def part(logits, targets, weights=None):
    k = logits.shape[1]
    ones = np.ones(len(targets)) if weights is None else weights
    return Matrix(np.zeros((len(targets), 1), np.float32), targets, ones, ("x",), tuple("abcd"[:k]), {})


def drawn(k, events=50_000, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, size=(events, k))
    shares = np.exp(log_softmax(logits))
    return logits, (rng.random((events, 1)) > shares.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("k", [2, 3])
def test_the_slope_and_offsets_that_were_planted_are_found(k):
    logits, targets = drawn(k)
    wrong = (logits - np.arange(k)) * 4
    slope, offsets = platt_scaling(wrong, part(logits, targets))
    assert slope == pytest.approx(1 / 4, rel=0.03)
    assert offsets - offsets.mean() == pytest.approx(np.arange(k) - np.arange(k).mean(), abs=0.05)


def test_two_classes_and_weights_are_plain_logistic_regression():
    logits, targets = drawn(2, 4000)
    weights = np.random.default_rng(1).random(4000) + 0.5
    logits[:, 0] = 0
    slope, offsets = platt_scaling(logits, part(logits, targets, weights))
    theirs = LogisticRegression(C=1e6).fit(logits[:, 1:], targets, weights)
    assert slope == pytest.approx(theirs.coef_[0, 0], abs=0.005)
    assert offsets[1] - offsets[0] == pytest.approx(theirs.intercept_[0], abs=0.005)


def test_classes_that_do_not_overlap_keep_a_finite_slope():
    logits = np.c_[np.zeros(100), np.repeat([-1.0, 1.0], 50)]
    slope, offsets = platt_scaling(logits, part(logits, np.repeat([0, 1], 50)))
    # where the prior's pull on ln(slope) is that of the hundred events
    exact = brentq(lambda t: t - 100 * np.exp(t) / (1 + np.exp(np.exp(t))), 0, 5)
    assert slope == pytest.approx(np.exp(exact), rel=1e-3)
    assert offsets == pytest.approx([0, 0], abs=1e-6)


def test_the_order_is_kept_even_of_a_classifier_that_is_wrong():
    logits, targets = drawn(2, 1000)
    slope, _ = platt_scaling(-logits, part(logits, targets))
    assert slope > 0


def test_negative_weights_count_as_zero():
    logits, targets = drawn(2, 1000)
    weights = np.where(np.arange(1000) % 2, 1.0, -0.5)
    half = np.arange(1000) % 2 == 1
    found = platt_scaling(logits, part(logits, targets, weights))
    assert found.slope == pytest.approx(platt_scaling(logits[half], part(logits, targets[half])).slope, rel=1e-3)


def test_large_logits_are_probabilities():
    assert probabilities(np.array([[0.0, 800.0], [0.0, -800.0]])).tolist() == [1.0, 0.0]
    assert probabilities(np.array([[0.0, 800.0, 800.0]])).tolist() == [[0.0, 0.5, 0.5]]

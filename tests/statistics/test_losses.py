from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from hepclf.statistics.losses import brier, log_loss
from hepclf.statistics.value import NOTHING


def three(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, scores, rng.lognormal(0, 1, n)


def test_two_classes_are_those_of_scikit_learn(drawn):
    labels, scores, w = drawn(3000)
    found = log_loss(labels, scores, w), brier(labels, scores, w)
    assert found[0].value == pytest.approx(metrics.log_loss(labels, scores, sample_weight=w), rel=0, abs=1e-12)
    assert found[1].value == pytest.approx(metrics.brier_score_loss(labels, scores, sample_weight=w), rel=0, abs=1e-12)


def test_several_classes_are_those_of_scikit_learn():
    labels, scores, w = three()
    assert log_loss(labels, scores, w).value == pytest.approx(
        metrics.log_loss(labels, scores, sample_weight=w), rel=0, abs=1e-12
    )
    distance = ((scores - np.eye(3)[labels]) ** 2).sum(axis=1)
    assert brier(labels, scores, w).value == pytest.approx(np.average(distance, weights=w), rel=0, abs=1e-12)


def test_a_certain_mistake_costs_what_scikit_learn_says():
    labels, scores = np.array([0, 1, 1]), np.array([1.0, 0.0, 1.0])
    assert log_loss(labels, scores, np.ones(3)).value == pytest.approx(metrics.log_loss(labels, scores), abs=1e-12)
    assert log_loss(labels, scores, np.ones(3)).value == pytest.approx(2 / 3 * 52 * np.log(2))


def test_the_truth_as_a_score_has_the_loss_of_the_mixture():
    """Equal-width Gaussians 2 apart: scores that are the true probabilities give the least loss there is."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 50_000)
    x = rng.normal(size=100_000) + 2 * labels
    scores = 1 / (1 + np.exp(-(2 * x - 2)))
    grid = np.linspace(-8, 10, 20_001)
    p, density = 1 / (1 + np.exp(-(2 * grid - 2))), np.exp(-((grid - 2) ** 2) / 2) / np.sqrt(2 * np.pi)
    best = {log_loss: np.trapezoid(-np.log(p) * density, grid), brier: np.trapezoid((1 - p) ** 2 * density, grid)}
    for loss, least in best.items():
        found = loss(labels, scores, np.ones(100_000))
        assert abs(found.value - least) < 3 * found.error


@pytest.mark.parametrize("loss", [log_loss, brier])
def test_the_errors_are_those_of_a_bootstrap(drawn, loss):
    labels, scores, w = drawn(1500, seed=4)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(500):
        times = rng.poisson(1, len(w))
        means.append(loss(labels, scores, w * times).value)
    assert loss(labels, scores, w).error == pytest.approx(np.std(means), rel=0.12)


@pytest.mark.parametrize("loss", [log_loss, brier])
def test_no_weight_has_no_loss_and_negative_weights_keep_theirs(loss):
    assert loss(np.array([0, 1]), np.array([0.1, 0.9]), np.array([1.0, -1.0])) == NOTHING
    assert loss(np.array([], dtype=int), np.array([]), np.array([])) == NOTHING
    labels, scores, w = np.array([0, 1, 1]), np.array([0.5, 0.5, 0.5]), np.array([2.0, 2.0, -1.0])
    assert loss(labels, scores, w).value == pytest.approx({log_loss: np.log(2), brier: 0.25}[loss])

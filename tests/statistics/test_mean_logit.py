from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn import metrics

from hepclf.statistics.mean_logit import greedy, log_probabilities


def noisy(sizes, n=4000, seed=0):
    """Labels drawn from known logits, weights, and the scores of candidates that see the logits with noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, n)
    labels = (rng.random(n) < expit(truth)).astype(np.int64)
    scores = np.stack([expit(truth + rng.normal(0, size, n)) for size in sizes])
    return scores, labels, rng.lognormal(0, 0.3, n)


def loss_of(scores, labels, weights, shares):
    """scikit-learn's log-loss of the mean logit."""
    mean = expit(np.average(logit(scores), axis=0, weights=shares))
    return metrics.log_loss(labels, mean, sample_weight=weights)


def test_each_step_takes_the_candidate_that_lowers_the_loss_most():
    scores, labels, weights = noisy([0.8, 0.9, 1.5])
    found = greedy(log_probabilities(scores), labels, weights, rounds=6)
    counts = np.zeros(3)
    for name, loss in zip(found.orders[0], found.losses[0], strict=True):
        trials = [loss_of(scores, labels, weights, counts + step) for step in np.eye(3)]
        assert name == int(np.argmin(trials))
        assert loss == pytest.approx(min(trials), rel=1e-9)
        counts[name] += 1
    np.testing.assert_allclose(found.shares, counts / counts.sum())


def test_equally_good_independent_candidates_share_alike_and_a_useless_one_gets_nothing():
    scores, labels, weights = noisy([0.7, 0.7, 0.7], n=10_000)
    useless = np.concatenate([scores, expit(np.random.default_rng(1).normal(0, 3, (1, 10_000)))])
    found = greedy(log_probabilities(useless), labels, weights, rounds=50)
    np.testing.assert_allclose(found.shares[:3], 1 / 3, atol=0.08)  # measured 0.03 to 0.07 over six seeds
    assert found.shares[3] == 0


def test_the_selection_is_close_to_the_best_of_all_weights():
    scores, labels, weights = noisy([0.6, 0.9, 1.2])
    grid = [shares for shares in product(range(6), repeat=3) if sum(shares) == 5]
    best = min(loss_of(scores, labels, weights, shares) for shares in grid)
    found = greedy(log_probabilities(scores), labels, weights, rounds=50)
    assert loss_of(scores, labels, weights, found.shares) < best + 2e-5


def test_a_candidate_that_nothing_improves_stands_alone():
    scores, labels, weights = noisy([0.1, 3.0])
    found = greedy(log_probabilities(scores), labels, weights, rounds=20)
    assert found.shares.tolist() == [1, 0]
    assert found.orders == ((0,),)


def test_bags_choose_among_half_of_the_candidates_and_depend_on_the_seed_alone():
    scores, labels, weights = noisy(np.linspace(0.8, 1.2, 8))
    first, again, other = (
        greedy(log_probabilities(scores), labels, weights, rounds=20, bags=5, seed=seed) for seed in (3, 3, 4)
    )
    assert first.orders == again.orders != other.orders
    assert all(len(set(order)) <= 4 for order in first.orders)
    assert first.shares.sum() == pytest.approx(1)
    mean = np.mean([np.bincount(order, minlength=8) / len(order) for order in first.orders], axis=0)
    np.testing.assert_allclose(first.shares, mean)


def test_several_classes_have_the_loss_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 500)
    logits = rng.normal(size=(2, 500, 3)) + np.eye(3)[labels]
    found = greedy(log_probabilities(softmax(logits, axis=2)), labels, np.ones(500), rounds=2)
    mean = softmax(np.average(logits, axis=0, weights=found.shares), axis=1)
    assert found.losses[0][-1] == pytest.approx(metrics.log_loss(labels, mean))

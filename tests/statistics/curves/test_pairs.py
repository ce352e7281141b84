from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.statistics.curves.pairs import averages, pair_probability, pairs
from hepclf.statistics.value import NOTHING


def drawn(n=1500, k=4, seed=0, heavy=True, ties=False):
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        scores = np.round(scores, 1) + 1e-3
        scores /= scores.sum(axis=1, keepdims=True)
    return labels, scores, rng.lognormal(0, 0.6, n) if heavy else np.ones(n)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("k", [3, 4])
def test_averages_are_those_of_scikit_learn(k, ties):
    labels, scores, weights = drawn(k=k, heavy=False, ties=ties)
    found = averages(labels, scores, weights)._asdict()
    for kind, long in (("ovr", "one_vs_rest"), ("ovo", "one_vs_one")):
        for average in ("macro", "weighted"):
            oracle = roc_auc_score(labels, scores, multi_class=kind, average=average)
            assert found[f"{long}_{average}"].value == pytest.approx(oracle, rel=0, abs=1e-12)


def test_averages_over_classes_honour_weights_as_scikit_learn_does():
    labels, scores, weights = drawn()
    found = averages(labels, scores, weights)
    for average, value in (("macro", found.one_vs_rest_macro), ("weighted", found.one_vs_rest_weighted)):
        oracle = roc_auc_score(labels, scores, multi_class="ovr", average=average, sample_weight=weights)
        assert value.value == pytest.approx(oracle, rel=0, abs=1e-12)


def test_averages_over_pairs_count_an_event_as_often_as_its_weight():
    labels, scores, _ = drawn(400)
    times = np.random.default_rng(1).integers(1, 5, 400)
    repeated = np.repeat(np.arange(400), times)
    found = averages(labels, scores, times.astype(float))
    for average, value in (("macro", found.one_vs_one_macro), ("weighted", found.one_vs_one_weighted)):
        oracle = roc_auc_score(labels[repeated], scores[repeated], multi_class="ovo", average=average)
        assert value.value == pytest.approx(oracle, rel=0, abs=1e-12)


def test_the_errors_of_the_averages_are_those_of_replicas():
    labels, scores, weights = drawn(800, k=3)
    found, rng = averages(labels, scores, weights), np.random.default_rng(2)
    replicas = np.array(
        [[value.value for value in averages(labels, scores, weights * rng.poisson(1, 800))] for _ in range(60)]
    )
    # 60 replicas know a spread to 9 %
    np.testing.assert_allclose([value.error for value in found], replicas.std(axis=0), rtol=0.3)


def test_a_pair_is_told_apart_by_the_ratio_of_its_two_probabilities():
    labels, scores, weights = drawn()
    for first, second, auc, _ in pairs(labels, scores, weights):
        both = (labels == first) | (labels == second)
        value = scores[both, first] / (scores[both, first] + scores[both, second])
        oracle = roc_auc_score(labels[both] == first, value, sample_weight=weights[both])
        assert auc.value == pytest.approx(oracle, rel=0, abs=1e-12)


def test_a_class_without_weight_has_no_areas():
    labels, scores, weights = drawn(k=3)
    weights = np.where(labels == 1, 0.0, weights)
    assert set(averages(labels, scores, weights)) == {NOTHING}
    assert [pair.auc == NOTHING for pair in pairs(labels, scores, weights)] == [True, False, True]


def test_two_probabilities_of_zero_say_nothing():
    assert pair_probability(np.array([0.0, 0.2]), np.array([0.0, 0.6])).tolist() == [0.5, 0.25]

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from hepclf.statistics.confusion import confusion_matrix
from hepclf.statistics.value import NOTHING


def decided(n=2000, k=2, seed=0, signed=False):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    decisions = np.where(rng.random(n) < 0.6, labels, rng.integers(0, k, n))
    return labels, decisions, rng.normal(0.7, 1, n) if signed else rng.lognormal(0, 1, n)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_every_figure_is_the_one_of_scikit_learn(k):
    labels, decisions, w = decided(k=k)
    found = confusion_matrix(labels, decisions, w, k)
    of, average = ([1], "binary") if k == 2 else (list(range(k)), "macro")
    exactly = {"rel": 0, "abs": 1e-12}
    np.testing.assert_allclose(found.weights, metrics.confusion_matrix(labels, decisions, sample_weight=w), rtol=1e-12)
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(labels, decisions))
    np.testing.assert_allclose(found.squares, metrics.confusion_matrix(labels, decisions, sample_weight=w**2))
    rows = metrics.confusion_matrix(labels, decisions, sample_weight=w, normalize="true")
    np.testing.assert_allclose(found.fractions, rows, rtol=1e-12)
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(labels, decisions, sample_weight=w), **exactly)
    for name, oracle in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        expected = oracle(labels, decisions, sample_weight=w, average=average)
        assert getattr(found, name)(of).value == pytest.approx(expected, **exactly)


def test_rows_are_the_truth_by_hand():
    found = confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]), np.array([1, 2, 3, 4, 5.0]), 2)
    np.testing.assert_array_equal(found.weights, [[1, 2], [5, 7]])
    np.testing.assert_array_equal(found.squares, [[1, 4], [25, 25]])
    np.testing.assert_array_equal(found.counts, [[1, 1], [1, 2]])
    assert found.accuracy.value == pytest.approx(8 / 15)
    assert found.precision([1]).value == pytest.approx(7 / 9)
    assert found.recall([1]).value == pytest.approx(7 / 12)
    assert found.f1([1]).value == pytest.approx(14 / 21)
    assert found.recall([0]).value == pytest.approx(1 / 3)


def test_the_error_of_a_share_of_equal_weights_is_binomial():
    labels, decisions, _ = decided(500)
    for weight in (1.0, 3.0):
        found = confusion_matrix(labels, decisions, np.full(500, weight), 2)
        for value, n in (
            (found.accuracy, 500),
            (found.recall([1]), (labels == 1).sum()),
            (found.precision([1]), (decisions == 1).sum()),
        ):
            assert value.error == pytest.approx(np.sqrt(value.value * (1 - value.value) / n), rel=1e-10)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("k", [2, 3])
def test_the_errors_are_those_of_a_bootstrap(k, signed):
    labels, decisions, w = decided(1500, k, signed=signed)
    of = [1] if k == 2 else list(range(k))
    rng = np.random.default_rng(1)
    repeated = [confusion_matrix(labels, decisions, w * rng.poisson(1, len(w)), k) for _ in range(500)]
    found = confusion_matrix(labels, decisions, w, k)
    assert found.accuracy.error == pytest.approx(np.std([one.accuracy.value for one in repeated]), rel=0.12)
    for name in ("precision", "recall", "f1"):
        spread = np.std([getattr(one, name)(of).value for one in repeated])
        assert getattr(found, name)(of).error == pytest.approx(spread, rel=0.12)


def test_a_class_that_is_never_decided_for_has_no_precision():
    found = confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 0]), np.ones(3), 2)
    assert found.precision([1]) == NOTHING
    assert found.recall([1]) == (0.0, None)
    assert found.f1([1]) == (0.0, None)
    assert found.accuracy.value == pytest.approx(1 / 3)


def test_a_class_without_events_has_no_recall():
    found = confusion_matrix(np.array([1, 1]), np.array([0, 1]), np.ones(2), 2)
    assert found.recall([0]) == NOTHING
    assert found.precision([0]) == (0.0, None)
    assert found.precision([0, 1]).value == 0.5
    assert np.isnan(found.fractions[0]).all()
    np.testing.assert_array_equal(found.fractions[1], [0.5, 0.5])


def test_nothing_at_all_has_no_figure():
    for labels, weights in (([], []), ([0, 1], [1.0, -1.0])):
        found = confusion_matrix(np.array(labels, dtype=int), np.array(labels, dtype=int), np.array(weights), 2)
        assert found.accuracy == NOTHING


def test_all_right_has_no_error_of_zero():
    found = confusion_matrix(np.array([0, 1]), np.array([0, 1]), np.ones(2), 2)
    assert (found.accuracy, found.precision([1]), found.f1([1])) == ((1.0, None), (1.0, None), (1.0, None))

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.retrieval import average_precision, purity
from hepclf.statistics.curves.roc import curve
from hepclf.statistics.value import NOTHING


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


@pytest.mark.parametrize("weights", ["unit", "heavy"])
@pytest.mark.parametrize("ties", [None, 15])
def test_the_average_precision_is_that_of_scikit_learn(drawn, ties, weights):
    labels, scores, w = drawn(3000, seed=1, ties=ties, weights=weights)
    expected = average_precision_score(labels, scores, sample_weight=w)
    assert average_precision(of(labels, scores, w)).value == pytest.approx(expected, rel=0, abs=1e-12)


def test_the_purity_is_the_precision_of_scikit_learn(drawn):
    labels, scores, w = drawn(500, seed=2, ties=40)
    full = of(labels, scores, w)
    precision, _, thresholds = precision_recall_curve(labels, scores, sample_weight=w)
    pure, _ = purity(full, np.arange(len(full.thresholds)))
    np.testing.assert_allclose(thresholds[::-1], full.thresholds)
    np.testing.assert_allclose(pure, precision[:-1][::-1], rtol=0, atol=1e-12)


def test_the_error_of_a_purity_is_binomial_for_equal_weights():
    full = of([1] * 30 + [0] * 10, np.full(40, 0.5), np.full(40, 0.1))
    pure, error = purity(full, np.array([0]))
    assert (pure[0], error[0]) == pytest.approx((0.75, np.sqrt(0.75 * 0.25 / 40)))


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_errors_are_the_spread_over_repeated_samples(drawn, weights):
    # Two samples of 1000 events, 300 times: spreads are known to 4 %; measured 0.95 to 1.03.
    found, pure = [], []
    for seed in range(300):
        full = of(*drawn(1000, seed=seed, weights="unit" if weights == "signed" else weights, ties=30))
        if weights == "signed":
            sign = np.where(np.random.default_rng(seed + 1000).random(1000) < 0.1, -1.0, 1.0)
            full = of(*drawn(1000, seed=seed, weights="unit", ties=8)[:2], sign)
        found.append(average_precision(full))
        pure.append([column[0] for column in purity(full, np.array([int(np.sum(full.thresholds >= 0.6)) - 1]))])
    assert all(one.error is not None for one in found)
    spread = np.std([one.value for one in found], ddof=1)
    assert np.sqrt(np.mean([one.error**2 for one in found])) / spread == pytest.approx(1, abs=0.12)
    values, errors = np.array(pure).T
    assert np.sqrt(np.mean(errors**2)) / np.std(values, ddof=1) == pytest.approx(1, abs=0.12)


def test_a_tagger_that_knows_nothing_has_the_share_of_signal():
    full = of([1, 0, 0, 0], np.full(4, 0.5), np.ones(4))
    assert average_precision(full).value == 0.25


def test_a_perfect_tagger_has_an_average_precision_of_one_without_error():
    assert average_precision(of([1, 1, 0], [0.9, 0.8, 0.1], np.ones(3))) == (1.0, None)


def test_a_class_without_weight_has_no_average_precision():
    assert average_precision(of([1, 1], [0.9, 0.8], np.ones(2))) == NOTHING


def test_signal_above_a_cut_that_keeps_no_positive_weight_has_no_purity():
    full = of([0, 1, 1, 0], [0.9, 0.8, 0.7, 0.6], [-2, 1, 4, 5.0])
    pure, _ = purity(full, np.arange(4))
    np.testing.assert_array_equal(np.isnan(pure), [True, True, False, False])
    assert average_precision(full) == NOTHING

from __future__ import annotations

import math

import numpy as np
import pytest

from hepclf.evaluation.value import (
    NOTHING,
    Value,
    effective_count,
    efficiency_error,
    measured,
    positive,
    rejection_error,
    weighted_mean,
)


def test_the_error_of_an_efficiency_is_that_of_atlas_ftag_tools():
    np.testing.assert_allclose(efficiency_error([0.05, 0.02, 0.01], 100), [0.02179449, 0.014, 0.00994987], rtol=1e-6)


def test_the_error_of_a_rejection_is_that_of_puma():
    np.testing.assert_allclose(rejection_error([20, 50, 100], 100), [8.717798, 35.0, 99.498744], rtol=1e-7)


def test_an_efficiency_out_of_range_or_without_events_has_no_error():
    assert np.isnan(efficiency_error([-0.1, 1.1, 0.5, 0.5], [10, 10, 0, -1])).all()
    np.testing.assert_array_equal(efficiency_error([0, 1], 10), [0, 0])


def test_effective_events_of_weights():
    assert effective_count(10.0, 10.0) == 10
    weights = np.array([1, 2, 3.0])
    assert effective_count(weights.sum(), weights @ weights) == pytest.approx(36 / 14)
    assert effective_count(0.0, 0.0) == 0


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ((1.5, 0.5), Value(1.5, 0.5)),
        ((1.5, math.nan), Value(1.5, None)),
        ((1.5, math.inf), Value(1.5, None)),
        ((1.5, 0.0), Value(1.5, None)),
        ((1.5,), Value(1.5, None)),
        ((math.nan, 0.5), NOTHING),
        ((math.inf, 0.5), NOTHING),
    ],
)
def test_what_is_not_finite_and_an_error_of_zero_are_null(given, value):
    assert measured(*given) == value


def test_a_sum_of_rounding_is_no_sum():
    assert not positive(0.1 + 0.2 - 0.3, 0.14)
    assert not positive(-1.0, 1.0)
    assert not positive(0.0, 0.0)
    assert positive(1e-100, 1e-200)
    assert positive(1.0, 1e12)
    rng = np.random.default_rng(0)
    half = rng.lognormal(0, 1, 500_000)
    cancelling = rng.permutation(np.concatenate([half, -half]))
    assert not positive(abs(float(np.cumsum(cancelling)[-1])), float(cancelling @ cancelling))


def test_a_weighted_mean_by_hand():
    values, weights = np.array([1, 2, 4.0]), np.array([1, 1, 2.0])
    mean = 11 / 4
    n = 16 / 6
    spread = (1.75**2 + 0.75**2 + 4 * 1.25**2) / 16 * n / (n - 1)
    assert weighted_mean(values, weights) == pytest.approx((mean, math.sqrt(spread)))


def test_the_error_of_equal_weights_is_the_one_of_the_mean():
    values = np.random.default_rng(1).normal(size=50)
    expected = (values.mean(), values.std(ddof=1) / math.sqrt(50))
    for weight in (1.0, 7.0):
        assert weighted_mean(values, np.full(50, weight)) == pytest.approx(expected)


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -1.0], [-1.0, -2.0]])
def test_without_a_positive_sum_there_is_no_mean(weights):
    assert weighted_mean(np.arange(len(weights), dtype=float), np.array(weights)) == NOTHING


def test_one_event_has_a_mean_without_error():
    assert weighted_mean(np.array([3.0]), np.array([2.0])) == (3.0, None)

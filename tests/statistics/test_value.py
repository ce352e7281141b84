from __future__ import annotations

import math

import numpy as np
import pytest

from hepclf.statistics.value import (
    NOTHING,
    Value,
    effective_count,
    efficiency_error,
    has_positive_sum,
    measured,
    weighted_mean,
)


def test_the_error_of_an_efficiency_is_that_of_atlas_ftag_tools():
    passing = np.array([5, 2, 1])
    expected = [0.02179449, 0.014, 0.00994987]
    np.testing.assert_allclose(efficiency_error(passing, 100, passing, 100), expected, rtol=1e-6)


def test_the_error_of_a_rejection_is_that_of_puma():
    rejection = np.array([20, 50, 100])
    found = rejection**2 * efficiency_error(100 / rejection, 100, 100 / rejection, 100)
    np.testing.assert_allclose(found, [8.717798, 35.0, 99.498744], rtol=1e-7)


@pytest.mark.parametrize("kind", ["falling", "rising", "signed"])
def test_the_error_of_an_efficiency_holds_where_those_that_pass_weigh_otherwise(kind):
    rng = np.random.default_rng(3)
    weigh = {
        "falling": lambda x: np.exp(-x),
        "rising": np.exp,
        "signed": lambda x: np.where(x % 0.2 < 0.03, -1.0, 1.0),
    }
    found, quoted = [], []
    for _ in range(2000):
        x = rng.normal(size=500)
        w, passing = weigh[kind](x), x > 0.8
        found.append(w[passing].sum() / w.sum())
        squares = w**2
        quoted.append(efficiency_error(w[passing].sum(), w.sum(), squares[passing].sum(), squares.sum()))
    assert np.mean(quoted) / np.std(found) == pytest.approx(1, abs=0.15)  # measured 0.97 to 1.01


def test_an_efficiency_without_events_has_no_error():
    assert np.isnan(efficiency_error([0, 1], [0, -1], [0, 1], [0, 1])).all()
    np.testing.assert_array_equal(efficiency_error([0, 10], 10, [0, 10], 10), [0, 0])


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
    assert not has_positive_sum(0.1 + 0.2 - 0.3, 0.14)
    assert not has_positive_sum(-1.0, 1.0)
    assert not has_positive_sum(0.0, 0.0)
    assert has_positive_sum(1e-100, 1e-200)
    assert has_positive_sum(1.0, 1e12)
    rng = np.random.default_rng(0)
    half = rng.lognormal(0, 1, 500_000)
    cancelling = rng.permutation(np.concatenate([half, -half]))
    assert not has_positive_sum(abs(float(np.cumsum(cancelling)[-1])), float(cancelling @ cancelling))


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


def test_a_value_is_printed_with_two_digits_of_its_error_and_keeps_all_in_its_repr():
    value = Value(50.8333942054904, 3.85)
    assert str(value) == f"{value}" == "50.8 ± 3.9"
    assert repr(value) == "Value(value=50.8333942054904, error=3.85)"
    assert str(Value(None)) == "-"


def test_one_event_has_a_mean_without_error():
    assert weighted_mean(np.array([3.0]), np.array([2.0])) == (3.0, None)


def test_an_error_or_a_difference_that_is_only_rounding_is_none_or_zero():
    assert measured(1.0, 1e-13) == (1.0, None)
    assert measured(1.554e-15, 1.1e-17, rounding=1e-12) == (0.0, None)
    assert measured(3e-9, 2e-4, rounding=1e-7) == (3e-9, 2e-4)
    assert measured(0.02, 1e-9, rounding=1e-7) == (0.02, None)
    assert measured(-0.02, None, rounding=1e-7) == (-0.02, None)


def test_equal_values_have_a_mean_without_an_error():
    weights = np.random.default_rng(0).exponential(size=3000)
    assert weighted_mean(np.full(3000, 0.1), weights).error is None

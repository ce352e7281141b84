from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kstest

from hepclf.statistics.shapes.flat import flatness_test


def sums(bins, weights, kept):
    return [
        np.bincount(bins, column, minlength=8) for column in (weights, weights**2, weights * kept, weights**2 * kept)
    ]


@pytest.mark.parametrize("weight", [1.0, 0.01])
def test_for_equal_weights_it_is_the_test_of_a_contingency_table(weight):
    rng = np.random.default_rng(0)
    total = rng.integers(50, 400, 8)
    kept = rng.binomial(total, np.linspace(0.2, 0.4, 8))
    oracle = chi2_contingency([kept, total - kept], correction=False)
    found = flatness_test(weight * total, weight**2 * total, weight * kept, weight**2 * kept)
    assert found.chi2 == pytest.approx(oracle.statistic, rel=1e-10)
    assert (found.degrees, found.p, found.enough) == (7, pytest.approx(oracle.pvalue, rel=1e-8), True)


@pytest.mark.parametrize("kind", ["unit", "heavy", "signed", "heavier above"])
def test_a_flat_efficiency_has_uniform_p_values(kind):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(400):
        kept = rng.random(3000) < 0.15
        weights = {
            "unit": np.ones(3000),
            "heavy": rng.lognormal(0, 0.8, 3000),
            "signed": np.where(rng.random(3000) < 0.2, -1.0, 1.0),
            "heavier above": rng.lognormal(kept, 0.5),
        }[kind]
        found.append(flatness_test(*sums(rng.integers(0, 8, 3000), weights, kept)).p)
    assert kstest(found, "uniform").pvalue > 0.01


def test_an_efficiency_that_changes_is_found():
    rng = np.random.default_rng(4)
    bins = rng.integers(0, 8, 4000)
    assert flatness_test(*sums(bins, np.ones(4000), rng.random(4000) < 0.1 + 0.02 * bins)).p < 1e-8


def test_a_bin_without_weight_takes_no_part():
    total, kept = np.array([100.0, 0.0, 200.0]), np.array([20.0, 0.0, 30.0])
    squares, kept_squares = np.array([100.0, 6.0, 200.0]), np.array([20.0, 3.0, 30.0])
    assert flatness_test(total, squares, kept, kept_squares).degrees == 1


def test_few_events_are_said_to_be_few():
    assert not flatness_test(*([np.full(4, 30.0)] * 2), *([np.array([1.0, 2, 3, 2])] * 2)).enough


@pytest.mark.parametrize("kept", [0.0, 50.0])
def test_all_or_nothing_cannot_be_tested(kept):
    assert flatness_test(*([np.full(3, 50.0)] * 2), *([np.full(3, kept)] * 2)) == (None, 2, None, False)
    assert flatness_test(np.ones(1), np.ones(1), np.ones(1), np.ones(1)) == (None, 0, None, False)

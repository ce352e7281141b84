from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.shapes.correlation import correlation


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3))
    x[:, 1] += 0.8 * x[:, 0]
    return 1e6 + x


def test_without_weights_it_is_numpys(columns):
    assert correlation(columns, np.ones(500)).value == pytest.approx(np.corrcoef(columns.T), abs=1e-9)


def test_weights_count_as_that_many_events(columns):
    counts = np.random.default_rng(1).integers(0, 4, 500)
    repeated = np.repeat(columns, counts, axis=0)
    assert correlation(columns, counts.astype(float)).value == pytest.approx(np.corrcoef(repeated.T), abs=1e-9)


def test_a_pair_is_taken_where_both_are_known(columns):
    gaps = columns.copy()
    gaps[::3, 0] = gaps[1::4, 2] = np.nan
    weights = np.random.default_rng(2).lognormal(0, 1, 500)
    found = correlation(gaps, weights).value
    for i in range(3):
        for j in range(3):
            both = ~np.isnan(gaps[:, i]) & ~np.isnan(gaps[:, j])
            cov = np.cov(gaps[both][:, i], gaps[both][:, j], aweights=weights[both])
            assert found[i, j] == pytest.approx(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]), abs=1e-8)


@pytest.mark.parametrize("kind", ["unit", "heavy", "signed", "gaps"])
def test_the_error_is_the_spread_over_samples(kind):
    rng = np.random.default_rng(3)
    values, errors = [], []
    for _ in range(300):
        x = rng.exponential(size=(400, 2))
        x[:, 1] += 0.7 * x[:, 0]
        weights = {"heavy": rng.lognormal(0, 0.7, 400), "signed": np.where(rng.random(400) < 0.15, -1.0, 1.0)}
        if kind == "gaps":
            x[rng.random(400) < 0.3, 0] = np.nan
        found = correlation(x, weights.get(kind, np.ones(400)))
        values.append(found.value[0, 1])
        errors.append(found.error[0, 1])
    # The spread of 300 is known to 4 %.
    assert np.sqrt(np.mean(np.square(errors))) / np.std(values, ddof=1) == pytest.approx(1, abs=0.15)


def test_gaussian_columns_have_fishers_error():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200_000, 2))
    x[:, 1] += 0.5 * x[:, 0]
    found = correlation(x, np.ones(200_000))
    r = found.value[0, 1]
    assert found.error[0, 1] == pytest.approx((1 - r**2) / np.sqrt(200_000), rel=0.02)
    assert found.error[0, 0] == pytest.approx(0, abs=1e-9)


def test_a_constant_or_unknown_column_has_none(columns):
    columns[:, 1], columns[:, 2] = 7, np.nan
    found = correlation(columns, np.ones(500)).value
    assert np.isnan(found[1]).all()
    assert np.isnan(found[2]).all()
    assert found[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("gap", [False, True])
def test_weights_of_both_signs_that_give_more_than_one_give_none(gap):
    x = np.array([[0, 0], [1, 1], [2, 2], [0, 2], [2, 0], [1, np.nan if gap else 1]], dtype=float)
    found = correlation(x, np.array([3, 1, 3, -1, -1, 1.0]))
    assert np.isnan(found.value[0, 1])
    assert np.isnan(found.error[0, 1])
    assert found.value[0, 0] == pytest.approx(1)
    known = correlation(x, np.array([3, 1, 3, 1, 1, 1.0]))
    assert 0 < known.value[0, 1] < 1

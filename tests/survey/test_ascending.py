from __future__ import annotations

import numpy as np
import pytest

from hepclf.survey import ascending
from hepclf.survey.ascending import Ascending


@pytest.fixture
def column():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1e3, 400), np.round(rng.normal(0, 2, 600)), [0.0, -0.0, 1e-45, -3e38, 3e38]])
    values[::37] = np.nan
    values[5], values[6] = np.inf, -np.inf
    return rng.permutation(values).astype(np.float32)


@pytest.mark.parametrize("stretch", [1, 7, 1 << 16])
def test_the_stretches_are_the_sorted_finite_values_and_their_places(column, stretch, monkeypatch):
    monkeypatch.setattr(ascending, "CHUNK", stretch)
    parts = list(Ascending(column).chunks())
    values, places = (np.concatenate([part[field] for part in parts]) for field in (0, 1))
    np.testing.assert_array_equal(values, np.sort(column[np.isfinite(column)]).astype(np.float64))
    np.testing.assert_array_equal(column[places], values)
    assert sorted(places) == np.flatnonzero(np.isfinite(column)).tolist()


@pytest.mark.parametrize("stretch", [1, 7, 1 << 16])
def test_a_tie_is_never_cut(column, stretch, monkeypatch):
    monkeypatch.setattr(ascending, "CHUNK", stretch)
    distinct = [value for part in Ascending(column).chunks() for value in part.values[part.ends]]
    assert distinct == np.unique(column[np.isfinite(column)]).tolist()


def test_a_rank_has_its_value(column):
    order = Ascending(column)
    ordered = np.sort(column[np.isfinite(column)])
    assert [order.value(rank) for rank in (0, 17, len(order) - 1)] == [ordered[0], ordered[17], ordered[-1]]


def test_nothing_finite_has_no_stretches():
    assert list(Ascending(np.array([np.nan, np.inf], dtype=np.float32)).chunks()) == []

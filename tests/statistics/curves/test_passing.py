from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.curves.passing import passing
from hepclf.statistics.value import Value

CUTS = np.array([0.7, 0.2, 0.5])  # in no order


@pytest.fixture
def events():
    rng = np.random.default_rng(0)
    return np.round(rng.random(500), 2), rng.integers(-1, 4, 500), rng.normal(0.6, 1, 500)


def test_the_sums_are_those_of_each_group_and_cut_alone(events):
    scores, groups, weights = events
    found = passing(scores, CUTS, groups, weights, 4)
    for group in range(4):
        of = groups == group
        assert found.total[group] == pytest.approx(weights[of].sum(), abs=1e-12)
        assert found.squares[group] == pytest.approx((weights[of] ** 2).sum(), abs=1e-12)
        for place, cut in enumerate(CUTS):
            kept = of & (scores >= cut)
            assert found.passing[group, place] == pytest.approx(weights[kept].sum(), abs=1e-12)
            assert found.passing_squares[group, place] == pytest.approx((weights[kept] ** 2).sum(), abs=1e-12)


def test_the_error_of_an_efficiency_is_that_of_its_events(events):
    scores, groups, weights = events
    value, error = passing(scores, CUTS, groups, weights, 4).value(2, 1)
    w, kept = weights[groups == 2], scores[groups == 2] >= CUTS[1]
    assert value == pytest.approx(w[kept].sum() / w.sum(), rel=1e-12)
    assert error == pytest.approx(np.sqrt((w**2 * (kept - value) ** 2).sum()) / w.sum(), rel=1e-10)


def test_a_score_at_the_cut_passes():
    assert passing(np.array([0.5]), CUTS, np.array([0]), np.ones(1), 1).passing.tolist() == [[0, 1, 1]]


def test_groups_without_a_positive_sum_of_weights_have_no_efficiency():
    found = passing(np.ones(3), CUTS, np.array([0, 1, 1]), np.array([1.0, 1.0, -1.0]), 3)
    assert [found.value(group, 0) for group in range(3)] == [Value(1.0), Value(None), Value(None)]


def test_merged_groups_are_the_sums_of_their_parts(events):
    scores, groups, weights = events
    fine = passing(scores, CUTS, groups, weights, 4).merged(np.array([1, 0, 1, -1]), 2)
    plain = passing(scores, CUTS, np.array([1, 0, 1, -1, -1])[groups], weights, 2)
    for name in ("total", "squares", "passing", "passing_squares"):
        np.testing.assert_allclose(getattr(fine, name), getattr(plain, name), rtol=1e-12)


def test_no_cuts_and_no_events_are_no_accident():
    none = passing(np.empty(0), CUTS, np.empty(0, dtype=int), np.empty(0), 2)
    assert none.passing.shape == (2, 3)
    assert np.isnan(none.efficiency).all()
    assert passing(np.ones(3), np.empty(0), np.zeros(3, dtype=int), np.ones(3), 1).passing.shape == (1, 0)

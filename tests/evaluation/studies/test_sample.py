from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.studies.sample import sample


def test_all_events_are_taken_where_they_are_few():
    places, factors = sample(np.array([1, 0, 1]), np.ones(3), 10, np.random.default_rng(0))
    assert places.tolist() == [0, 1, 2]
    assert factors.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("counts", "most", "taken"),
    [([900, 100], 200, [100, 100]), ([950, 50], 200, [150, 50]), ([500, 0, 500], 100, [50, 0, 50])],
)
def test_kinds_share_alike_and_what_a_rare_one_leaves_goes_to_the_others(counts, most, taken):
    kinds = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    places, factors = sample(kinds, np.ones(len(kinds)), most, np.random.default_rng(2))
    assert np.bincount(kinds[places], minlength=len(counts)).tolist() == taken
    assert (np.diff(places) > 0).all()
    # Every kind keeps its weight.
    assert np.bincount(kinds[places], factors, minlength=len(counts)) == pytest.approx(counts)


def test_events_of_weight_zero_are_drawn_only_where_there_are_no_others():
    kinds, weights = np.arange(1000) % 2, np.where(np.arange(1000) % 5, 1.0, 0.0)
    places, factors = sample(kinds, weights, 100, np.random.default_rng(0))
    assert (weights[places] == 1).all()
    assert np.bincount(kinds[places], factors) == pytest.approx([400, 400])
    assert len(sample(kinds, np.zeros(1000), 100, np.random.default_rng(0))[0]) == 100

from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.shapes.bins import column_bins


def counts(bins):
    return np.bincount(bins.index[bins.index >= 0], minlength=len(bins.names)).tolist()


def test_bins_without_edges_hold_equally_many_events():
    bins = column_bins("mass", np.random.default_rng(0).exponential(50, 1000), 8)
    assert counts(bins) == [125] * 8
    assert bins.outside == 0
    assert ((bins.edges[:-1] < bins.places) & (bins.places < bins.edges[1:])).all()


def test_given_edges_hold_their_ends_and_count_what_is_beyond():
    bins = column_bins("mass", np.array([-1, 0, 0.5, 1, 2, 2.1, np.nan, np.inf, -np.inf]), 99, (0, 1, 2))
    assert bins.index.tolist() == [-1, 0, 0, 1, 1, -1, -1, -1, -1]
    assert bins.names == ("0..1", "1..2")
    assert bins.outside == 5
    assert bins.places.tolist() == [0.25, 1.5]


def test_few_distinct_numbers_get_a_bin_each():
    bins = column_bins("jets", np.array([2, 2, 2, 2, 2, 3, 5, 5]), 4)
    assert counts(bins) == [5, 1, 2]
    assert bins.edges.tolist() == [1.5, 2.5, 4, 6]
    assert bins.places.tolist() == [2, 3, 5]


def test_a_constant_is_one_bin():
    bins = column_bins("run", np.full(4, 7), 10)
    assert counts(bins) == [4]
    assert bins.edges.tolist() == [6.5, 7.5]


def test_values_that_tie_share_a_bin():
    bins = column_bins("hits", np.append(np.zeros(60), np.arange(1.0, 41)), 5)
    assert bins.index[:60].tolist() == [0] * 60
    assert sum(counts(bins)) == 100


def test_words_are_bins_of_their_own():
    bins = column_bins("year", np.array(["2017", "2018", "2017"]), 10)
    assert (bins.names, bins.index.tolist(), bins.edges) == (("2017", "2018"), [0, 1, 0], None)
    with pytest.raises(ValueError, match="'name' has 60 different words, more than the 50 that make bins"):
        column_bins("name", np.array([f"n{i}" for i in range(60)]), 10)


def test_a_column_of_nothing_has_no_bins():
    with pytest.raises(ValueError, match="spectator 'mass' has no finite number"):
        column_bins("mass", np.full(3, np.nan), 10)

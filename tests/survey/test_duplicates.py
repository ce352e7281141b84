from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hepclf.data.mixture import Mixture
from hepclf.events import Events
from hepclf.survey.duplicates import Duplicates, _coincidences, duplicates, row_keys

N = 1000
PARTS = (np.arange(N) % 5 % 3).astype(np.int8)  # 0 1 2 0 1: train, valid, test, train, valid


def events(features, labels=None):
    features = np.asarray(features, dtype=np.float32)
    labels = np.zeros(len(features), dtype=np.int64) if labels is None else labels
    return Events(features=features, labels=labels, names=tuple(f"x{i}" for i in range(features.shape[1])))


def continuous(columns=3):
    return np.random.default_rng(0).normal(size=(N, columns)).astype(np.float32)


def test_events_that_differ_have_no_duplicates():
    assert duplicates(events(continuous()), PARTS) == Duplicates(0, 0, 0, {"valid": 0, "test": 0})


def test_copies_are_counted_once_each_beyond_the_first():
    table = continuous()
    table[[10, 20, 31]] = table[5]
    table[7] = table[8]
    assert duplicates(events(table))[:3] == (4, 4, 0)


def test_copies_across_splits_are_counted_by_the_split_that_they_spoil():
    table = continuous()
    table[[1, 2, 3]] = table[0]  # train: 0, 3; valid: 1; test: 2
    table[6] = table[7]  # valid and test alone: no training event among them
    assert duplicates(events(table), PARTS).in_training == {"valid": 1, "test": 1}


def test_copies_in_another_class_contradict_each_other():
    table, labels = continuous(), np.arange(N) % 2
    table[1], table[3] = table[0], table[5]
    assert duplicates(events(table, labels)).contradict == 2


def test_equal_rows_of_few_values_are_natural():
    table = np.random.default_rng(1).integers(0, 4, (N, 3))
    expected = N - len({tuple(row) for row in table.tolist()})
    assert duplicates(events(table), PARTS) == Duplicates(expected, 0, 0, {"valid": 0, "test": 0})


def test_a_tail_of_whole_numbers_is_natural_too():
    table = np.random.default_rng(1).poisson(3, (N, 1))
    assert duplicates(events(table)).copies == 0


def test_equal_rows_without_the_telling_value_are_natural():
    """No jet, so nothing of it: missing in one feature, and zero in another that is mostly continuous."""
    table = continuous(2)
    table[:300, 0], table[:300, 1] = np.nan, 0
    found = duplicates(events(table), PARTS)
    assert (found.repeated, found.copies) == (299, 0)


def test_a_copy_beside_features_of_few_values_is_found():
    table = np.concatenate([continuous(1), np.random.default_rng(1).integers(0, 3, (N, 4))], axis=1)
    table[500] = table[100]
    assert duplicates(events(table))[:2] == (1, 1)


def test_all_missing_values_are_equal_and_so_are_zeros_of_either_sign():
    quiet, other = np.float32(np.nan), np.array([0xFFC00001], dtype=np.uint32).view(np.float32)[0]
    first, second, third = row_keys(events([[quiet, 0.0], [other, -0.0], [0.0, quiet]]))
    assert first == second != third


@pytest.mark.parametrize("values", [2, 3, 100])
def test_keys_are_equal_where_rows_are(values):
    table = np.random.default_rng(values).integers(0, values, (20_000, 8)).astype(np.float32) / 8
    keys = Counter(row_keys(events(table)).tolist())
    assert sorted(keys.values()) == sorted(Counter(map(tuple, table.tolist())).values())


def test_all_bits_of_a_key_vary_though_those_of_whole_numbers_do_not():
    rows = np.stack([np.arange(20_000) % 200, np.arange(20_000) // 200], axis=1)
    for shift in (0, 24, 48):
        low = row_keys(events(rows)) >> np.uint64(shift) & np.uint64(0xFFFF)
        assert len(np.unique(low)) == pytest.approx(2**16 * (1 - np.exp(-20_000 / 2**16)), rel=0.02)


def test_events_without_features_repeat_nothing():
    assert duplicates(events(np.empty((5, 0)))) == Duplicates(0, 0, 0, None)


def test_values_of_one_feature_that_agree_by_chance_are_natural():
    found = duplicates(Mixture(events=100_000).load())
    assert found.repeated > 100
    assert found[1:3] == (0, 0)


def test_a_file_that_is_read_twice_is_found_though_it_has_one_feature():
    table = Mixture(events=50_000).load().features
    found = duplicates(events(np.concatenate([table, table])))
    assert found.copies == pytest.approx(50_000, rel=1e-3)


def test_the_number_of_pairs_that_agree_by_chance_is_that_of_equal_values_on_a_grid():
    # n values on a grid of 2^23 steps between 1 and 2: n (n - 1) / 2 pairs, each equal with probability 2^-23.
    n = 200_000
    values = np.sort(1 + np.random.default_rng(0).integers(0, 2**23, n) / 2**23).astype(np.float32)
    assert _coincidences(values) == pytest.approx(n * (n - 1) / 2 / 2**23, rel=0.05)  # measured: 1.010
    assert (np.diff(values) == 0).sum() == pytest.approx(n * (n - 1) / 2 / 2**23, abs=4 * np.sqrt(n * n / 2 / 2**23))

from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.models.folds import FoldKey, hashed


def events(**columns):
    n = len(next(iter(columns.values())))
    return Events(features=np.zeros((n, 1)), names=("x",), spectators={k: np.asarray(v) for k, v in columns.items()})


def test_the_fold_is_the_column_modulo_the_count_without_loss_up_to_the_largest_integers():
    numbers = [0, 7, 2**53 + 1, 2**62 + 3, 2**63 - 1]
    folds = FoldKey(5, ("event",)).folds(events(event=np.array(numbers, dtype=np.int64)))
    assert folds.tolist() == [number % 5 for number in numbers]
    largest = 2**64 - 1
    assert FoldKey(7, ("event",)).folds(events(event=np.array([largest], dtype=np.uint64))).tolist() == [largest % 7]


def test_the_hash_of_a_column_is_splitmix64():
    # The first outputs of splitmix64 from the states 0 and 1234567 (as published with the generator).
    states = np.array([0, 1234567], dtype=np.uint64)
    assert hashed([states]).tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]


def test_rows_with_equal_columns_share_a_fold_and_hashed_folds_are_about_equally_large():
    rng = np.random.default_rng(0)
    run, event = rng.integers(1, 20, 20_000), rng.integers(0, 1000, 20_000)
    folds = FoldKey(4, ("run", "event")).folds(events(run=run, event=event))
    fold_of = {}
    for key, fold in zip(zip(run.tolist(), event.tolist(), strict=True), folds.tolist(), strict=True):
        assert fold_of.setdefault(key, fold) == fold
    sizes = np.bincount(list(fold_of.values()), minlength=4)
    assert np.abs(sizes / sizes.sum() - 0.25).max() < 4 * np.sqrt(0.1875 / sizes.sum())
    swapped = FoldKey(4, ("event", "run")).folds(events(run=run, event=event))
    assert (swapped != folds).mean() > 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([3, -1], r"not -1 in event 1"),
        ([0.5, 1.0], r"not 0.5 in event 0"),
        ([1.0, 2.0**53 + 2], r"exactly stored, not 9007199254740994.0 in event 1"),
        ([np.nan, 1.0], r"not nan in event 0"),
        (["a", "b"], r"must hold whole numbers, not text"),
    ],
)
def test_a_column_that_cannot_number_events_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        FoldKey(2, ("event",)).folds(events(event=values))


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"no column 'evnt'.*'event'"):
        FoldKey(2, ("evnt",)).folds(events(event=[1]))


def test_random_folds_cannot_be_told_from_an_event():
    with pytest.raises(ValueError, match="drawn at random"):
        FoldKey(2).folds(events(event=[1]))

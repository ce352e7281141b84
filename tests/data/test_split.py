import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.data.split import TEST, TRAIN, VALID, Split
from hepclf.events import Events
from hepclf.scored import SPLITS


def table(*counts, seed=0, **spectators):
    """Events with so many of each class, in random order."""
    labels = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(seed).shuffle(labels)
    return Events(
        features=np.zeros((len(labels), 1)),
        labels=labels,
        names=("x",),
        classes=tuple(f"c{i}" for i in range(len(counts))),
        spectators=spectators,
    )


def sizes(parts):
    return np.bincount(parts, minlength=3).tolist()


counts = st.tuples(st.integers(20, 300), st.integers(20, 300))
kinds = st.sampled_from(["random", "tail", "column"])


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(150, 300), st.integers(150, 300)), kinds, st.integers(3, 8), st.integers(0, 5))
def test_the_folds_test_each_event_exactly_once(counts, kind, folds, seed):
    events = table(*counts, seed=seed, event=np.arange(sum(counts)))
    column = {"column": "event", "modulo": folds} if kind == "column" else {}
    tested = np.zeros(len(events), dtype=int)
    for fold in range(folds):
        split = Split(by=kind, test=1 / folds, valid=1 / folds, fold=fold, seed=seed, **column)
        tested += split.parts(events) == TEST
    assert (tested == 1).all()


@settings(max_examples=60, deadline=None)
@given(counts, st.floats(0.11, 0.45), st.floats(0.11, 0.45), st.integers(0, 9))
def test_random_parts_are_exact_in_size_and_hold_each_class_in_proportion(counts, valid, test, seed):
    events = table(*counts)
    parts = Split(valid=valid, test=test, seed=seed).parts(events)
    n = len(events)
    assert sizes(parts)[TEST] == round(test * n)
    assert sizes(parts)[VALID] == round((test + valid) * n) - round(test * n)
    for label, count in enumerate(counts):
        for part, share in ((TEST, test), (VALID, valid), (TRAIN, 1 - test - valid)):
            assert abs(np.sum((parts == part) & (events.labels == label)) - share * count) <= 2


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60))
def test_a_number_of_events_from_one_on_is_taken_exactly(valid, test):
    for kind in ("random", "tail"):
        parts = Split(by=kind, valid=float(valid), test=float(test)).parts(table(0, 300))
        assert sizes(parts) == [300 - valid - test, valid, test]


def test_more_classes_than_a_byte_holds_are_counted_right():
    parts = Split().parts(table(*[10] * 100))
    assert sizes(parts) == [600, 200, 200]


def test_the_same_seed_gives_the_same_parts_and_another_seed_others():
    events = table(100, 200)
    first = Split(seed=1).parts(events)
    assert first.dtype == np.int8
    assert (first == Split(seed=1).parts(events)).all()
    assert (first != Split(seed=2).parts(events)).any()


def test_the_tail_tests_the_last_rows_and_validates_on_those_just_before():
    parts = Split(by="tail", valid=0.1, test=0.2).parts(table(0, 100))
    assert parts.tolist() == [TRAIN] * 70 + [VALID] * 10 + [TEST] * 20


def test_a_full_table_is_split_by_tail_and_a_shorter_one_at_random():
    split = Split(valid=0.1, test=0.1, tail_from=1000)
    assert split.parts(table(0, 1000)).tolist() == [TRAIN] * 800 + [VALID] * 100 + [TEST] * 100
    assert split.parts(table(0, 999))[-99:].tolist() != [TEST] * 99


def test_a_column_splits_by_its_value_whatever_the_order():
    event = np.random.default_rng(0).permutation(1000)
    parts = Split(by="column", column="event", modulo=5, fold=4).parts(table(500, 500, event=event))
    assert (parts[event % 5 == 4] == TEST).all()
    assert (parts[event % 5 == 0] == VALID).all()
    assert (parts[(event % 5 > 0) & (event % 5 < 4)] == TRAIN).all()


def test_event_numbers_beyond_the_integers_are_split_by_their_last_digit():
    event = np.arange(100, dtype=np.uint64) + np.uint64(2**63)
    parts = Split(by="column", column="event").parts(table(0, 100, event=event))
    assert (parts[(event % np.uint64(10)) < 2] == TEST).all()


def test_numbers_that_are_whole_split_as_integers_do():
    event = np.arange(100)
    by = Split(by="column", column="event")
    whole = by.parts(table(0, 100, event=event.astype(float)))
    assert (whole == by.parts(table(0, 100, event=event))).all()


def test_the_parts_are_named_in_the_order_of_their_codes():
    assert SPLITS == ("train", "valid", "test")
    assert (SPLITS[TRAIN], SPLITS[VALID], SPLITS[TEST]) == SPLITS


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"test": 0.0},
            "split.test must be a fraction between 0 and 1 or a whole number of events, not 0",
        ),
        ({"valid": -3.0}, "split.valid must be a fraction"),
        ({"valid": float("nan")}, "split.valid must be a fraction"),
        ({"test": float("inf")}, "split.test must be a fraction"),
        ({"test": 10.5}, "or a whole number of events, not 10.5"),
        ({"valid": 0.5, "test": 0.5}, "must be below 1, not 0.5 [+] 0.5 = 1, .*; lower one of them"),
        ({"fold": -1}, "split.fold must be at least 0, not -1"),
        ({"seed": -1}, "split.seed must be at least 0, not -1"),
        ({"tail_from": 0}, "split.tail_from must be at least 1, not 0"),
        ({"column": "event"}, "split.by must be column where split.column='event' is given, not random"),
        ({"by": "column"}, "split.by=column needs split.column, the name of a spectator"),
        ({"by": "column", "column": "e", "tail_from": 5}, "split.tail_from must be null with split.by=column"),
        ({"by": "column", "column": "e", "modulo": 2}, "split.modulo must be at least 3"),
        ({"by": "column", "column": "e", "test": 0.25}, "split.test must be a whole multiple of 1/split.modulo = 1/10"),
        ({"by": "column", "column": "e", "valid": 100}, "split.valid must be a whole multiple"),
    ],
)
def test_a_split_that_cannot_be_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Split(**settings)


@pytest.mark.parametrize(
    ("settings", "counts", "says"),
    [
        ({"fold": 5}, (50, 50), "split.fold must be below 5, the number of test folds at split.test=0.2"),
        ({"fold": 1, "test": 60}, (50, 50), "split.fold must be below 1"),
        ({"test": 60, "valid": 60}, (50, 50), "the data holds 100 events, fewer than split.valid=60 and split.test=60"),
        ({}, (0, 2), "the test set of 2 events is empty; take more events or a larger fraction"),
        ({"test": 50, "valid": 50}, (0, 100), "the training set of 100 events is empty"),
        ({}, (2, 100), "the (test|validation) set has no events of class 'c0' .2 in all.; take more events"),
    ],
)
def test_an_empty_part_is_refused(settings, counts, says):
    with pytest.raises(ValueError, match=says):
        Split(**settings).parts(table(*counts))


def test_a_table_sorted_by_class_is_refused_by_tail():
    events = Events(features=np.zeros((100, 1)), labels=np.repeat([0, 1], 50), names=("x",))
    with pytest.raises(
        ValueError, match=r"the validation set has no events of class 'background' .* use split.by=random"
    ):
        Split(by="tail").parts(events)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ([1.5, 2, 3], "must hold whole numbers of at least 0, not 1.5 in event 0"),
        ([1, 2, -3], "not -3 in event 2"),
        ([1, np.nan, 3], "not nan in event 1"),
        ([1, np.inf, 3], "not inf in event 1"),
        (["a", "b", "c"], "must hold whole numbers, not text"),
    ],
)
def test_a_column_that_cannot_number_events_is_refused(column, says):
    with pytest.raises(ValueError, match=says):
        Split(by="column", column="event").parts(table(0, 3, event=np.array(column)))


def test_an_unknown_column_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"split.column='evnt' is not a spectator of the data; nearest: 'event'"):
        Split(by="column", column="evnt").parts(table(0, 3, event=np.arange(3)))


def test_a_column_that_leaves_a_part_empty_is_refused():
    with pytest.raises(
        ValueError, match=r"the validation set of 40 events is empty; no value of split.column falls there"
    ):
        Split(by="column", column="event").parts(table(20, 20, event=np.arange(40) % 2 * 5))

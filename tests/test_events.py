from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events, missing_as_nan, shortest_text
from hepclf.nearest import nearest


def events(**changes):
    columns = {"features": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "labels": [0, 1, 1], "names": ("a", "b")}
    return Events(**{**columns, **changes})


def test_events_fill_in_what_is_not_given():
    table = events()
    assert table.weights.tolist() == [1, 1, 1]
    assert table.processes.tolist() == [0, 1, 1]
    assert table.process_names == table.classes == ("background", "signal")
    assert table.features.dtype == np.float32
    assert table.features.flags.c_contiguous


def test_events_are_immutable():
    source = np.ones((2, 1), dtype=np.float32)
    table = Events(features=source, labels=[0, 1], names=("a",))
    with pytest.raises(ValueError, match="read-only"):
        table.features[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        table.weights[0] = 2
    source[0, 0] = 7  # the caller's own array stays writeable
    with pytest.raises(AttributeError):
        table.names = ("b",)


def test_take_keeps_columns_together_in_the_asked_order():
    table = events(weights=[1.0, -2.0, 3.0], spectators={"mass": [10, 20, 30]})
    taken = table.take(np.array([2, 0]))
    assert taken.features.tolist() == [[5, 6], [1, 2]]
    assert taken.labels.tolist() == [1, 0]
    assert taken.weights.tolist() == [3, 1]
    assert taken.spectators["mass"].tolist() == [30, 10]
    assert len(table.take(table.labels == 1)) == 2


def test_sums_counts_and_effective_numbers_are_known_by_hand():
    table = events(weights=[2.0, 3.0, -1.0])
    assert table.counts == {"background": 1, "signal": 2}
    assert table.sums == {"background": 2.0, "signal": 2.0}
    assert table.effective == {"background": 1.0, "signal": pytest.approx(4 / 10)}
    assert events(weights=[0.0, 0.0, 0.0]).effective == {"background": 0.0, "signal": 0.0}


def test_the_repr_says_what_is_there():
    text = repr(events(weights=[2.0, 3.0, 1.0], spectators={"mass": [1, 2, 3]}))
    assert "3 x 2 features (a, b)" in text
    assert "signal: 2 events, sum of weights 4, effective 1.6" in text
    assert "spectators: mass" in text


def test_select_orders_columns_by_name_and_names_what_is_missing():
    assert events().select(("b", "a")).tolist() == [[2, 1], [4, 3], [6, 5]]
    with pytest.raises(ValueError, match="feature 'aa' is not among the events' features; nearest: 'a'"):
        events().select(("aa",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [1.0, 2.0, 3.0]}, r"features must have 2 dimensions, not 1"),
        ({"names": ("a",)}, "names must be 2, one a feature column, not 1"),
        ({"labels": [0, 1]}, r"labels must be one value an event, shape \(3,\)"),
        ({"labels": [0.5, 1, 1]}, "labels must be whole numbers from 0 on"),
        ({"labels": ["b", "s", "s"]}, "labels must be whole numbers from 0 on"),
        ({"weights": [1.0]}, "weights must be one value an event"),
        ({"spectators": {"m": [1]}}, "m must be one value an event"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        events(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [[1, np.inf], [1, 2], [1, 2]]}, "feature 'b' is infinite in event 0"),
        ({"weights": [1, 1, np.nan]}, "the weight of event 2 is nan"),
        ({"labels": [0, 1, 2]}, r"labels must lie in 0\.\.1, not 0\.\.2"),
        ({"labels": [1, 1, 1]}, "class 'background' has no events"),
        ({"processes": [0, 1, 7]}, r"processes must lie in 0\.\.1, not 0\.\.7"),
        ({"names": ("a", "a")}, "feature 'a' is named twice"),
    ],
)
def test_check_names_what_no_tagger_could_be_trained_on(changes, message):
    with pytest.raises(ValueError, match=message):
        events(**changes).check()


def test_no_events_and_no_features_are_refused():
    with pytest.raises(ValueError, match="no events"):
        Events(features=np.empty((0, 1)), labels=[], names=("a",)).check()
    with pytest.raises(ValueError, match="no features"):
        Events(features=np.empty((2, 0)), labels=[0, 1], names=()).check()


def test_events_without_labels_can_be_scored_and_not_trained_on():
    table = Events(features=[[1.0], [2.0]], names=("a",))
    assert table.labels.tolist() == [0, 0]
    with pytest.raises(ValueError, match="class 'signal' has no events"):
        table.check()


def test_missing_values_pass_the_check():
    table = events(features=[[np.nan, 1], [1, 2], [1, 2]])
    assert table.check() is table


def test_nearest_finds_other_spellings_and_otherwise_lists_what_there_is():
    assert nearest("met", ["MET_pt", "met_phi"]).startswith("; nearest: 'met_phi'")
    assert nearest("PT", ["pt", "eta"]) == "; nearest: 'pt'"
    assert nearest("zzz", ["pt", "eta"]) == "; there are: 'pt', 'eta'"


def test_events_keep_what_is_declared_missing_and_refuse_to_train_on_it():
    table = events(sentinels={"a": (-999.99,), "b": ()})
    assert table.sentinels == {"a": (-999.99,)}
    assert table.check().take(np.array([0, 1])).sentinels == table.sentinels
    with pytest.raises(
        ValueError, match=r"feature 'b' is 4 in event 1, which sentinels declare missing; put NaN there"
    ):
        events(sentinels={"b": (4,)}).check()
    with pytest.raises(ValueError, match="sentinels name 'aa', which is not a feature; nearest: 'a'"):
        events(sentinels={"aa": (4,)}).check()


def test_sentinels_become_nan_in_their_features_alone():
    raw = np.array([[-999.99, -9], [-9, -999.99], [np.inf, 1]], dtype=np.float32)
    found = missing_as_nan(raw, ("a", "b"), {"a": (-999.99, 1e39), "b": (-9.0,), "c": (1.0,)})
    np.testing.assert_array_equal(np.isnan(found), [[True, True], [False, False], [True, False]])
    assert missing_as_nan(raw, ("a", "b"), {"c": (1.0,)}) is raw
    assert missing_as_nan(raw, ("a", "b"), {"a": (5.0,)}) is raw


def test_numbers_of_single_precision_are_written_in_few_digits():
    found = [shortest_text(np.float32(value)) for value in (-999, -999.99, 3.4028235e38, -np.inf)]
    assert found == ["-999", "-999.99", "3.4028235e+38", "-inf"]

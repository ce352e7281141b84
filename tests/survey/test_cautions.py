"""Each warning has data that deserve it, and data next to them that do not."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events, Origin
from hepclf.survey.survey import survey

N = 1000
LABELS = np.arange(N) % 2


def normal(seed=0):
    return np.random.default_rng(seed).normal(size=N)


def events(labels=LABELS, **given):
    """Two honest features and what is added to them."""
    named = {
        "x": normal(1),
        "y": normal(2) + labels,
        **{k: v for k, v in given.items() if k not in Events.__annotations__},
    }
    rest = {key: value for key, value in given.items() if key not in named}
    return Events(features=np.stack(list(named.values()), axis=1), names=tuple(named), labels=labels, **rest)


def told(given, parts=None):
    return {row.kind: row for row in survey(given, parts).warnings}


def test_honest_data_have_no_warnings():
    assert told(events(), (np.arange(N) % 3).astype(np.int8)) == {}


@pytest.mark.parametrize(
    ("kind", "deserved", "spared"),
    [
        ("constant_feature", np.full(N, 5.0), np.append(np.full(N - 1, 5.0), 6.0)),
        ("missing_feature", np.full(N, np.nan), np.append(np.full(N - 1, np.nan), 6.0)),
        ("missing_in_class", np.where(LABELS, np.nan, normal()), np.where(LABELS & (normal() > -2), np.nan, normal())),
        ("no_overlap", normal() + 20 * LABELS, normal() + 6 * LABELS * (normal(7) < 1)),
        ("separates_alone", normal() + 5 * LABELS, normal() + 2 * LABELS),
        ("same_values", normal(1), normal(3)),
        ("stand_in", np.where(normal() > 1, -999, normal(4)), np.append(normal()[1:], -999)),
    ],
)
def test_a_feature_is_told_where_it_deserves_it(kind, deserved, spared):
    caution = told(events(f=deserved))[kind]
    assert caution.about == ("f",)
    assert "f" in caution.text.split(": ", 1)[1]
    assert kind not in told(events(f=spared))


@pytest.mark.parametrize(("kind", "name", "other"), [("truth_name", "genPt", "pt"), ("number_name", "event", "shape")])
def test_a_name_is_told(kind, name, other):
    assert told(events(**{name: normal()}))[kind].about == (name,)
    assert kind not in told(events(**{other: normal()}))


@pytest.mark.parametrize(("kind", "value"), [("constant_feature", 1.0), ("missing_feature", np.nan)])
def test_a_feature_without_content_is_told_once(kind, value):
    found = told(events(f=np.full(N, value), g=np.full(N, value)))
    assert list(found) == [kind]
    assert found[kind].about == ("f", "g")


def test_a_few_events_may_be_apart_by_chance():
    labels = np.append(np.zeros(N - 5), np.ones(5)).astype(np.int64)
    assert "no_overlap" not in told(events(labels=labels, f=np.arange(N)))
    labels[-20:] = 1
    assert told(events(labels=labels, f=np.arange(N)))["no_overlap"].about == ("f",)


def test_many_features_make_one_line():
    many = {f"c{i}": np.full(N, 1.0) for i in range(40)}
    caution = told(events(**many))["constant_feature"]
    assert caution.about == tuple(many)
    assert "c0, c1, c2, c3, c4 and 35 more; " in caution.text


def test_one_event_may_not_have_a_twentieth_of_a_class():
    weights = np.ones(N)
    weights[1] = 30.0  # of 529 in its class
    caution = told(events(weights=weights))["outlier_weight"]
    assert caution.about == ("signal",)
    assert "5.7 % of the weight of class 'signal'" in caution.text
    weights[1] = 25.0
    assert "outlier_weight" not in told(events(weights=weights))


def test_few_events_are_told_by_their_statistics():
    weights = np.where(np.arange(N) < 20, 1.0, 1e-3)
    assert "the statistics of 11 events" in told(events(weights=weights))["few_events"].text
    assert "outlier_weight" in told(events(weights=weights))
    small = Events(features=normal()[:12, None], names=("x",), labels=LABELS[:12])
    assert set(told(small)) == {"few_events"}  # each event has a sixth of its class, and no more than its share


def test_negative_weights_and_classes_without_yield_are_told():
    found = told(events(weights=np.where(np.arange(N) % 4 == 0, -1.0, 1.0)))
    assert found["negative_weights"].about == ("background",)
    assert "50.0 % of class 'background'" in found["negative_weights"].text
    assert found["no_yield"].about == ("background",)


def test_notes_of_the_files_and_processes_without_events_are_told():
    origins = (Origin("a", 2, 9, 5, ("2 columns are in some of its files alone: p, q",)), Origin("none", 1, 3, 0))
    found = told(events(process_names=("a", "b", "none"), origins=origins))
    assert found["files"].text == "a: 2 columns are in some of its files alone: p, q"
    assert found["empty_process"].about == ("none",)


def test_copies_leaks_and_contradictions_are_told():
    given = events()
    table = given.features.copy()
    table[1] = table[0]
    found = told(Events(features=table, names=given.names, labels=LABELS), (np.arange(N) % 3).astype(np.int8))
    assert found["duplicates"].text.startswith("1 events have all the features")
    assert found["contradiction"].text.startswith("2 events have a copy in another class")
    assert found["leakage"].about == ("valid",)

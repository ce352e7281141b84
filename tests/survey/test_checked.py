"""What a training warns of its data: each on data made to deserve it, and none on honest data."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.survey import checked as module
from hepclf.survey.checked import training_warnings
from hepclf.survey.survey import survey

N = 3000
LABELS = np.arange(N) % 2
PARTS = (np.arange(N) // 2 % 3).astype(np.int8)


def table(**features):
    rng = np.random.default_rng(0)
    named = {"x": rng.normal(size=N), "y": rng.normal(size=N) + LABELS, **features}
    return Events(features=np.stack(list(named.values()), axis=1), names=tuple(named), labels=LABELS)


def kinds(events, parts=PARTS):
    return {row.kind: row for row in training_warnings(events, parts)}


def test_honest_data_have_no_warnings():
    assert kinds(table()) == {}


def test_it_says_what_inspect_says_of_data_that_are_looked_at_as_a_whole():
    rng = np.random.default_rng(1)
    bad = table(
        isSig=LABELS + 0.2 * rng.normal(size=N),
        flat=np.ones(N),
        gap=np.where(rng.random(N) < 0.1, -999, rng.normal(size=N)),
    )
    features = bad.features.copy()
    features[1] = features[0]
    bad = Events(features=features, names=bad.names, labels=LABELS, weights=np.where(np.arange(N) >= N - 60, 1.0, 1e-3))
    expected = survey(bad, PARTS).warnings
    assert {row.kind for row in expected} >= {
        *("truth_name", "constant_feature", "stand_in", "contradiction", "separates_alone", "few_events"),
    }
    assert training_warnings(bad, PARTS) == expected


def test_of_many_events_some_are_looked_at_and_that_is_said(monkeypatch):
    monkeypatch.setattr(module, "SAMPLE", 500)
    rng = np.random.default_rng(1)
    found = kinds(table(almost=LABELS + 0.2 * rng.normal(size=N)))["separates_alone"]
    assert found.about == ("almost",)
    assert found.text.endswith("(checked on 1,000 of 3,000 events)")


def test_copies_are_found_among_all_events_however_many_there_are(monkeypatch):
    monkeypatch.setattr(module, "SAMPLE", 50)
    events = table()
    features = events.features.copy()
    features[1001] = features[2000]  # background in test, signal in train
    found = kinds(Events(features=features, names=events.names, labels=LABELS))
    assert found["contradiction"].text.startswith("2 events")
    assert "checked on" not in found["contradiction"].text


def test_each_class_is_looked_at_however_rare_it_is(monkeypatch):
    monkeypatch.setattr(module, "SAMPLE", 100)
    labels = (np.arange(N) % 30 == 0).astype(np.int64)
    values = np.random.default_rng(0).normal(size=(N, 1)) + 9 * labels[:, None]
    found = kinds(Events(features=values, names=("x",), labels=labels))
    assert found["no_overlap"].about == ("x",)
    assert "checked on 200 of 3,000" in found["no_overlap"].text


def test_a_process_without_events_is_told():
    rng = np.random.default_rng(0)
    events = Events(
        features=rng.normal(size=(N, 1)), names=("x",), labels=LABELS, process_names=("background", "signal", "lost")
    )
    assert kinds(events)["empty_process"].about == ("lost",)


@pytest.mark.parametrize("count", [2, 300])
def test_rows_that_many_events_share_for_lack_of_values_are_no_copies(count):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, count, size=(N, 2))
    assert kinds(Events(features=whole, names=("n", "m"), labels=LABELS)) == {}

from __future__ import annotations

import json

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.survey.survey import survey


def events(n=1000, **columns):
    rng = np.random.default_rng(0)
    labels = columns.pop("labels", np.arange(n) % 2)
    features = rng.normal(size=(n, 3)) + np.array([1.0, -1.0, 0.0]) * labels[:, None]
    features[::10, 2] = np.nan
    return Events(features=features, labels=labels, names=("up", "down", "flat"), **columns)


def text(given, **more):
    return json.loads(json.dumps(survey(given, **more).to_dict(), allow_nan=False))


def test_it_is_ready_for_json():
    found = text(events(spectators={"mass": np.zeros(1000)}), parts=np.zeros(1000, dtype=np.int8), luminosity_fb=140.0)
    assert [row["name"] for row in found["features"]] == ["up", "down", "flat"]
    assert set(found["features"][0]["auc"]["signal"]) == {"value", "error"}
    assert found["features"][2]["classes"]["background"]["missing"] == 100
    assert (
        found["classes"][0] | {"events": 500, "expected_yield": {"value": 500, "error": 500**0.5}}
        == found["classes"][0]
    )
    assert found["spectators"] == ["mass"]
    assert found["duplicates"] == {"repeated": 0, "copies": 0, "contradict": 0, "in_training": {"valid": 0, "test": 0}}
    assert (found["events"], found["luminosity_fb"], found["warnings"]) == (1000, 140.0, [])


def test_histograms_are_made_where_they_are_asked_for():
    assert survey(events()).features[0].shape is None
    assert survey(events(), shapes=True).features[0].shape is not None


def untrainable(kind):
    given = events()
    if kind == "an infinite value":
        table = given.features.copy()
        table[3, 1] = -np.inf
        return Events(features=table, labels=given.labels, names=given.names)
    if kind == "a weight":
        return events(weights=np.where(np.arange(1000) == 7, np.nan, 1.0))
    if kind == "an empty class":
        return events(labels=np.zeros(1000, dtype=np.int64))
    if kind == "a name":
        return Events(features=given.features, labels=given.labels, names=("x", "x", "y"))
    return Events(features=np.empty((1000, 0)), labels=given.labels, names=())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("an infinite value", "feature 'down' is infinite in event 3"),
        ("a weight", "the weight of event 7 is nan"),
        ("an empty class", "class 'signal' has no events"),
        ("a name", "feature 'x' is named twice"),
        ("no features", "the data holds no features"),
    ],
)
def test_what_could_not_be_trained_on_is_surveyed_and_told(kind, says):
    found = text(untrainable(kind), shapes=True, obstacles=("the split is empty",))
    assert found["warnings"][0]["kind"] == "refused"
    assert found["warnings"][0]["text"].startswith(f"training stops here: {says}")
    assert found["warnings"][1]["text"] == "training stops here: the split is empty"
    assert found["events"] == 1000


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="the data holds no events"):
        survey(Events(features=np.empty((0, 1)), names=("x",)))
    with pytest.raises(ValueError, match=r"labels must lie in 0..1, not 0..2"):
        survey(events(labels=np.arange(1000) % 3))

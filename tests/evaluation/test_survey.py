from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.evaluation.survey import survey
from hepclf.evaluation.value import NOTHING
from hepclf.events import Events


def events(**columns):
    rng = np.random.default_rng(0)
    labels = np.arange(1000) % 2
    features = rng.normal(size=(1000, 3)) + np.array([1.0, -1.0, 0.0]) * labels[:, None]
    features[::10, 2] = np.nan
    return Events(features=features, labels=labels, names=("up", "down", "flat"), **columns)


def test_features_are_measured_alone_in_the_better_direction():
    weights = np.random.default_rng(1).lognormal(0, 1, 1000)
    given = events(weights=weights)
    up, down, flat = survey(given).features
    assert up.auc.value == pytest.approx(roc_auc_score(given.labels, given.features[:, 0], sample_weight=weights))
    assert down.auc.value == pytest.approx(roc_auc_score(given.labels, -given.features[:, 1], sample_weight=weights))
    assert up.auc.error > 0
    assert (up.missing, flat.missing) == (0, 100)
    present = ~np.isnan(given.features[:, 2])
    values = given.features[present, 2].astype(np.float64)
    assert (flat.minimum, flat.maximum) == (values.min(), values.max())
    assert (flat.mean, flat.width) == pytest.approx((values.mean(), values.std()))
    alone = roc_auc_score(given.labels[present], values, sample_weight=weights[present])
    assert flat.auc.value == pytest.approx(max(alone, 1 - alone))


def test_classes_and_processes_are_counted():
    weights = np.where(np.arange(1000) % 4 == 0, -0.5, 1.0)
    given = events(
        weights=weights,
        processes=np.arange(1000) % 4,
        process_names=("qcd", "higgs", "top", "vbf"),
        spectators={"mass": np.zeros(1000)},
    )
    found = survey(given)
    rows = {row.name.strip(): row for row in found.populations}
    assert list(rows) == ["background", "signal", "qcd", "higgs", "top", "vbf"]
    assert (rows["background"].events, rows["background"].weight) == (500, 125)
    assert rows["background"].effective == pytest.approx(125**2 / (250 * 1.25))
    assert rows["background"].negative_fraction == pytest.approx(1 / 3)
    assert (rows["qcd"].negative_fraction, rows["vbf"].negative_fraction) == (1, 0)
    assert found.spectators == ("mass",)


def test_processes_that_are_the_classes_are_listed_once():
    assert [row.name for row in survey(events()).populations] == ["background", "signal"]


def test_a_feature_that_is_always_missing_has_no_figures():
    given = Events(features=np.full((4, 1), np.nan), labels=[0, 1, 0, 1], names=("gone",))
    assert survey(given).features[0][1:] == (4, None, None, None, None, NOTHING)


def test_it_is_ready_for_json():
    found = json.loads(json.dumps(survey(events()).to_dict(), allow_nan=False))
    assert [row["name"] for row in found["features"]] == ["up", "down", "flat"]
    assert set(found["features"][0]["auc"]) == {"value", "error"}
    assert found["populations"][0]["events"] == 500

"""Taggers made of arrays refuse what is not theirs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from hepclf import Trainer, load_tagger
from hepclf.events import Events
from hepclf.models import arrays
from hepclf.models.arrays import matrix
from hepclf.models.fisher import Fisher, FisherTagger
from hepclf.models.tagger import write_tagger


@pytest.fixture
def saved(gaussians):
    events = gaussians()
    fit = Fisher().fit(events, events, Trainer())
    list(fit)
    tagger = fit.tagger()
    tagger.save("tagger")
    return tagger


def with_arrays(tagger, **changes):
    """The tagger saved again with other arrays, its hashes right."""
    head = json.loads(Path("tagger/tagger.json").read_text())
    kept = {name: array for name, array in {**tagger.arrays, **changes}.items() if array is not None}
    contents = {name: head[name] for name in ("kind", "inputs", "classes", "settings", "summary")}
    write_tagger(Path("tagger"), {arrays.FILE: save(kept)}, contents)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"coefficients": np.zeros((2, 4))},
            r"'coefficients' must have shape \(2, 3\), not float64 \(2, 4\)",
        ),
        ({"coefficients": np.zeros((2, 3), dtype=np.int64)}, "not int64"),
        ({"centre": np.array([0, np.nan, 0])}, "'centre' holds values that are not finite"),
        ({"intercepts": None}, "'intercepts'"),
        ({"fill": np.zeros(2)}, r"'fill' must have shape \(3,\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved, changes, says):
    with_arrays(saved, **changes)
    with pytest.raises(ValueError, match=f"tagger.json and its arrays do not fit together: .*{says}"):
        load_tagger("tagger")


@pytest.mark.parametrize("missing", [5, True, "abc", [3], [-1], [True], [0.0], [[0]], {"0": 1}])
def test_positions_of_missing_values_are_checked_when_the_tagger_is_loaded(saved, missing):
    head = json.loads(Path("tagger/tagger.json").read_text())
    head["settings"]["missing"] = missing
    Path("tagger/tagger.json").write_text(json.dumps(head))
    with pytest.raises(ValueError, match=r"settings\.missing must be positions of the 3 inputs, or null, not "):
        load_tagger("tagger")


def test_a_changed_file_is_refused(saved):
    (path,) = Path("tagger").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="SHA-256 differs"):
        load_tagger("tagger")


def test_a_file_that_is_no_safetensors_is_refused(saved):
    head = json.loads(Path("tagger/tagger.json").read_text())
    contents = {name: head[name] for name in ("kind", "inputs", "classes", "settings", "summary")}
    write_tagger(Path("tagger"), {arrays.FILE: b"cos\nsystem\n(S'ls'\ntR."}, contents)
    with pytest.raises(ValueError, match="do not fit together"):
        load_tagger("tagger")


def test_there_is_no_tagger_before_the_fit(gaussians):
    events = gaussians()
    with pytest.raises(ValueError, match="no tagger before the first epoch"):
        Fisher().fit(events, events, Trainer()).tagger()


def test_infinite_features_have_no_score_and_new_missing_values_are_told(saved, gaussians, caplog):
    events = gaussians(events=10)
    features = events.features.copy()
    features[3, 1] = np.nan
    assert np.isfinite(saved.scores(type(events)(features=features, names=events.names))).all()
    assert "feature 'x1' is missing in 1 events but never was in training" in caplog.text
    features[3, 1] = np.inf
    with pytest.raises(ValueError, match="feature 'x1' is infinite in 1 events"):
        saved.scores(type(events)(features=features, names=events.names))


def test_scores_do_not_depend_on_how_many_are_scored_at_once(saved, gaussians, monkeypatch):
    events = gaussians()
    whole = saved.scores(events)
    monkeypatch.setattr(arrays, "ROWS", 999)
    assert saved.scores(events) == pytest.approx(whole, abs=1e-14)
    assert saved.scores(events.take(np.arange(0))).shape == (0,)


def test_negative_weights_follow_the_rule(gaussians):
    events = gaussians(weights=np.where(np.arange(4000) % 5, 1.0, -1.0))
    with pytest.raises(ValueError, match="model=bdt cannot learn from negative weights"):
        matrix(events, Trainer(negative_weights="keep"), "model=bdt")
    with pytest.raises(ValueError, match=r"20 % of the training events have a negative weight"):
        matrix(events, Trainer(), "model=bdt")
    positive = matrix(events, Trainer(negative_weights="zero"), "model=bdt")
    assert len(positive.targets) == len(positive.features) == 3200
    assert positive.weights.min() > 0
    assert matrix(events, Trainer(negative_weights="keep"), "model=fisher", keeps=True).weights.min() < 0


def test_every_kind_says_its_name():
    assert FisherTagger.kind == "fisher"


def test_a_stored_tagger_scores_to_the_last_bit_as_the_fresh_one():
    rng = np.random.default_rng(0)
    labels = np.arange(1000) % 2
    features = rng.normal(size=(1000, 18)) + 0.5 * labels[:, None]
    events = Events(features=features, labels=labels, names=tuple(f"x{i}" for i in range(18)))
    fit = Fisher().fit(events, events, Trainer())
    list(fit)
    tagger = fit.tagger()
    tagger.save("tagger")
    assert np.array_equal(tagger.scores(events), load_tagger("tagger").scores(events))

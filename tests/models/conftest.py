"""What tests of several models need."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from hepclf import GW, Evaluation, load_tagger, train
from hepclf.models import arrays
from hepclf.models.tagger import write_tagger


@pytest.fixture
def parts(gaussians):
    """A function making training and validation events with weights and missing values."""

    def make(classes=2, events=2000, seed=0):
        rng = np.random.default_rng(seed)
        whole = gaussians(events=events, classes=classes, seed=seed, weights=rng.random(events) + 0.1)
        features = whole.features.copy()
        features[rng.random(features.shape) < 0.1] = np.nan
        holes = replace(whole, features=features)
        return holes.take(np.arange(events) % 5 > 1), holes.take(np.arange(events) % 5 < 2)

    return make


@pytest.fixture
def planted():
    """A function that saves a tagger to tagger/ with other arrays or settings, its hashes right."""

    def make(tagger, changes, settings=None):
        tagger.save("tagger")
        head = json.loads(Path("tagger/tagger.json").read_text())
        kept = {name: np.ascontiguousarray(array) for name, array in {**tagger.arrays, **changes}.items()}
        contents = {name: head[name] for name in ("kind", "inputs", "classes", "summary")}
        contents["settings"] = {**head["settings"], **(settings or {})}
        write_tagger(Path("tagger"), {arrays.FILE: save(kept)}, contents)

    return make


@pytest.fixture
def run_that_loads():
    """A function that trains a model on triggers, end to end, finds that its tagger works, and gives its results."""

    def make(model):
        data = GW(signals=300, noise=900)
        trained = train(data, model, evaluation=Evaluation(plots=False), folder="run")
        scores = load_tagger("run/tagger").scores(data.load())
        assert np.array_equal(scores, trained.scored.scores)
        assert 0 < scores.min() < scores.max() < 1
        return trained.results

    return make

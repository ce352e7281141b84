"""Taggers that version 0.1 saved load in every later one, and score as they did."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hepclf import load_tagger
from hepclf.events import Events
from hepclf.models import preprocess

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
FEATURES = np.array(EXPECTED["features"], dtype=np.float32)  # None is NaN


@pytest.mark.parametrize("kind", EXPECTED["scores"])
def test_a_golden_tagger_scores_as_it_did(kind):
    tagger = load_tagger(GOLDEN / kind)
    scores = tagger.scores(Events(features=FEATURES, names=("a", "b", "c")))
    assert scores == pytest.approx(np.array(EXPECTED["scores"][kind]), abs=1e-6)


@pytest.mark.parametrize("kind", ["mlp", "network"])
def test_a_stored_network_does_not_follow_later_defaults(kind, monkeypatch):
    monkeypatch.setattr(preprocess, "BOUND", 3.0)
    test_a_golden_tagger_scores_as_it_did(kind)
    recipe = json.loads((GOLDEN / kind / "tagger.json").read_text())["recipe"]
    assert set(recipe) == {"_target_"} | {field.name for field in fields(load_tagger(GOLDEN / kind).recipe)}


def test_every_golden_tagger_is_tested():
    assert {path.name for path in GOLDEN.iterdir() if path.is_dir()} == set(EXPECTED["scores"])

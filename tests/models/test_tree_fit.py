"""Every model of trees trains from the command line and leaves a tagger that loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hepclf import Events, load_tagger
from hepclf.cli.main import main
from hepclf.evaluation.files.store import read_scores

QUICK = ["data=gw", "data.signals=200", "data.noise=600", "evaluation.plots=false"]
MODELS = {
    "bdt": ["model.iterations=15"],
    "forest": ["model.trees=15"],
    "tree": [],
    "adaboost": ["model.iterations=15", "model.leaf_events=10"],
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_trains_from_the_command_line(model, capsys):
    assert main(["train", f"model={model}", *QUICK, *MODELS[model]]) == 0, capsys.readouterr().err
    run = Path("runs/latest")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["model"]["name"] == model
    assert metrics["test"]["auc"]["value"] > 0.8
    tagger = load_tagger(run / "tagger")
    assert len((run / "history.csv").read_text().splitlines()) > metrics["model"]["kept_epoch"]
    assert tagger.summary["trees"] == metrics["model"]["trees"]
    scores = read_scores(run / "scores.root").scores
    assert len(np.unique(scores)) > 3
    nothing = Events(features=np.full((1, len(tagger.inputs)), np.nan), names=tagger.inputs)
    assert 0 <= tagger.scores(nothing)[0] <= 1

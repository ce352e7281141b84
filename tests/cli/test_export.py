from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from shutil import copytree

import numpy as np
import onnx
import onnxruntime
import pytest

from hepclf import Evaluation, Logistic, Mixture, Trainer, load_tagger, train
from hepclf.cli import configs
from hepclf.cli.export import OTHERS
from hepclf.export.exported import Export


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(Mixture(events=600), Logistic(), Trainer(epochs=1), Evaluation(plots=False), folder=folder)
    return folder


@pytest.fixture(autouse=True)
def _run(trained_once):
    copytree(trained_once, "run")


def test_the_file_of_settings_has_a_line_of_help_for_each_of_them():
    keys = configs.keys(configs.folder() / "export.yaml")
    assert set(keys) == {*OTHERS, *(field.name for field in fields(Export))} - {"data"}
    assert all(comment for _, comment in keys.values())
    defaults = Export(format="onnx")
    assert {name: keys[name][0] for name in ("name", "out", "events")} == {
        "name": defaults.name,
        "out": defaults.out,
        "events": defaults.events,
    }


def test_a_run_becomes_a_file_of_its_scores_and_metadata(hepclf):
    code, out, err = hepclf("export", "run=run", "format=onnx")
    assert code == 0, err
    path = Path("run/exports/tagger.onnx")
    assert out.startswith(f"written   {path}, ")
    assert "compared  600 events and " in out
    events, tagger = Mixture(events=600).load(), load_tagger("run/tagger")
    session = onnxruntime.InferenceSession(path)
    scores = session.run(["probability"], {"features": events.features})[0]
    np.testing.assert_allclose(scores, tagger.scores(events), atol=1e-6)
    notes = {each.key: json.loads(each.value) for each in onnx.load(path).metadata_props}
    assert tuple(notes["features"]) == tagger.inputs
    assert notes["classes"] == list(tagger.classes)
    assert notes["events_compared"] == 600
    assert 0 <= notes["difference"] <= notes["difference_allowed"] == 1e-5
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert notes["working_points"] == metrics["test"]["working_points"]

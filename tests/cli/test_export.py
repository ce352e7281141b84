from __future__ import annotations

import json
import re
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml

from hepclf import BDT, Evaluation, Mixture, load_tagger, train
from hepclf.cli import configs
from hepclf.cli.export import COMMAND_KEYS
from hepclf.export.exported import Export
from hepclf.export.onnx import layers

pytestmark = pytest.mark.usefixtures("mixture_run")


def test_the_file_of_settings_has_a_line_of_help_for_each_of_them():
    keys = configs.keys(configs.folder() / "export.yaml")
    assert set(keys) == {*COMMAND_KEYS, *(field.name for field in fields(Export))} - {"data"}
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
    assert "compared  3,000 events and " in out
    events, tagger = Mixture(events=3000).load(), load_tagger("run/tagger")
    session = onnxruntime.InferenceSession(path)
    scores = session.run(["probability"], {"features": events.features})[0]
    np.testing.assert_allclose(scores, tagger.scores(events), atol=1e-6)
    notes = {each.key: json.loads(each.value) for each in onnx.load(path).metadata_props}
    assert tuple(notes["features"]) == tagger.inputs
    assert notes["classes"] == list(tagger.classes)
    assert notes["events_compared"] == 3000
    assert 0 <= notes["difference"] <= notes["difference_allowed"] == 1e-5
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert notes["working_points"] == metrics["test"]["working_points"]


@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
def test_a_run_becomes_a_header_that_says_what_it_is(hepclf):
    code, out, err = hepclf("export", "run=run", "format=cpp", "name=mine")
    assert code == 0, err
    assert '#include "run/exports/mine.hpp"' in out
    assert "float p = mine::score(x);" in out
    header = Path("run/exports/mine.hpp").read_text()
    notes = json.loads(json.loads(re.search(r"notes =  // in JSON\n  (.*);", header)[1]))
    assert notes["events_compared"] == 3000
    assert 0 <= notes["difference"] <= 1e-5


def test_boosted_trees_become_a_file_of_xgboost(hepclf):
    train(Mixture(events=600), BDT(iterations=5), evaluation=Evaluation(plots=False), folder="boosted")
    code, out, err = hepclf("export", "run=boosted", "format=xgboost-json")
    assert code == 0, err
    assert "ROOT's RBDT knows no missing values" in out
    learner = json.loads(Path("boosted/exports/tagger.xgboost.json").read_text())["learner"]
    assert json.loads(learner["attributes"]["features"]) == ["x"]


def test_hard_events_alone_are_compared_when_asked_for(hepclf):
    code, out, err = hepclf("export", "run=run", "format=onnx", "events=0", "out=there", "name=mine")
    assert code == 0, err
    assert "compared  0 events and " in out
    assert [path.name for path in Path("there").iterdir()] == ["mine.onnx"]


def test_other_data_can_be_chosen(hepclf):
    code, out, err = hepclf("export", "run=run", "format=onnx", "data=mixture", "data.events=50")
    assert code == 0, err
    assert "compared  50 events and " in out


def test_data_that_cannot_be_loaded_stops_the_export_with_a_way_out(hepclf):
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    config["data"] = {"_target_": "hepclf.data.memory.Memory", "events": "gone"}
    Path("run/config.yaml").write_text(yaml.safe_dump(config))
    code, out, err = hepclf("export", "run=run", "format=onnx")
    assert (code, out) == (1, "")
    assert err.startswith("hepclf: the run's data cannot be loaded: ")
    assert "data=NAME" in err
    assert "events=0" in err
    assert len(err.splitlines()) == 1
    assert not Path("run/exports").exists()


def test_a_stored_configuration_runs_no_code_of_others(hepclf):
    Path("evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    config["data"] = {"_target_": "evil.Data"}
    Path("run/config.yaml").write_text(yaml.safe_dump(config))
    code, _, err = hepclf("export", "run=run", "format=onnx")
    assert code == 1
    assert "a stored configuration may not run it" in err
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run=run"], 2, "format must be given; say format=..."),
        (["format=onnx"], 2, "run must be given; say run=DIR"),
        (["run=run", "format=pickle"], 2, "format must be one of onnx, cpp, xgboost-json, not 'pickle'"),
        (["run=run", "format=cpp", "name=1x"], 2, "name must be letters, digits and _"),
        (["run=run", "format=cpp", "name=int"], 2, "name must not be a keyword of C++, such as int"),
        (["run=run", "format=onnx", "events=-1"], 2, "events must be at least 0, not -1"),
        (["run=run", "format=onnx", "evnets=1"], 2, "evnets is not a setting of Export; nearest: 'events'"),
        (["run"], 2, "'run' is not key=value; say run=run"),
        (["run=nowhere", "format=onnx"], 1, "there is no run nowhere"),
        (["run=run", "format=xgboost-json"], 1, "format=xgboost-json holds trees, not a Network"),
    ],
)
def test_a_wrong_command_says_what_to_do(words, code, says, hepclf):
    found, out, err = hepclf("export", *words)
    assert (found, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not Path("run/exports").exists()


def test_an_export_that_differs_is_not_written_and_leaves_the_one_before(hepclf, monkeypatch):
    assert hepclf("export", "run=run", "format=onnx")[0] == 0
    before = Path("run/exports/tagger.onnx").read_bytes()
    monkeypatch.setattr(layers, "input_node", lambda graph, _, x: graph.add("Neg", x))
    code, out, err = hepclf("export", "run=run", "format=onnx")
    assert (code, out) == (1, "")
    assert "differs from the tagger by" in err
    assert "nothing was written" in err
    assert Path("run/exports/tagger.onnx").read_bytes() == before
    assert len(list(Path("run/exports").iterdir())) == 1

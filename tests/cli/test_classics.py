"""The classical models from the command line: trained, loaded again, scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hepclf as package

SMALL = ["data.signals=300", "data.noise=900", "evaluation.plots=false"]


def written(name, events, classes):
    """A table whose first feature tells the classes apart, two standard deviations from one to the next."""
    rng = np.random.default_rng(0)
    labels, x = np.arange(events) % classes, rng.normal(size=(events, 2))
    rows = [f"{label},{a + 2 * label:.4f},{b:.4f}" for label, (a, b) in zip(labels, x, strict=True)]
    Path(name).write_text("\n".join(["label,a,b", *rows]))


@pytest.mark.parametrize("model", ["likelihood", "cuts", "knn", "svm"])
def test_a_classical_model_trains_and_loads(hepclf, model):
    code, out, err = hepclf("train", f"model={model}", *SMALL)
    assert code == 0, err
    assert "AUC" in out
    scores = package.load_tagger("runs/latest/tagger").scores(package.GW(signals=300, noise=900).load())
    assert 0 <= scores.min() < scores.max() <= 1
    assert json.loads(Path("runs/latest/metrics.json").read_text())["test"]["auc"]["value"] > 0.85


@pytest.mark.parametrize("model", ["likelihood", "knn", "svm", "sklearn"])
def test_three_classes_train_too(hepclf, model):
    written("three.csv", 600, 3)
    classes = "data.classes={zero:0,one:1,two:2}"
    code, _, err = hepclf("train", "data=csv", "data.files=three.csv", classes, f"model={model}", SMALL[2])
    assert code == 0, err
    assert json.loads(Path("runs/latest/metrics.json").read_text())["data"]["classes"] == ["zero", "one", "two"]


def test_cuts_are_printed_and_train_what_they_keep_as_a_selection(hepclf):
    written("two.csv", 2000, 2)
    data = ["data=csv", "data.files=two.csv", SMALL[2]]
    code, out, err = hepclf("train", *data, "model=cuts", "model.efficiency=0.8")
    assert code == 0, err
    (selection,) = (line.removeprefix("cuts   ") for line in out.splitlines() if line.startswith("cuts   "))
    assert selection.startswith("a > ")
    assert hepclf("train", *data, "model=fisher", f"data.selection='{selection}'")[0] == 0
    events = json.loads(Path("runs/latest/metrics.json").read_text())["data"]["events"]
    assert 850 < sum(events.values()) < 1150  # 80 % of the signal and 10 to 15 % of the background


def test_what_cannot_be_saved_is_said_when_trained_and_when_used(hepclf):
    code, out, err = hepclf("train", "model=sklearn", *SMALL)
    assert code == 0
    assert "AUC" in out
    assert "GaussianNB was trained and evaluated but cannot be saved" in " ".join(err.split())
    Path("new.csv").write_text("a\n1\n")
    code, _, err = hepclf("predict", "run=runs/latest", "files=new.csv")
    assert code == 1
    assert "cannot be saved" in " ".join(err.split())
    assert hepclf("evaluate", "run=runs/latest", SMALL[2])[0] == 0


def test_an_estimator_outside_scikit_learn_is_refused_before_anything_is_written(hepclf):
    code, _, err = hepclf("train", "model=sklearn", "model.estimator=os.system", *SMALL)
    assert code == 2
    assert "model.estimator must be a classifier of scikit-learn" in " ".join(err.split())
    assert not Path("runs").exists()

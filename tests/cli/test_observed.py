from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hepclf.cli.main import main
from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation

# The other questions of an evaluation have tests of their own.
ASKED = {"observed"}
OTHERS = [one.name for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")]
ALONE = [f"evaluation.{name}=null" for name in OTHERS if name not in ASKED]
SMALL = ["model=mlp_plain", "trainer.epochs=3", "evaluation.plots=false", "evaluation.report=false", *ALONE]


def write(path, columns):
    names = ",".join(columns)
    np.savetxt(path, np.stack(list(columns.values()), axis=1), delimiter=",", header=names, comments="", fmt="%.6g")


def events(n, seed, shift=0.0):
    made = Mixture(events=n, seed=seed).load()
    return {"x": made.features[:, 0] + shift, "label": made.labels}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on a CSV file, and pseudo-data from the same mixture, with and without labels, and shifted."""
    folder = tmp_path_factory.mktemp("observed")
    before = Path.cwd()
    os.chdir(folder)
    write("all.csv", events(6000, 0))
    write("labelled.csv", events(2000, 1))
    write("data.csv", {"x": events(2000, 1)["x"]})
    write("shifted.csv", {"x": events(2000, 1, shift=0.3)["x"]})
    code = main(["train", "data=csv", "data.files=all.csv", "runs=runs", *SMALL])
    os.chdir(before)
    assert code == 0
    return folder


@pytest.fixture
def trained(made):
    """The same in the test's own folder."""
    shutil.copytree(made, ".", dirs_exist_ok=True, symlinks=True)


def agreement(*words, code=0):
    shutil.rmtree("again", ignore_errors=True)
    assert main(["evaluate", "run=runs/latest", "out=again", *words]) == code
    return json.loads(Path("again/metrics.json").read_text())["studies"]["observed"]["agreement"]


def test_pseudo_data_of_the_same_mixture_agrees_and_shifted_data_does_not(trained, capsys):
    same = agreement("observed.files=data.csv")
    assert same["score"]["p"] > 0.01
    assert same["x"]["p"] > 0.01
    assert "No sign that the score differs between data and simulation" in " ".join(capsys.readouterr().out.split())
    shifted = agreement("observed.files=shifted.csv")
    assert shifted["score"]["p"] < 1e-4
    assert shifted["x"]["p"] < 1e-4


def test_a_label_in_observed_data_is_ignored(trained):
    assert agreement("observed.files=labelled.csv") == agreement("observed.files=data.csv")
    columns = events(2000, 1)
    write("blinded.csv", {"x": columns["x"], "label": np.zeros(2000)})
    assert agreement("observed.files=blinded.csv") == agreement("observed.files=data.csv")


def test_observed_data_may_be_of_another_kind(trained):
    uproot = pytest.importorskip("uproot")
    with uproot.recreate("data.root") as file:
        tree = file.mktree("events", {"x": np.float32})
        tree.extend({"x": events(2000, 1)["x"].astype(np.float32)})
    other = agreement("data@observed=root", "observed.files=data.root")
    assert other["score"]["p"] == pytest.approx(agreement("observed.files=data.csv")["score"]["p"], rel=0.2)


def test_a_generator_can_stand_in_for_data(trained):
    assert agreement("data@observed=mixture", "observed.events=1000", "observed.seed=5")["score"]["p"] > 0.005


def test_features_can_be_named(trained):
    assert list(agreement("observed.files=data.csv", "evaluation.observed.features=[]")) == ["score"]


def test_data_that_changed_since_the_training_gives_no_features(trained, capsys):
    write("all.csv", events(5000, 3))
    assert list(agreement("observed.files=data.csv")) == ["score"]
    assert "has changed since the training" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["observed.file=data.csv"], "observed.file is not a setting of CSV"),
        (["observed.files=nowhere.csv"], "nowhere.csv"),
        (["observed=data.csv"], "observed must be a group of settings"),
        (["observed.files=data.csv", "evaluation.observed.features=[y]"], "'y', which is no feature of the tagger"),
    ],
)
def test_mistakes_are_one_line(trained, capsys, words, said):
    assert main(["evaluate", "run=runs/latest", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.usefixtures("trained")
def test_a_file_of_another_kind_says_which_choice_it_needs(hepclf):
    code, _, err = hepclf("evaluate", "run=runs/latest", "observed.files=new/data.root:t")
    assert code == 2
    assert err.count("\n") == 1
    assert "observed.files=new/data.root:t is no file of the kind that the run read; add data@observed=root" in err

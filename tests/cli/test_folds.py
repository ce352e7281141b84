"""Folds on the command line: train, predict, evaluate, again, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
import yaml

from hepclf.cli.main import main

EVENTS = 600
KEYS = 2**60 + np.arange(EVENTS) // 2  # of which doubles hold no two neighbours apart
OFF = ["evaluation.plots=false", "evaluation.report=false", "evaluation.importance=null", "evaluation.bands=null"]
FAST = [*OFF, "evaluation.overtraining=null", "evaluation.calibration=null", "evaluation.binned=null"]


def table():
    """Random labels: one nearest neighbour knows the label of an event that it saw, and of no other."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(EVENTS, 2))
    return {"x": x[:, 0], "z": x[:, 1], "event": KEYS, "label": rng.integers(0, 2, EVENTS)}


def accuracy(scores, labels):
    return np.mean((np.asarray(scores) >= 0.5) == labels)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    pd.DataFrame(table()).to_csv(folder / "data.csv", index=False)
    words = ["data=csv", f"data.files={folder}/data.csv", "model=knn", "model.neighbours=1", *FAST]
    assert main(["train", *words, "folds=kfold", "folds.by=event", "folds.count=3", f"folder={folder}/run"]) == 0
    return folder


@pytest.fixture
def run(trained_once):
    copytree(trained_once / "run", "run")
    return trained_once


def test_the_column_of_the_folds_is_named_once_and_read_without_loss(run):
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert config["data"]["spectators"] == ["event"]
    assert config["folds"]["by"] == "event"
    with uproot.open("run/scores.root") as file:
        scores = file["scores"].arrays(["split", "fold", "event", "score"], library="np")
    test = scores["split"] == 2
    np.testing.assert_array_equal(scores["event"][test], KEYS)
    np.testing.assert_array_equal(scores["fold"][test], KEYS % 3)
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert metrics["data"]["events"]["test"] == EVENTS
    assert metrics["model"]["members"] == 3
    assert [fold["events"] for fold in metrics["studies"]["folds"]["folds"]] == [200, 200, 200]


def write_csv(path, columns):
    pd.DataFrame(columns).to_csv(path, index=False)


def write_root(path, columns):
    columns = columns | {"event": columns["event"].astype(np.uint64)}
    with uproot.recreate(path) as file:
        file.mktree("t", {name: column.dtype for name, column in columns.items()}).extend(columns)


def write_npz(path, columns):
    np.savez(path, **columns)


def write_hdf5(path, columns):
    with h5py.File(path, "w") as file:
        for name, column in columns.items():
            file[name] = column


def write_parquet(path, columns):
    pq.write_table(pa.table(columns), path)


WRITERS = {"csv": write_csv, "root": write_root, "npz": write_npz, "h5": write_hdf5, "parquet": write_parquet}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_of_the_training_events_is_scored_by_members_that_have_not_seen_them(suffix, run, hepclf):
    WRITERS[suffix](f"new.{suffix}", table())
    code, _, err = hepclf("predict", "run=run", f"files=new.{suffix}", "output=npz", "columns=[event]", "chunk=70")
    assert code == 0, err
    with np.load("run/predictions/new.npz") as scores, uproot.open("run/scores.root") as file:
        stored = file["scores"].arrays(["split", "score"], library="np")
        np.testing.assert_array_equal(scores["event"], KEYS)
        np.testing.assert_array_equal(scores["score"], stored["score"][stored["split"] == 2])
        assert abs(accuracy(scores["score"], table()["label"]) - 0.5) < 4 * 0.5 / np.sqrt(EVENTS)


def test_a_selection_keeps_events_and_their_numbers_together(run, hepclf):
    write_root("new.root", table())
    code, _, err = hepclf("predict", "run=run", "files=new.root", "selection='x > 0'", "out=o", "columns=[event]")
    assert code == 0, err
    scores = uproot.open("o/new.root")["scores"].arrays(library="np")
    stored = uproot.open("run/scores.root")["scores"].arrays(["split", "score"], library="np")
    passes = table()["x"] > 0
    np.testing.assert_array_equal(scores["score"][passes], stored["score"][stored["split"] == 2][passes])
    np.testing.assert_array_equal(scores["score"][~passes], -1)


def test_files_of_the_training_are_said_to_be_scored_unseen(run, hepclf):
    code, out, err = hepclf("predict", "run=run", f"files={run}/data.csv", "out=o")
    assert code == 0, err
    assert "1 of 1 files were read for the training, and each of their events is scored by the member that" in out


def test_a_file_without_the_column_names_it_and_the_way_out(run, hepclf):
    columns = table()
    del columns["event"]
    write_csv("new.csv", columns)
    code, _, err = hepclf("predict", "run=run", "files=new.csv")
    assert code == 1
    assert err.count("\n") == 1
    assert "new.csv: column 'event' must be there, as it tells which member of the tagger has not seen" in err
    assert "with rule=mean the score is the mean of the members" in err
    code, _, err = hepclf("predict", "run=run", "files=new.csv", "rule=mean")
    assert code == 0, err
    scores = pd.read_csv("run/predictions/new.csv")["score"]
    assert accuracy(scores, table()["label"]) > 0.9, "two of three members saw each event"


def test_a_number_that_is_no_number_of_an_event_is_refused_with_its_file(run, hepclf):
    write_npz("new.npz", table() | {"event": -KEYS})
    code, _, err = hepclf("predict", "run=run", "files=new.npz")
    assert code == 1
    assert "new.npz: folds.by='event' must hold whole numbers of at least 0" in err


def test_other_data_and_stored_scores_are_evaluated(run, hepclf):
    words = ["data=csv", f"data.files={run}/data.csv"]
    code, other, err = hepclf("evaluate", "run=run", *words, *FAST, "out=other")
    assert code == 0, err
    code, same, err = hepclf("evaluate", "run=run", *FAST, "out=same", "evaluation.report=true")
    assert code == 0, err
    page = Path("same/report.html").read_text()
    assert "csv, knn, 3 folds by event" in page
    assert "so the sets overlap" in page
    assert "so the sets overlap" in " ".join(same.split())
    assert "so the sets overlap" not in " ".join(other.split()), "its test events are other data"
    results = [json.loads(Path(place, "metrics.json").read_text()) for place in ("run", "other", "same")]
    assert results[0]["test"]["auc"] == results[1]["test"]["auc"] == results[2]["test"]["auc"]
    assert results[2]["studies"]["folds"] == results[0]["studies"]["folds"]
    assert "training_events" not in [row["kind"] for row in results[1]["warnings"]]


def test_observed_events_are_scored_by_their_members(run, hepclf):
    words = ["data@observed=csv", f"observed.files={run}/data.csv", "observed.label=null", "observed.ignore=[label]"]
    code, _, err = hepclf("evaluate", "run=run", *words, *FAST, "out=other", "evaluation.folds=null")
    assert code == 0, err
    agreement = json.loads(Path("other/metrics.json").read_text())["studies"]["observed"]["agreement"]
    assert set(agreement) == {"score", "x", "z"}
    assert agreement["score"]["chi2"] == pytest.approx(0, abs=1e-9)


def test_again_keeps_the_folds_and_the_command_line_changes_them(run, hepclf):
    assert hepclf("train", "again=run", "folder=two", "folds.count=2", "seed=3")[0] == 0
    folds = yaml.safe_load(Path("two/config.yaml").read_text())["folds"]
    assert (folds["count"], folds["by"], folds["seed"]) == (2, "event", 3)
    assert hepclf("train", "again=run", "folder=none", "folds=none")[0] == 0
    assert "folds" not in yaml.safe_load(Path("none/config.yaml").read_text())
    code, _, err = hepclf("compare", "run", "two", "none", "plots=false")
    assert code == 0, err


def test_random_folds_warn_that_seen_events_cannot_be_told(trained_once, hepclf):
    words = [
        "data=csv",
        f"data.files={trained_once}/data.csv",
        "data.ignore=[event]",
        "model=mlp_plain",
        "trainer.epochs=2",
        *FAST,
    ]
    code, out, _ = hepclf("train", *words, "folds=kfold", "folder=run")
    assert code == 0
    assert "csv, mlp_plain, 5 random folds" in out
    assert re.search(r"^epochs [12], [12], [12], [12], [12] made the members, one for each fold$", out, re.MULTILINE)
    code, _, err = hepclf("predict", "run=run", f"files={trained_once}/data.csv", "out=o")
    assert code == 0
    assert "the folds of this tagger were drawn at random, so it cannot tell events that its members have seen" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "folds.count=3"], "folds.count needs folds; say folds=kfold beside it"),
        (["train", "folds=kfold", "folds.cont=3"], "folds.cont is not a setting of KFold; nearest: 'count'"),
        (["train", "folds=kflod"], "nearest: 'kfold'"),
        (["train", "folds=kfold", "folds.by=number"], "folds.by='number' must be a spectator of the data"),
        (["tune", "folds=kfold"], "folds=kfold is not for hepclf tune"),
        (["predict", "run=mine", "files=x.csv", "rule=mean"], "rule=mean is for a tagger with members"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, message, hepclf, mixture_run):
    Path("run").rename("mine")
    code, _, err = hepclf(*words)
    assert code in (1, 2)
    assert message in err
    assert err.strip().count("\n") == 0

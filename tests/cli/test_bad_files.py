"""Bad ntuples on the command line: one line, exit code 1 or 2, nothing lost, nothing half-written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import copytree

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from hepclf.data.cache import cache_folder

EVENTS = 200
GOOD = {"name": "b", "class": "background", "files": "b.root"}
SIGNAL = {"name": "s", "class": "signal", "files": "s.root"}


def write(name, *, form="TTree", **more):
    rng = np.random.default_rng(len(name))
    counts = rng.integers(1, 4, EVENTS)
    columns = {
        "x": rng.normal(size=EVENTS) + (name[0] == "s"),
        "y": rng.normal(size=EVENTS),
        "w": np.ones(EVENTS),
        "jet": ak.unflatten(rng.exponential(30, counts.sum()), counts),
        **more,
    }
    arrays = {key: ak.Array(column) for key, column in columns.items()}
    with uproot.recreate(name) as file:
        types = {key: array.type.content if form == "TTree" else array[:0] for key, array in arrays.items()}
        make = file.mktree if form == "TTree" else file.mkrntuple
        tree = make("t", types)
        tree.extend(arrays)
        file.mktree("other", {"z": np.dtype(float)}).extend({"z": np.zeros(3)})


def with_nan():
    weights = np.ones(EVENTS)
    weights[17] = np.nan
    write("s.root", w=weights)


def with_text():
    write("s.root", form="RNTuple", x=["a"] * EVENTS)


def truncated():
    os.truncate("s.root", Path("s.root").stat().st_size // 2)


# what is done to the files, what is said of the samples or the loader, and what the line says
BAD = {
    "a truncated file": (truncated, {}, {}, "s.root cannot be read: it ends before its data do"),
    "an empty file": (lambda: Path("s.root").write_bytes(b""), {}, {}, "s.root cannot be read: "),
    "a file of text": (lambda: Path("s.root").write_text("x y\n" * 99), {}, {}, "s.root cannot be read: not a ROOT"),
    "a file that is gone": (lambda: Path("s.root").unlink(), {}, {}, "file 's.root' does not exist; nearest: 'b.root'"),
    "a wrong tree": (None, {}, {"tree": "Events"}, "tree 'Events' is not in "),
    "a tree that none names": (None, {}, {"tree": None}, "it holds t, other; say which to read with tree"),
    "another tree in one file": (None, {"tree": "other"}, {}, "column 'x' is not there; there are: 'z'"),
    "a missing branch": (None, {}, {"features": ["x", "ptt"]}, "column 'ptt' is not there"),
    "a branch of text": (with_text, {}, {}, "column 'x' holds text; numbers and booleans can be used"),
    "lists where numbers are due": (None, {}, {"features": ["x", "jet"]}, "it gives a list an event; reduce it"),
    "numbers where lists are due": (None, {}, {"features": ["x", "max(y)"]}, "max takes the list of an event"),
    "a weight that is NaN": (with_nan, {}, {"weight": "w"}, "tree 't', entry 17: weight 'w' is nan"),
    "weights below zero": (None, {}, {"weight": "y"}, "of the training events have a negative weight"),
    "a normalisation of zero": (
        None,
        {"weight": "w - 1", "cross_section_pb": 1.0},
        {"luminosity_fb": 1.0, "samples": [{**GOOD, "cross_section_pb": 1.0}]},
        "the weights of sample 's' sum to 0 before the selection",
    ),
    "no cross section": (None, {}, {"luminosity_fb": 1.0}, "has no cross section, which luminosity_fb=1 needs"),
    "an empty selection": (None, {"selection": "x > 99"}, {}, "class 'signal' has no events: the selection 'x > 99'"),
    "two processes of one name": (None, {"name": "b"}, {}, "two samples are named 'b'"),
    "one class alone": (
        None,
        {"class": "background"},
        {},
        "the data must have at least two classes, not 'background' alone",
    ),
    "a class that no sample has": (None, {}, {"classes": ["background", "sig"]}, "class 'signal' of sample 's' is not"),
    "code in a feature": (None, {}, {"features": ["__import__('os')"]}, "expression"),
    "an attribute in a cut": (None, {}, {"selection": "x.__class__"}, "'.' is no part of the language"),
    "a power without end": (None, {}, {"features": ["9**9**9**9"]}, "feature '9**9**9**9' is inf, infinite in"),
    "an infinite feature": (None, {}, {"features": ["x", "1 / (y - y)"]}, "infinite in single precision"),
    "a constant feature": (None, {}, {"features": ["x", "w"]}, "feature 'w' is always 1"),
    "no sample": (None, None, {"samples": []}, "samples must list at least one process"),
    "a sample without class": (None, None, {"samples": [{"name": "s", "files": "s.root"}]}, "class must be given"),
    "an unknown setting of a sample": (None, {"crosssection": 1.0}, {}, "nearest: 'cross_section_"),
    "a split by a branch that is not carried": (
        None,
        {},
        {"split": {"by": "column", "column": "event"}},
        "split.column='event' is not a spectator of the data",
    ),
}


def described(sample, loader):
    samples = [*loader.pop("samples", [GOOD]), *([] if sample is None else [{**SIGNAL, **sample}])]
    base = {"_target_": "hepclf.data.root.Root", "samples": samples, "features": ["x", "y"], "tree": "t"}
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text("# mine\n" + yaml.safe_dump({**base, **loader}))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of two good files, written once."""
    folder = tmp_path_factory.mktemp("ntuples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write("s.root")
        write("b.root")
    return folder


@pytest.fixture(autouse=True)
def _files(_own_folder, written):
    copytree(written, ".", dirs_exist_ok=True)


def one_line(err):
    stages = {"loading", "checking", "training", "scoring", "storing", "evaluating", "drawing"}
    lines = [line for line in err.splitlines() if line not in stages]
    assert len(lines) == 1, err
    assert lines[0].startswith("hepclf: ")
    return lines[0]


@pytest.mark.parametrize(("damage", "sample", "loader", "says"), BAD.values(), ids=BAD)
def test_a_bad_input_is_one_line_and_leaves_nothing_half_written(hepclf, damage, sample, loader, says):
    if damage:
        damage()
    described(sample, dict(loader))
    code, _, err = hepclf("train", "--config-dir", "lab", "data=mine", "trainer.epochs=1", "evaluation.plots=false")
    assert says in one_line(err)
    assert code in (1, 2)
    assert not Path("runs/latest").exists()
    for record in Path().glob("runs/*/*/environment.json"):
        assert json.loads(record.read_text())["status"] == "failed"
        assert not (record.parent / "metrics.json").exists()
    assert [path.name for path in cache_folder().glob(".*")] == []


def test_a_disk_that_fills_during_a_run_leaves_a_failed_run(hepclf, tiny):
    described({}, {})
    words = ("train", "--config-dir", "lab", "data=mine", "trainer.epochs=1", f"runs={tiny}")
    code, _, err = hepclf(*words, "model.hidden=[400,400]")
    assert "no space left on device" in one_line(err)
    assert "free some space and run it again" in err
    assert code == 1
    (record,) = tiny.glob("*/*/environment.json")
    assert json.loads(record.read_text())["status"] == "failed"
    assert not (tiny / "latest").exists()


def test_runs_in_a_place_that_is_a_file_are_refused_before_anything_is_read(hepclf):
    described({}, {})
    Path("s.root").unlink()
    Path("taken").write_text("")
    code, _, err = hepclf("train", "--config-dir", "lab", "data=mine", "runs=taken")
    assert "cannot be made" in one_line(err)
    assert code in (1, 2)


def test_a_file_left_out_is_in_the_record_of_the_run(hepclf):
    write("s2.root")
    os.truncate("s2.root", 300)
    described({"files": "s*.root"}, {"on_bad_file": "skip"})
    code, _, err = hepclf("train", "--config-dir", "lab", "data=mine", "trainer.epochs=1", "evaluation.plots=false")
    assert code == 0, err
    assert "1 of 2 files cannot be read and are left out" in " ".join(err.split())
    background, signal = json.loads(Path("runs/latest/environment.json").read_text())["read"]
    assert (background["process"], background["files"], background["entries"], background["notes"]) == ("b", 1, 200, [])
    assert (signal["files"], signal["selected"]) == (1, 200)
    assert "left out, with their normalisation: s2.root" in signal["notes"][0]

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf import Evaluation, Logistic, Mixture, Prediction, Trainer, predict, train
from hepclf.data.loader import silent
from hepclf.data.root import Root
from hepclf.data.samples import Sample
from hepclf.data.split import Split

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

EVENTS = 400
FIRST = 2**60  # event numbers that float64 cannot tell apart


def ntuple(path, seed, shift=0.0, events=EVENTS, form="mktree", pieces=4):
    """A file as NanoAOD has them: jets that share a counter, a number an event, and event numbers of 64 bits."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.5, events)
    columns = {
        "MET": ak.Array(rng.normal(shift, 1, events).astype(np.float32)),
        "event": ak.Array(np.arange(events, dtype=np.uint64) + FIRST + 10_000 * seed),
        "trig": ak.Array(rng.random(events) < 0.5),
        "Jet": ak.zip(
            {name: ak.unflatten(rng.exponential(30, counts.sum()).astype(np.float32), counts) for name in ("pt", "m")}
        ),
    }
    if form == "mkrntuple":
        jets = columns.pop("Jet")
        columns |= {"Jet_pt": jets["pt"], "Jet_m": jets["m"]}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    bounds = np.linspace(0, events, pieces + 1).astype(int)
    with uproot.recreate(path) as file:
        types = {key: array.type.content if form == "mktree" else array[:0] for key, array in columns.items()}
        tree = getattr(file, form)("Events", types)
        for low, high in pairwise(bounds):
            tree.extend({key: array[low:high] for key, array in columns.items()})
    return str(path)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Two processes of two files each, and a tagger that was trained on them."""
    folder = tmp_path_factory.mktemp("lab")
    files = [folder / "ntuples" / name for name in ("dy/f1.root", "dy/f2.root", "tt/f1.root", "tt/f2.root")]
    for seed, path in enumerate(files):
        ntuple(path, seed, shift=float(seed // 2))
    data = Root(
        samples=tuple(
            Sample(name=name, class_=kind, files=f"{folder}/ntuples/{name}/*.root")
            for name, kind in (("dy", "background"), ("tt", "signal"))
        ),
        tree="Events",
        features={"met": "MET", "jets": "count(Jet_pt)"},
        leading={"Jet_pt": 2},
        selection="count(Jet_pt) > 0",
        spectators=("event",),
        cache=False,
        split=Split(),
    )
    trained = train(data, Logistic(), Trainer(epochs=2), SCORES_ONLY, folder=folder / "run")
    return SimpleNamespace(
        folder=folder, files=files, data=data, run=folder / "run", scored=trained.scored, tagger=trained.tagger
    )


@pytest.fixture
def score_files(lab, tmp_path):
    """A function that scores the files of the lab into a folder of this test."""

    def call(files=f"{lab.folder}/ntuples/*/*.root", out="out", run=None, tell=silent, **settings):
        return predict(run or lab.run, Prediction(files=files, out=str(tmp_path / out), **settings), tell=tell)

    return call


@pytest.fixture
def two_numbers(tmp_path):
    """A tagger of columns x and y, whose run names no files; where its run is."""
    data = Mixture(events=600)
    train(data, Logistic(), Trainer(epochs=1), SCORES_ONLY, folder=tmp_path / "run")
    return tmp_path / "run"


def friend(path, tree="scores"):
    with uproot.open(path) as file:
        return file[tree].arrays(library="np")


@pytest.fixture(name="friend")
def _friend():
    """Reads a tree of flat branches."""
    return friend


@pytest.fixture(name="ntuple")
def _ntuple():
    """Writes a file as NanoAOD has them."""
    return ntuple

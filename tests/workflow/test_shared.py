"""Events that several trainings share: read once, split anew, checked for every job."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepclf.data.gw import GW
from hepclf.data.memory import Memory
from hepclf.data.mixture import Mixture
from hepclf.data.split import Split
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.logistic import Logistic
from hepclf.training.trainer import Trainer
from hepclf.workflow import shared as workflow
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare
from hepclf.workflow.shared import SharedData, reads_the_same
from hepclf.workflow.train import train

DATA = Mixture(events=900)
QUICK = Evaluation(plots=False, report=False, bands=None, importance=None, effective_cuts=None)


@pytest.fixture
def reads(monkeypatch):
    """The loaders that were asked for their events."""
    loaders, load = [], workflow.load
    monkeypatch.setattr(workflow, "load", lambda data, tell: (loaders.append(data), load(data, tell))[1])
    return loaders


def job(data=DATA, **settings):
    return Job.of(data, Logistic(), Trainer(**settings), QUICK)


def test_jobs_with_the_same_data_read_them_once_and_prepare_what_each_would_alone(reads):
    shared = SharedData()
    folds = [replace(DATA, split=Split(fold=fold)) for fold in (0, 0, 1, 0)]
    for data in folds:
        prepared, alone = shared.prepared(job(data)), prepare(job(data))
        assert np.array_equal(prepared.split, alone.split)
        assert np.array_equal(prepared.events.features, alone.events.features)
        assert prepared.warnings == alone.warnings
    assert reads == folds[:1]


def test_other_data_are_read_and_push_out_the_ones_before(reads):
    shared = SharedData()
    for data in (DATA, replace(DATA, seed=1), DATA):
        assert np.array_equal(shared.prepared(job(data)).events.features, data.load().features)
    assert [data.seed for data in reads] == [0, 1, 0]


def test_nothing_is_looked_at_twice(monkeypatch):
    looks = []
    monkeypatch.setattr("hepclf.workflow.prepare.training_warnings", lambda *_: looks.append(1) or ())
    shared = SharedData()
    for fold in (0, 0, 0, 1):
        shared.prepared(job(replace(DATA, split=Split(fold=fold))))
    assert len(looks) == 2


def test_what_depends_on_the_job_is_checked_and_told_for_each():
    events = DATA.load()
    weights = np.where(np.arange(len(events)) % 10 == 0, -0.5, 1.0)
    data, shared = Memory(events=replace(events, weights=weights)), SharedData()
    for rule in ("error", "abs", "error"):
        kinds = {warning.kind for warning in shared.prepared(job(data, negative_weights=rule)).warnings}
        assert ("negative_weights" in kinds) == (rule == "error")
    wrong = Job.of(data, Logistic(), Trainer(), replace(QUICK, yields={"signal": 1.0, "nothing": 2.0}))
    with pytest.raises(ValueError, match="nothing"):
        shared.prepared(wrong)


def test_loaders_are_compared_without_their_split_and_in_doubt_differ():
    gw = GW(signals=200, noise=600)
    assert reads_the_same(gw, replace(gw, split=Split(fold=2, seed=9)))
    assert not reads_the_same(gw, replace(gw, seed=1))
    assert not reads_the_same(gw, replace(gw, check=False))
    memory = Memory(events=DATA.load())
    assert reads_the_same(memory, memory)
    assert not reads_the_same(memory, Memory(events=memory.events))
    assert not reads_the_same(gw, DATA)


def test_a_training_on_shared_events_leaves_the_files_of_one_that_reads_its_own(reads, tmp_path):
    shared = SharedData()
    train(replace(DATA, split=Split(fold=1)), Logistic(), Trainer(epochs=1), QUICK, tmp_path / "other", shared=shared)
    for name, events in (("shared", shared), ("alone", None)):
        train(DATA, Logistic(), Trainer(epochs=1), QUICK, tmp_path / name, shared=events)
    for file in (
        "metrics.json",
        "config.yaml",
        *(f"tagger/{p.name}" for p in Path(tmp_path, "alone/tagger").iterdir()),
    ):
        assert Path(tmp_path, "shared", file).read_bytes() == Path(tmp_path, "alone", file).read_bytes(), file
    assert json.loads((tmp_path / "shared/environment.json").read_text())["status"] == "finished"
    assert len(reads) == 1  # both trainings with shared events, those of another fold

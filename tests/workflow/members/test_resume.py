"""Trainings in folds that were stopped or killed end as undisturbed ones."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepclf import Evaluation, KFold, Mixture, PlainMLP, Trainer, train
from hepclf.run import Run, Stopped
from hepclf.workflow import checkpoints
from hepclf.workflow import train as workflow
from hepclf.workflow.history import read_histories
from hepclf.workflow.members import member

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))
TRAINER = Trainer(epochs=3, batch=32, checkpoint_s=0, patience=None, threads=1)
FOLDS = KFold(count=3)


class Killed(BaseException):
    """What a kill is within a process."""


def run(folder, **settings):
    return train(Mixture(events=600), PlainMLP(hidden=(4,)), TRAINER, SCORES_ONLY, folder, folds=FOLDS, **settings)


def outcome(folder):
    """All that must not depend on a stop."""
    tagger = {path.relative_to(folder): path.read_bytes() for path in sorted((folder / "tagger").rglob("*.*"))}
    history = {number: [row[:4] for row in rows] for number, rows in read_histories(folder / "history.csv").items()}
    return (folder / "metrics.json").read_bytes(), tagger, history


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    run(folder)
    return outcome(folder)


@pytest.mark.parametrize("times", [7, pytest.param(9, marks=pytest.mark.slow), 11])
def test_a_training_that_was_told_to_stop_goes_on_where_it_was(times, undisturbed, tmp_path, stop_after):
    with pytest.raises(Stopped, match=r"stopped by SIGTERM when \d of 3 trainings were done; .*train resume=.*run"):
        run(tmp_path / "run", stop=stop_after(times))
    assert Run(tmp_path / "run").status().name == "stopped"
    run(tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == undisturbed
    assert not (tmp_path / "run" / "checkpoint").exists()


MOMENTS = {
    "after the first checkpoint": (checkpoints, "write_checkpoint", 1),
    "in the second member": (checkpoints, "write_checkpoint", 5),
    "between two members": (member, "Checkpoints", 2),
    "before scoring": (workflow, "scored_events", 1),
    "before the results are written": (workflow, "record", 1),
}


FAST = ("in the second member", "before scoring")


@pytest.mark.parametrize(
    "moment", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in MOMENTS]
)
def test_a_training_that_was_killed_ends_as_an_undisturbed_one(moment, undisturbed, tmp_path, monkeypatch):
    module, name, times = MOMENTS[moment]
    function, calls = getattr(module, name), []

    def ending(*arguments, **settings):
        calls.append(name)
        if len(calls) == times:
            raise Killed
        return function(*arguments, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, ending)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    run(tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == undisturbed


def test_a_training_with_other_folds_is_not_resumed(tmp_path, stop_after):
    with pytest.raises(Stopped):
        run(tmp_path / "run", stop=stop_after(7))
    with pytest.raises(ValueError, match=r"cannot be resumed with other settings: folds.count was 3 and is 4 now"):
        train(
            Mixture(events=600),
            PlainMLP(hidden=(4,)),
            TRAINER,
            SCORES_ONLY,
            tmp_path / "run",
            folds=KFold(count=4),
            resume=True,
        )


COMMAND = [
    *(sys.executable, "-m", "hepclf.cli.main", "train", "data=mixture", "data.events=20000", "model=mlp_plain"),
    *("trainer.epochs=20", "trainer.patience=null", "trainer.checkpoint_s=0.2", "folds=kfold", "folds.count=4"),
    *("trainer.threads=2", "evaluation.plots=false", "evaluation.report=false"),
]


def started(folder, *words):
    return subprocess.Popen([*COMMAND, *words, f"folder={folder}"], start_new_session=True, stderr=subprocess.PIPE)


def wait_for_members(folder, count, process):
    """Wait until the process has the run, and this number of members have a checkpoint or a tagger."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        made = {path.parts[-3] for path in Path(folder).glob("checkpoint/member_*/checkpoint/*.json")}
        made |= {path.parts[-3] for path in Path(folder).glob("checkpoint/member_*/tagger/tagger.json")}
        if len(made) >= count and recorded_process(folder) == process.pid:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("no member was trained in five minutes")


def recorded_process(folder):
    """The process that the run names as its own; from then on it hears signals."""
    path = Path(folder) / "environment.json"
    return json.loads(path.read_text() or "{}").get("pid") if path.is_file() else None


def descendants(pid):
    """The processes that a process started, while it lives."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, line.split()) for line in listed.splitlines())
    return [child for child, parent in parents.items() if parent == pid]


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.slow
@pytest.mark.parametrize("signals", [["SIGTERM", "SIGKILL"], ["SIGKILL", "SIGKILL", "SIGTERM"]], ids="-".join)
def test_processes_that_are_stopped_and_killed_are_continued_by_others(signals, tmp_path):
    folder = tmp_path / "run"
    assert subprocess.run([*COMMAND, f"folder={tmp_path / 'whole'}"], check=False).returncode == 0
    for place, name in enumerate(signals):
        process = started(folder, "resume=auto")
        wait_for_members(folder, min(2 + place, 4), process)
        children = descendants(process.pid)
        assert len(children) >= 2 or place, "two members are trained side by side"
        os.killpg(process.pid, getattr(signal, name))
        _, error = process.communicate(timeout=120)
        assert process.returncode == (85 if name == "SIGTERM" else -signal.SIGKILL), error
        deadline = time.monotonic() + 10
        while any(map(lives, children)):
            assert time.monotonic() < deadline, "a member outlives the training"
            time.sleep(0.02)
        if name == "SIGTERM":
            assert re.search(rb"stopped by SIGTERM when \d of 4 trainings were done", error)
    started(folder, "resume=auto").communicate(timeout=300)
    assert outcome(folder) == outcome(tmp_path / "whole")
    assert not (folder / "checkpoint").exists()

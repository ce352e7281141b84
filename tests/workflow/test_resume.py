"""A run that was stopped at any moment, and resumed, ends with the files of an undisturbed one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import read_yaml
from hepclf.models.bdt import BDT
from hepclf.models.logistic import Logistic
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.run import Run, Stopped
from hepclf.training import checkpoint, descent
from hepclf.training.epoch import Quiet
from hepclf.training.trainer import Trainer
from hepclf.workflow import train as workflow
from hepclf.workflow.record import read_history
from hepclf.workflow.stop import Stop
from hepclf.workflow.train import train

DATA = Mixture(events=6000)
QUICK = Evaluation(plots=False, report=False, bands=None, importance=None, effective_cuts=None)
TRAINER = Trainer(epochs=3, batch=32, checkpoint_s=0, patience=None)  # 94 steps an epoch: an edge within each
MODELS = {
    "logistic": Logistic(solver="gradient"),
    "newton": Logistic(solver="newton"),
    "plain": PlainMLP(hidden=(8,), dropout=0.2, norm="batch"),
    "mlp": MLP(hidden=(8,), members=2, frequencies=4),
    "bdt": BDT(iterations=5),
}


class Killed(BaseException):
    """Ends a run as a kill does: nothing that comes after it is done."""


class StopAfter(Stop):
    """Asks for a stop when it was asked for the reason so many times."""

    def __init__(self, times):
        super().__init__()
        self._times = times

    @property
    def reason(self):
        self._times -= 1
        return "SIGTERM" if self._times < 0 else None


def run(name, folder, *, resume=False, stop=None, trainer=TRAINER):
    return train(DATA, MODELS[name], trainer, QUICK, folder, resume=resume, stop=stop)


def outcome(folder):
    """All that must not depend on a stop: results, tagger, and history without its times."""
    tagger = {path.name: path.read_bytes() for path in sorted((Path(folder) / "tagger").iterdir())}
    history = [epoch[:4] for epoch in read_history(Path(folder) / "history.csv")]
    return (Path(folder) / "metrics.json").read_bytes(), tagger, history


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The outcome of a model's run that nothing disturbs; trained once."""
    outcomes = {}

    def get(name):
        if name not in outcomes:
            folder = tmp_path_factory.mktemp("undisturbed") / name
            run(name, folder)
            assert not (folder / "checkpoint").exists()
            outcomes[name] = outcome(folder)
        return outcomes[name]

    return get


def fail_at(monkeypatch, module, name, times, *, after=False):
    """Let a function end by Killed when it is called for the so-many-th time, before or after its work."""
    function, calls = getattr(module, name), []

    def killed(*arguments, **settings):
        calls.append(name)
        if len(calls) == times and not after:
            raise Killed
        result = function(*arguments, **settings)
        if len(calls) == times:
            raise Killed
        return result

    monkeypatch.setattr(module, name, killed)


MOMENTS = {
    "while reading": (workflow, "prepare", 1, True),
    "in an epoch": (descent.Descent, "_learn", 90, False),
    "twice in an epoch": (descent.Descent, "_learn", 70, False),
    "in the third epoch": (descent.Descent, "_learn", 200, False),
    "at the end of an epoch": (descent.Descent, "_epoch_end", 2, False),
    "during validation": (descent, "mean_loss", 2, False),
    "between best epoch and checkpoint": (descent.Descent, "_epoch_end", 2, True),
    "before the tensors of a checkpoint": (checkpoint, "write_bytes", 5, False),
    "between the files of a checkpoint": (checkpoint, "write_bytes", 6, False),
    "after a checkpoint": (checkpoint, "write_bytes", 6, True),
    "before scoring": (workflow, "score", 1, False),
    "after scoring": (workflow, "score", 1, True),
    "after storing": (workflow, "write_scores", 1, True),
    "during evaluation": (workflow, "evaluated", 1, False),
    "while the results are written": (workflow, "record", 1, False),
    "after the results are written": (workflow, "record", 1, True),
}


# What comes before and after the training is the same for every model. What a model stores and restores is tested for
# every network, optimiser and schedule in tests/training/test_descent.py.
TRAINING = {moment for moment, (module, *_) in MOMENTS.items() if module is not workflow}
FEW = {"in an epoch", "at the end of an epoch", "after a checkpoint", "before scoring"}
FAST = {"plain": set(MOMENTS), "mlp": TRAINING, "logistic": FEW, "newton": FEW, "bdt": FEW}
PAIRS = [
    pytest.param(name, moment, marks=[] if moment in FAST[name] else pytest.mark.slow)
    for name in MODELS
    for moment in MOMENTS
]


@pytest.mark.parametrize(("name", "moment"), PAIRS)
def test_a_run_that_was_killed_ends_as_an_undisturbed_one(name, moment, undisturbed, monkeypatch, tmp_path):
    module, function, times, after = MOMENTS[moment]
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        fail_at(patch, module, function, times, after=after)
        try:
            run(name, folder)
        except Killed:
            if moment == "twice in an epoch":
                fail_at(patch, descent.Descent, "_learn", 10)
                with pytest.raises(Killed):
                    run(name, folder, resume=True)
        else:
            assert name in ("newton", "bdt")  # they have no steps, or write fewer checkpoints
            assert module in (descent, descent.Descent, checkpoint)
            return
    run(name, folder, resume=True)
    assert outcome(folder) == undisturbed(name)
    assert not (folder / "checkpoint").exists()


@pytest.mark.parametrize("name", MODELS)
def test_a_run_that_is_stopped_at_every_few_edges_ends_as_an_undisturbed_one(name, undisturbed, tmp_path):
    folder, reasons = tmp_path / "run", []
    for edges in range(9, 60):
        try:
            run(name, folder, resume=True, stop=StopAfter(edges))
            break
        except Stopped as stopped:
            reasons.append(str(stopped))
            assert Run(folder).status().name == "stopped"
    assert len(reasons) >= 1
    assert all(f"continue with: hepclf train resume={folder}" in reason for reason in reasons)
    assert outcome(folder) == undisturbed(name)


def test_what_was_trained_is_not_trained_again(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        fail_at(patch, workflow, "score", 1)
        with pytest.raises(Killed):
            run("plain", tmp_path / "run")
    monkeypatch.setattr(workflow, "fit", None)
    assert len(run("plain", tmp_path / "run", resume=True).history) == 3


def test_early_stopping_goes_on_where_it_was(monkeypatch, tmp_path):
    trainer = replace(TRAINER, epochs=30, patience=2, learning_rate=0.2, schedule="constant")
    whole = run("plain", tmp_path / "whole", trainer=trainer).history
    assert 3 < len(whole) < 30
    with monkeypatch.context() as patch:
        fail_at(patch, descent.Descent, "_epoch_end", len(whole))
        with pytest.raises(Killed):
            run("plain", tmp_path / "run", trainer=trainer)
    resumed = run("plain", tmp_path / "run", trainer=trainer, resume=True).history
    assert [epoch[:4] for epoch in resumed] == [epoch[:4] for epoch in whole]


def stopped_run(folder, trainer=TRAINER):
    with pytest.raises(Stopped):
        run("plain", folder, stop=StopAfter(6), trainer=trainer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 64}, r"cannot be resumed with other settings: trainer.batch was 32 and is 64 now"),
        ({"seed": 1}, r"cannot be resumed with other settings: trainer.seed was 0 and is 1 now"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_lost(changes, message, undisturbed, tmp_path):
    stopped_run(tmp_path / "run")
    with pytest.raises(ValueError, match=message):
        run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, **changes))
    run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, checkpoint_s=None))  # which may differ
    assert outcome(tmp_path / "run") == undisturbed("plain")


def test_another_number_of_threads_is_told_and_changes_the_result_by_rounding_alone(undisturbed, tmp_path, caplog):
    with pytest.raises(Stopped):
        run("mlp", tmp_path / "run", stop=StopAfter(6), trainer=replace(TRAINER, threads=1))
    run("mlp", tmp_path / "run", resume=True, trainer=replace(TRAINER, threads=2))
    assert "continues with another number of threads" in caplog.text
    losses = [[epoch[1:3] for epoch in history] for _, _, history in (outcome(tmp_path / "run"), undisturbed("mlp"))]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_epochs_before_a_stop_are_told_again_as_such(tmp_path):
    class Heard(Quiet):
        rows: ClassVar[list] = []

        def epoch(self, epoch, total, events):
            self.rows.append((epoch.epoch, total, events))

    with pytest.raises(Stopped):
        run("plain", tmp_path / "run", stop=StopAfter(7))
    before = len(checkpoint.read_checkpoint(tmp_path / "run/checkpoint")["history"])
    train(DATA, MODELS["plain"], TRAINER, QUICK, tmp_path / "run", resume=True, progress=Heard())
    assert 0 < before < 3
    assert Heard.rows == [(number, 3, None if number <= before else 2400) for number in (1, 2, 3)]


def test_a_finished_run_is_not_resumed(tmp_path):
    run("plain", tmp_path / "run")
    with pytest.raises(ValueError, match="finished"):
        run("plain", tmp_path / "run", resume=True)


def test_short_runs_write_no_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr("hepclf.workflow.checkpoints.write_checkpoint", None)
    assert run("plain", tmp_path / "run", trainer=replace(TRAINER, checkpoint_s=60.0)).run is not None


def test_a_disk_that_is_full_at_a_checkpoint_does_not_end_the_training(monkeypatch, undisturbed, tmp_path, caplog):
    function, calls = checkpoint.write_bytes, []

    def full(path, data, **settings):
        calls.append(path)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        function(path, data, **settings)

    monkeypatch.setattr(checkpoint, "write_bytes", full)
    run("plain", tmp_path / "run")
    assert outcome(tmp_path / "run") == undisturbed("plain")
    assert "no checkpoint could be written" in caplog.text


def test_time_that_is_over_stops_a_training(tmp_path):
    with pytest.raises(Stopped, match=r"stopped by trainer.exit_after_s=0"):
        run("plain", tmp_path / "run", trainer=replace(TRAINER, exit_after_s=0.0))
    assert Run(tmp_path / "run").status().name == "stopped"


def test_a_full_disk_at_the_stop_is_said_and_the_checkpoint_before_is_used(monkeypatch, undisturbed, tmp_path):
    function, calls = checkpoint.write_bytes, []

    def full(path, data, **settings):
        calls.append(path)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        function(path, data, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_bytes", full)
        message = r"after 2 epochs; no checkpoint could be written \(No space left on device\); continue with"
        with pytest.raises(Stopped, match=message):
            run("plain", tmp_path / "run", stop=StopAfter(6))
    run("plain", tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == undisturbed("plain")


@pytest.mark.parametrize("moment", ["in training", "after it"])
def test_a_run_is_not_continued_on_other_events(moment, gaussians, monkeypatch, tmp_path):
    model, trainer = MODELS["plain"], replace(TRAINER, epochs=2)
    with monkeypatch.context() as patch:
        fail_at(patch, *((descent.Descent, "_learn", 70) if moment == "in training" else (workflow, "score", 1)))
        with pytest.raises(Killed):
            train(gaussians(6000), model, trainer, QUICK, tmp_path / "run")
    with pytest.raises(ValueError, match="began with other data; restore them, or train in a new folder"):
        train(gaussians(6000, weights=np.full(6000, 2.0)), model, trainer, QUICK, tmp_path / "run", resume=True)
    assert len(train(gaussians(6000), model, trainer, QUICK, tmp_path / "run", resume=True).history) == 2


def test_a_model_without_checkpoints_says_that_its_training_starts_again(tmp_path):
    with pytest.raises(Stopped, match="this model has no checkpoints, so its training will start again; continue with"):
        run("bdt", tmp_path / "run", stop=StopAfter(6))


PART = ".config.yaml.node.1.0a1b2c3d.part"


@pytest.mark.parametrize("names", [["environment.json"], ["environment.json", "heartbeat", PART]])
def test_a_run_that_was_killed_before_it_had_settings_starts_again(names, undisturbed, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
        os.utime(folder / name, (1.0, 1.0))
    run("plain", folder, resume=True)
    assert outcome(folder) == undisturbed("plain")
    assert not list(folder.glob(".*"))


def test_a_folder_with_other_files_is_no_run_to_start_again(tmp_path):
    (tmp_path / "environment.json").touch()
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        run("plain", tmp_path, resume=True)


def test_the_stored_settings_are_those_of_the_last_start(tmp_path):
    stopped_run(tmp_path / "run")
    run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, checkpoint_s=30.0))
    assert read_yaml(tmp_path / "run" / "config.yaml")["trainer"]["checkpoint_s"] == 30.0

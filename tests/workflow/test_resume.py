"""A run that was stopped at any moment, and resumed, ends with the files of an undisturbed one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import leftovers, read_yaml, temporary_path
from hepclf.models.bdt import BDT
from hepclf.models.logistic import Logistic
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.model import edges
from hepclf.presentation.plots import drawing
from hepclf.run import Run, Stopped
from hepclf.training import checkpoint, descent
from hepclf.training.epoch import Quiet
from hepclf.training.trainer import Trainer
from hepclf.workflow import checkpoints, record
from hepclf.workflow import fit as fitting
from hepclf.workflow import train as workflow
from hepclf.workflow.history import read_history
from hepclf.workflow.stop import Stop
from hepclf.workflow.train import train

DATA = Mixture(events=6000)
STUDIES = [setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study")]
QUICK = Evaluation(plots=False, report=False, **dict.fromkeys(STUDIES))
DRAWN = replace(QUICK, plots=True)
TRAINER = Trainer(epochs=3, batch=32, checkpoint_s=0, patience=None)  # 75 steps an epoch: an edge within each
MODELS = {
    "logistic": Logistic(solver="gradient"),
    "newton": Logistic(solver="newton"),
    "plain": PlainMLP(hidden=(8,), dropout=0.2, norm="batch"),
    "mlp": MLP(hidden=(8,), members=2, frequencies=4),
    "bdt": BDT(iterations=5),
}


class Killed(BaseException):
    """Ends a run as a kill does: nothing that comes after it is done."""


def end_by_exception():
    raise Killed


def end_by_signal():
    os.kill(os.getpid(), signal.SIGKILL)


def run(name, folder, *, resume=False, stop=None, trainer=TRAINER, evaluation=QUICK):
    return train(DATA, MODELS[name], trainer, evaluation, folder, resume=resume, stop=stop)


def outcome(folder):
    """All that must not depend on a stop: results, tagger, and history without its times."""
    tagger = {path.name: path.read_bytes() for path in sorted((Path(folder) / "tagger").iterdir())}
    history = [epoch[:4] for epoch in read_history(Path(folder) / "history.csv")]
    return (Path(folder) / "metrics.json").read_bytes(), tagger, history


def digest(value, hashed):
    """Take in a state: weights, optimiser, schedule and all else that the next steps depend on, without the time."""
    if isinstance(value, dict):
        for key, inner in sorted(value.items()):  # a checkpoint does not keep the order of tensors
            if key != "seconds":
                hashed.update(key.encode())
                digest(inner, hashed)
    else:
        hashed.update(value.numpy().tobytes() if isinstance(value, torch.Tensor) else repr(value).encode())


@contextmanager
def watching():
    """Pairs of an epoch and the digest of the state after it, while the block runs."""
    states = set()

    def watched(fit):
        for epoch in edges(fit):
            if epoch is not None:
                digest(fit.state(), hashed := hashlib.sha256())
                states.add((epoch.epoch, hashed.hexdigest()))
            yield epoch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "edges", watched)
        yield states


@pytest.fixture(scope="module")
def run_once(tmp_path_factory):
    """Outcome of a model's run that nothing disturbs, and the states after its epochs; trained once."""
    runs = {}

    def get(name):
        if name not in runs:
            folder = tmp_path_factory.mktemp("undisturbed") / name
            with watching() as states:
                run(name, folder)
            assert not (folder / "checkpoint").exists()
            runs[name] = outcome(folder), states
        return runs[name]

    return get


@pytest.fixture
def undisturbed(run_once):
    """The outcome of a model's run that nothing disturbs."""
    return lambda name: run_once(name)[0]


def fail_at(monkeypatch, module, name, times, when="before", end=end_by_exception):
    """Let a function end the run when it is called for the so-many-th time: before, halfway through or after its work.

    Halfway means half a temporary file: only what writes a file can be ended there.
    """
    function, calls = getattr(module, name), []

    def ending(*arguments, **settings):
        calls.append(name)
        is_time = len(calls) == times
        if is_time and when == "halfway":
            path, contents = arguments
            data = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
            temporary_path(path).write_bytes(data[: len(data) // 2])
        if is_time and when != "after":
            end()
        result = function(*arguments, **settings)
        if is_time:
            end()
        return result

    monkeypatch.setattr(module, name, ending)


MOMENTS = {
    "while reading": (workflow, "prepare", 1, "after"),
    "in an epoch": (descent.Descent, "_learn", 90, "before"),
    "twice in an epoch": (descent.Descent, "_learn", 70, "before"),
    "in the third epoch": (descent.Descent, "_learn", 200, "before"),
    "at the end of an epoch": (descent.Descent, "_epoch_end", 2, "before"),
    "during validation": (descent, "mean_loss", 2, "before"),
    "between best epoch and checkpoint": (descent.Descent, "_epoch_end", 2, "after"),
    "before the tensors of a checkpoint": (checkpoint, "write_bytes", 5, "before"),
    "in the middle of a checkpoint's tensors": (checkpoint, "write_bytes", 5, "halfway"),
    "between the files of a checkpoint": (checkpoint, "write_bytes", 6, "before"),
    "in the middle of a checkpoint's JSON file": (checkpoint, "write_bytes", 6, "halfway"),
    "after a checkpoint": (checkpoint, "write_bytes", 6, "after"),
    "before scoring": (workflow, "scored_events", 1, "before"),
    "after scoring": (workflow, "scored_events", 1, "after"),
    "after storing": (workflow, "write_scores", 1, "after"),
    "during evaluation": (workflow, "evaluated", 1, "before"),
    "before the results are written": (workflow, "record", 1, "before"),
    "in the middle of metrics.json": (record, "write_json", 1, "halfway"),
    "while drawing": (drawing, "write_figure", 2, "after"),
    "after the results are written": (workflow, "record", 1, "after"),
}


STEPS = (descent, descent.Descent, checkpoint)
HAS_NO = {  # moments that a model's training does not come by
    "newton": [moment for moment, (module, *_) in MOMENTS.items() if module in STEPS[:2]],
    "bdt": [moment for moment, (module, *_) in MOMENTS.items() if module in STEPS],
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
    if moment not in HAS_NO.get(name, ())
]


@pytest.mark.parametrize(("name", "moment"), PAIRS)
def test_a_run_that_was_killed_ends_as_an_undisturbed_one(name, moment, run_once, sketched, monkeypatch, tmp_path):
    folder, evaluation = tmp_path / "run", DRAWN if moment == "while drawing" else QUICK
    with watching() as states:
        with monkeypatch.context() as patch:
            fail_at(patch, *MOMENTS[moment])
            with pytest.raises(Killed):
                run(name, folder, evaluation=evaluation)
            if moment == "twice in an epoch":
                fail_at(patch, descent.Descent, "_learn", 10)
                with pytest.raises(Killed):
                    run(name, folder, resume=True)
        run(name, folder, resume=True)
    assert (outcome(folder), states) == run_once(name)
    assert not (folder / "checkpoint").exists()
    assert not list(leftovers(folder))


KILLS = {
    "in an epoch": "plain",
    "during validation": "mlp",
    "between best epoch and checkpoint": "plain",
    "in the middle of a checkpoint's tensors": "mlp",
    "between the files of a checkpoint": "logistic",
    "after scoring": "newton",
    "during evaluation": "bdt",
    "while drawing": "plain",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Runs of real processes that ended by SIGKILL at these moments: their folders, and how each process ended."""
    folder = tmp_path_factory.mktemp("killed")
    script = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, check=False)
    assert script.returncode == 0, script.stderr
    return folder, json.loads(script.stdout.splitlines()[-1])


@pytest.mark.parametrize("moment", KILLS)
def test_a_process_that_was_killed_by_the_system_is_continued_by_another(moment, killed, run_once, sketched):
    folder, signals = killed
    folder, name = folder / moment, KILLS[moment]
    assert signals[moment] == signal.SIGKILL
    assert Run(folder).status().name == "lost"
    assert len(list(leftovers(folder))) == (moment == "in the middle of a checkpoint's tensors")
    with watching() as states:
        run(name, folder, resume=True, evaluation=DRAWN if moment == "while drawing" else QUICK)
    whole, states_of_whole = run_once(name)
    assert outcome(folder) == whole
    assert states <= states_of_whole
    assert (folder / "plots" / "pictures.json").is_file() == (moment == "while drawing")
    assert not list(leftovers(folder))
    assert not {path.name for path in folder.iterdir()} & {"checkpoint", "lock", "heartbeat"}


def kill_processes(folder):
    """For each of KILLS, fork a process that trains and kills itself there; print by which signals they ended."""
    signals = {}
    for moment, name in KILLS.items():
        process = os.fork()
        if process == 0:
            fail_at(pytest.MonkeyPatch(), *MOMENTS[moment], end=end_by_signal)
            run(name, folder / moment, evaluation=DRAWN if moment == "while drawing" else QUICK)
            os._exit(1)
        signals[moment] = os.WTERMSIG(os.waitpid(process, 0)[1])
    print(json.dumps(signals))


@pytest.mark.parametrize("name", MODELS)
def test_a_run_that_is_stopped_at_every_few_edges_ends_as_an_undisturbed_one(name, run_once, tmp_path, stop_after):
    folder, reasons = tmp_path / "run", []
    with watching() as states:
        for times in range(9, 60):
            try:
                run(name, folder, resume=True, stop=stop_after(times))
                break
            except Stopped as stopped:
                reasons.append(str(stopped))
                assert Run(folder).status().name == "stopped"
    assert len(reasons) >= 1
    assert all(f"continue with: hepclf train resume={folder}" in reason for reason in reasons)
    assert (outcome(folder), states) == run_once(name)


STEPS_BETWEEN_CHECKPOINTS = 64  # at most; TRAINER writes one at each edge


class Steps:
    """Counts the steps of all starts, and ends a start after so many, as a kill or as a request to stop."""

    def __init__(self, patch):
        self.total, self.left, self.is_kill = 0, None, False
        learn = descent.Descent._learn

        def counted(*arguments):
            if self.is_kill and self.left == 0:
                raise Killed
            learn(*arguments)
            self.total += 1
            self.left = None if self.left is None else max(0, self.left - 1)

        patch.setattr(descent.Descent, "_learn", counted)

    def stop(self):
        """A stop that is asked for when the steps are done."""
        steps = self

        class AfterSteps(Stop):
            @property
            def reason(self):
                return "SIGUSR1" if steps.left == 0 and not steps.is_kill else None

        return AfterSteps()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["kill", "stop"]), st.integers(1, 150)), min_size=1, max_size=4))
def test_whatever_interrupts_a_training_at_most_the_steps_since_a_checkpoint_are_made_twice(run_once, interruptions):
    undisturbed = run_once("plain")[0]
    with TemporaryDirectory() as parent, pytest.MonkeyPatch.context() as patch:
        steps, folder, kills = Steps(patch), Path(parent, "run"), 0
        for action, steps.left in interruptions:
            steps.is_kill = action == "kill"
            try:
                run("plain", folder, resume=True, stop=steps.stop())
                break
            except (Killed, Stopped):
                kills += steps.is_kill
        else:
            steps.left = None
            run("plain", folder, resume=True)
        assert outcome(folder) == undisturbed
        assert 0 <= steps.total - 3 * 75 <= kills * STEPS_BETWEEN_CHECKPOINTS


def test_what_was_trained_is_not_trained_again(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        fail_at(patch, workflow, "scored_events", 1)
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


def stopped_run(folder, stop, trainer=TRAINER):
    with pytest.raises(Stopped):
        run("plain", folder, stop=stop, trainer=trainer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 64}, r"cannot be resumed with other settings: trainer.batch was 32 and is 64 now"),
        ({"seed": 1}, r"cannot be resumed with other settings: trainer.seed was 0 and is 1 now"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_lost(changes, message, undisturbed, tmp_path, stop_after):
    stopped_run(tmp_path / "run", stop_after(6))
    with pytest.raises(ValueError, match=message):
        run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, **changes))
    run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, checkpoint_s=None))  # which may differ
    assert outcome(tmp_path / "run") == undisturbed("plain")


def test_another_number_of_threads_is_told_and_changes_the_result_by_rounding_alone(
    undisturbed, tmp_path, caplog, stop_after
):
    with pytest.raises(Stopped):
        run("mlp", tmp_path / "run", stop=stop_after(6), trainer=replace(TRAINER, threads=1))
    run("mlp", tmp_path / "run", resume=True, trainer=replace(TRAINER, threads=2))
    assert "continues with another number of threads" in caplog.text
    losses = [[epoch[1:3] for epoch in history] for _, _, history in (outcome(tmp_path / "run"), undisturbed("mlp"))]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


@pytest.mark.parametrize(
    ("before", "present", "warning"),
    [
        ("cpu AVX2", "cpu AVX2", ""),
        (
            "cpu AVX2",
            "cpu AVX512",
            "another device: its result is no longer byte-equal to an uninterrupted one",
        ),
        (
            "cuda H100",
            "cuda H100",
            "continues on a GPU, where sums differ by rounding: its result may not be byte-equal",
        ),
    ],
)
def test_a_training_that_may_differ_in_its_last_bits_says_so(
    before, present, warning, monkeypatch, tmp_path, caplog, stop_after
):
    monkeypatch.setattr(checkpoints, "conditions", lambda _: {"device": before})
    stopped_run(tmp_path / "run", stop_after(6))
    monkeypatch.setattr(checkpoints, "conditions", lambda _: {"device": present})
    run("plain", tmp_path / "run", resume=True)
    assert warning in caplog.text
    assert ("byte-equal" in caplog.text) == bool(warning)


def test_epochs_before_a_stop_are_told_again_as_such(tmp_path, stop_after):
    class Heard(Quiet):
        rows: ClassVar[list] = []

        def epoch(self, epoch, total, events):
            self.rows.append((epoch.epoch, total, events))

    with pytest.raises(Stopped):
        run("plain", tmp_path / "run", stop=stop_after(7))
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


def test_a_full_disk_at_the_stop_is_said_and_the_checkpoint_before_is_used(
    monkeypatch, undisturbed, tmp_path, stop_after
):
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
            run("plain", tmp_path / "run", stop=stop_after(6))
    run("plain", tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == undisturbed("plain")


@pytest.mark.parametrize("moment", ["in training", "after it"])
def test_a_run_is_not_continued_on_other_events(moment, gaussians, monkeypatch, tmp_path):
    model, trainer = MODELS["plain"], replace(TRAINER, epochs=2)
    with monkeypatch.context() as patch:
        fail_at(
            patch, *((descent.Descent, "_learn", 70) if moment == "in training" else (workflow, "scored_events", 1))
        )
        with pytest.raises(Killed):
            train(gaussians(6000), model, trainer, QUICK, tmp_path / "run")
    with pytest.raises(ValueError, match="began with other data; restore them, or train in a new folder"):
        train(gaussians(6000, weights=np.full(6000, 2.0)), model, trainer, QUICK, tmp_path / "run", resume=True)
    assert len(train(gaussians(6000), model, trainer, QUICK, tmp_path / "run", resume=True).history) == 2


def test_a_model_without_checkpoints_says_that_its_training_starts_again(tmp_path, stop_after):
    with pytest.raises(Stopped, match="this model has no checkpoints, so its training will start again; continue with"):
        run("bdt", tmp_path / "run", stop=stop_after(6))


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


def test_the_stored_settings_are_those_of_the_last_start(tmp_path, stop_after):
    stopped_run(tmp_path / "run", stop_after(6))
    run("plain", tmp_path / "run", resume=True, trainer=replace(TRAINER, checkpoint_s=30.0))
    assert read_yaml(tmp_path / "run" / "config.yaml")["trainer"]["checkpoint_s"] == 30.0


if __name__ == "__main__":
    kill_processes(Path(sys.argv[1]))

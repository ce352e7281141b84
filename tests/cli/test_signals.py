"""Signals to real processes: what a training leaves, its exit code, and that it goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hepclf.cli.main import main
from hepclf.cli.signals import signalled as asking
from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import read_yaml
from hepclf.run import Run
from hepclf.training.checkpoint import read_checkpoint
from hepclf.workflow.history import read_history
from hepclf.workflow.stop import Stop

JOB = [
    "train",
    "data=mixture",
    "data.events=20000",
    "model=mlp_plain",
    "model.dropout=0.2",
    "trainer.epochs=6",
    "trainer.batch=16",
    "trainer.device=cpu",
    "trainer.threads=1",
    "trainer.checkpoint_s=0.2",
    "evaluation.plots=false",
    "evaluation.report=false",
    *(f"evaluation.{study}=null" for study in Evaluation().study_settings),
]


def outcome(folder):
    tagger = {path.name: path.read_bytes() for path in sorted(Path(folder, "tagger").iterdir())}
    return Path(folder, "metrics.json").read_bytes(), tagger, [epoch[:4] for epoch in read_history(Run(folder).history)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The outcome of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main(words(folder)) == 0
    return outcome(folder)


def words(folder):
    return [*JOB, f"folder={folder}", "resume=auto"]


def command(folder):
    return [sys.executable, "-m", "hepclf.cli.main", *words(folder)]


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def killed(folder):
    """The exit code of a training that was killed after its first epoch."""
    process = subprocess.Popen(command(folder), env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_for_an_epoch(folder, lambda: process.poll() is None)
    process.kill()
    process.communicate(timeout=60)
    return process.returncode


def wait_for_an_epoch(folder, lives=lambda: True):
    until = time.monotonic() + 60
    while not Path(folder, "history.csv").is_file() and lives() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.3)


@pytest.fixture
def signalled(capfd):
    """A function training in this process, which sends itself a signal after an epoch: exit code and standard error.

    A process of its own would import PyTorch once more; tests/cli/test_commands.py has such processes.
    """

    def train(folder, number):
        def send():
            wait_for_an_epoch(folder)
            os.kill(os.getpid(), number)

        sender = threading.Thread(target=send)
        before = signal.signal(number, lambda *_: None)  # in case that the training has ended by then
        sender.start()
        try:
            code = main(words(folder))
        finally:
            sender.join()
            signal.signal(number, before)
        return code, " ".join(capfd.readouterr().err.split())

    return train


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 85), pytest.param("SIGUSR1", 85, marks=pytest.mark.slow), ("SIGINT", 130)]
)
def test_a_signal_leaves_a_checkpoint(name, code, signalled, tmp_path):
    folder = tmp_path / "run"
    returned, errors = signalled(folder, getattr(signal, name))
    assert returned == code, errors
    assert "Traceback" not in errors
    assert f"stopped by {name} after" in errors
    assert errors.endswith(f"continue with: hepclf train resume={folder}")
    assert read_checkpoint(folder / "checkpoint") is not None
    assert Run(folder).status().name == "stopped"


def test_a_kill_leaves_a_lost_run_that_continues(undisturbed, tmp_path):
    folder = tmp_path / "run"
    assert killed(folder) == -signal.SIGKILL
    assert Run(folder).status().name == "lost"
    assert read_checkpoint(folder / "checkpoint") is not None
    assert main(words(folder)) == 0
    assert outcome(folder) == undisturbed
    assert Run(folder).status().name == "finished"


def test_quit_leaves_at_once(signalled, tmp_path):
    returned, errors = signalled(tmp_path / "run", signal.SIGQUIT)
    assert returned == 131, errors
    assert "left at once (SIGQUIT)" in errors
    assert Run(tmp_path / "run").status().name == "stopped"


def small(*words):
    return [
        "train",
        "data=mixture",
        "data.events=2000",
        "model=mlp_plain",
        "trainer.epochs=2",
        "evaluation.plots=false",
        *words,
    ]


def test_a_finished_run_prints_its_results_and_is_not_trained_again(hepclf):
    words = small("folder=mine", "resume=auto")
    assert hepclf(*words)[0] == 0
    before = Path("mine/metrics.json").stat().st_mtime_ns
    for again in (words, ["train", "resume=mine"]):
        code, out, _ = hepclf(*again)
        assert code == 0
        assert "AUC" in out
        assert "run    mine has finished" in out
    assert Path("mine/metrics.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("start", [["resume=mine"], small("folder=mine", "resume=auto")])
def test_a_stopped_run_continues_with_stored_or_with_the_same_settings(start, hepclf):
    code, _, errors = hepclf(*small("folder=mine", "trainer.exit_after_s=0"))
    assert code == 85
    assert "stopped by trainer.exit_after_s=0" in " ".join(errors.split())
    words = start if start[0] == "train" else ["train", *start, "trainer.exit_after_s=null"]
    assert hepclf(*words)[0] == 0
    assert Run(Path("mine")).status().name == "finished"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resume=auto"], "resume=auto needs folder=DIR"),
        (["resume=nowhere"], "there is no run nowhere"),
        (["resume=mine", "folder=other"], "resume=mine and folder exclude each other; leave one of them out"),
        (["resume=mine", "again=mine"], "resume=mine and again exclude each other; leave one of them out"),
        (["resume=mine", "trainer.batch=64", "trainer.exit_after_s=null"], "trainer.batch was 256 and is 64 now"),
        (["resume=mine", "model=bdt", "trainer.exit_after_s=null"], "cannot be resumed with other settings: model."),
    ],
)
def test_what_cannot_be_resumed_is_refused_in_a_line(words, message, hepclf):
    assert hepclf(*small("folder=mine", "trainer.exit_after_s=0"))[0] == 85
    code, _, errors = hepclf("train", *words)
    assert code in (1, 2)
    assert message in " ".join(errors.split())
    assert Run(Path("mine")).status().name == "stopped"


def test_settings_of_a_finished_run_that_decide_its_tagger_may_not_differ(hepclf):
    assert hepclf(*small("folder=mine", "resume=auto"))[0] == 0
    code, out, errors = hepclf(*small("folder=mine", "resume=auto", "trainer.batch=64"))
    assert (code, out) == (1, "")
    assert "trainer.batch was 256 and is 64 now" in " ".join(errors.split())
    code, out, errors = hepclf(*small("folder=mine", "resume=auto", "evaluation.systematic=0.5"))
    assert code == 0
    assert "made with other evaluation settings" in " ".join(errors.split())
    assert hepclf("train", "resume=mine", "modell=bdt")[0] == 2


def test_the_record_of_a_resumed_run_says_what_it_was_resumed_with(hepclf):
    assert hepclf(*small("folder=mine", "trainer.exit_after_s=0"))[0] == 85
    before = read_yaml(Path("mine/environment.json"))
    assert before["resumed"] is None
    assert hepclf("train", "resume=mine", "trainer.exit_after_s=null", "evaluation.systematic=0.5")[0] == 0
    after, config = read_yaml(Path("mine/environment.json")), read_yaml(Path("mine/config.yaml"))
    assert after["started"] == before["started"] <= after["resumed"] <= after["finished"]
    assert config["evaluation"]["systematic"] == 0.5
    assert config["trainer"]["exit_after_s"] is None


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT"])
def test_a_signal_asks_for_a_stop_and_the_handlers_before_come_back(name):
    number, stop = getattr(signal, name), Stop()
    before = signal.getsignal(number)
    with asking(stop):
        assert stop.reason is None
        os.kill(os.getpid(), number)
        assert stop.reason == name
    assert signal.getsignal(number) == before


def test_a_second_interrupt_leaves_at_once():
    with asking(stop := Stop()):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_that_nohup_switched_off_stays_off():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asking(stop := Stop()):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.reason is None
    finally:
        signal.signal(signal.SIGHUP, before)

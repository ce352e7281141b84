"""Trainings with two real processes end with the bytes of an undisturbed one, after a kill and after a signal."""

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
from hepclf.evaluation.evaluation import Evaluation
from hepclf.run import Run
from hepclf.training.checkpoint import read_checkpoint
from hepclf.training.launchers import meeting_place
from hepclf.workflow.history import read_history

JOB = (
    "train",
    "data=mixture",
    "data.events=20000",
    "model=mlp_plain",
    "model.dropout=0.2",
    "trainer.epochs=4",
    "trainer.batch=32",
    "trainer.device=cpu",
    "trainer.threads=1",
    "trainer.checkpoint_s=0.2",
    "evaluation.plots=false",
    "evaluation.report=false",
    *(f"evaluation.{study}=null" for study in Evaluation().study_settings),
    "resume=auto",
)
HEPCLF = (sys.executable, "-m", "hepclf.cli.main")


def started(folder, *words, launcher=HEPCLF):
    command = [*launcher, *JOB, f"folder={folder}", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process):
    out, errors = process.communicate(timeout=120)
    return process.returncode, out.decode(), " ".join(errors.decode().split())


def trained(folder, *words, launcher=HEPCLF):
    code, _, errors = ended(started(folder, *words, launcher=launcher))
    assert code == 0, errors


def under_way(folder, *words, launcher=HEPCLF):
    """A training that has ended an epoch."""
    process = started(folder, *words, launcher=launcher)
    until = time.monotonic() + 60
    while not rows(folder) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    return process


def rows(folder):
    path = Run(Path(folder)).history
    return read_history(path) if path.is_file() else []


def interrupted(folder, epochs, act):
    """The exit code of a training whose parent is this process, where a thread acts after so many epochs."""

    def watch():
        until = time.monotonic() + 60
        while len(rows(folder)) < epochs and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        act()

    watcher = threading.Thread(target=watch)
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # in case that the training has ended by then
    watcher.start()
    try:
        return main([*JOB, "trainer.devices=2", f"folder={folder}"])
    finally:
        watcher.join()
        signal.signal(signal.SIGTERM, before)


def ranks_of(number):
    """The ranks that the process of this number has started, by number."""
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(number)], capture_output=True, text=True, check=True
    )
    return sorted(int(line.split()[0]) for line in children.stdout.splitlines() if "hepclf.cli.ranks" in line)


def outcome(folder):
    tagger = {path.name: path.read_bytes() for path in sorted(Path(folder, "tagger").iterdir())}
    return Path(folder, "metrics.json").read_bytes(), tagger, [epoch[:4] for epoch in rows(folder)]


def words_of(capfd):
    """What was said on standard error."""
    return " ".join(capfd.readouterr().err.split())


# This process is the parent of the ranks, which saves the start of another one.
def test_two_ranks_survive_a_kill_and_a_signal(tmp_path, capfd):
    folder = tmp_path / "run"
    killed_at = []

    def kill_one():
        killed_at.append(time.monotonic())
        os.kill(ranks_of(os.getpid())[1], signal.SIGKILL)

    code, errors = interrupted(folder, 1, kill_one), words_of(capfd)
    assert code == 1, errors
    assert time.monotonic() - killed_at[0] < 15
    assert "process 1 of 2 was killed by SIGKILL" in errors
    assert "Traceback" not in errors
    assert Run(folder).status().name == "failed"

    code = interrupted(folder, 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    errors = words_of(capfd)
    assert code == 85, errors
    assert errors.count("stopped by SIGTERM after") == 1
    assert "Warning" not in errors
    assert errors.endswith(f"continue with: hepclf train resume={folder}")
    assert read_checkpoint(folder / "checkpoint") is not None
    assert Run(folder).status().name == "stopped"

    for name in ("run", "undisturbed"):
        assert main([*JOB, "trainer.devices=2", f"folder={tmp_path / name}"]) == 0
        assert capfd.readouterr().out.count("\nrun ") == 1
    assert outcome(folder) == outcome(tmp_path / "undisturbed")


@pytest.mark.slow
def test_another_number_of_processes_goes_on_to_rounding(tmp_path):
    process = under_way(tmp_path / "run", "trainer.devices=2", "model.dropout=0")
    process.send_signal(signal.SIGUSR1)
    assert ended(process)[0] == 85
    code, _, errors = ended(started(tmp_path / "run", "trainer.devices=1", "model.dropout=0"))
    assert code == 0
    assert "continues with another number of processes" in errors
    trained(tmp_path / "alone", "model.dropout=0")
    both = [[epoch.valid_loss for epoch in rows(tmp_path / name)] for name in ("run", "alone")]
    assert both[0] == pytest.approx(both[1], abs=1e-4)


@pytest.mark.slow
def test_torchrun_starts_ranks_too(tmp_path):
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", HEPCLF[2])
    trained(tmp_path / "torchrun", launcher=torchrun)
    trained(tmp_path / "own", "trainer.devices=2")
    assert outcome(tmp_path / "torchrun") == outcome(tmp_path / "own")


@pytest.mark.slow
def test_ranks_with_different_settings_are_refused_by_one_of_them(tmp_path):
    _store, places = meeting_place(2)
    words = [*HEPCLF, *JOB, f"folder={tmp_path / 'run'}"]
    processes = [
        subprocess.Popen([*words, f"seed={rank}"], env=os.environ | place, stderr=subprocess.PIPE)
        for rank, place in enumerate(places)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [1, 1]
    assert "settings and data must be those of process 0 in all processes" in " ".join(errors[0].split())
    assert errors[1] == ""


@pytest.mark.slow
def test_ctrl_c_stops_all_ranks(tmp_path):
    process = under_way(tmp_path / "run", "trainer.devices=2")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert Run(tmp_path / "run").status().name == "stopped"


@pytest.mark.slow
def test_ranks_do_not_outlive_their_parent(tmp_path):
    process = under_way(tmp_path / "run", "trainer.devices=2", "trainer.epochs=1000", "trainer.patience=null")
    ranks = ranks_of(process.pid)
    process.kill()
    process.communicate()
    until = time.monotonic() + 20
    while any(Path("/proc", str(rank)).exists() for rank in ranks):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert Run(tmp_path / "run").status().name == "stopped"


def test_a_finished_run_is_told_by_one_process(tmp_path, capsys):
    assert main([*JOB, "data.events=500", "trainer.epochs=1", f"folder={tmp_path / 'run'}"]) == 0
    capsys.readouterr()
    words = ["data.events=500", "trainer.epochs=1", "trainer.devices=2", f"folder={tmp_path / 'run'}"]
    assert main([*JOB, *words]) == 0
    assert "has finished; again=DIR trains anew" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model=bdt",), "trainer.devices must be 1 (or null) with BDT, not 2; only networks"),
        (("model=logistic", "model.solver=newton"), "trainer.devices must be 1 (or null) with Logistic"),
        (
            ("trainer.decorrelate={spectator: x}",),
            "trainer.devices must be 1 with trainer.decorrelate, which compares all pairs of a batch, not 2",
        ),
        (("trainer.device=cuda:0",), "trainer.device must be auto, cpu or cuda with trainer.devices=2, not cuda:0"),
    ],
)
def test_what_ranks_cannot_do_is_refused_before_they_start(words, message, tmp_path, capsys):
    job = [word for word in JOB if "model" not in word] if any("model" in word for word in words) else JOB
    code = main([*job, *words, "trainer.devices=2", f"folder={tmp_path / 'run'}"])
    assert code in (1, 2)
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_ranks_of_a_launcher_with_other_settings_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert main([*JOB, "trainer.devices=2", f"folder={tmp_path}"]) == 1
    assert "trainer.devices must be the number of processes" in " ".join(capsys.readouterr().err.split())

"""`hepclf submit` and `hepclf status` as a user types them, on this machine and without a batch system."""

from __future__ import annotations

import json
import os
import shlex
import time
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from hepclf.recipe import describe
from hepclf.submission.slurm import Slurm
from hepclf.submission.submission import SCRIPT, Chunk, Submission

QUICK = ["data.signals=200", "data.noise=600", "trainer.epochs=1", "model=logistic", "evaluation.plots=false"]


def ended(hepclf, folder, count):
    until = time.monotonic() + 60
    while f"{count} finished" not in (out := hepclf("status", folder)[1]):
        assert time.monotonic() < until, out
        time.sleep(0.3)
    return out


def test_a_training_in_the_background(hepclf):
    code, out, err = hepclf("submit", "train", *QUICK, "folder=run", "cluster=local", "cluster.cpus=1")
    assert code == 0, err
    assert "look   hepclf status run" in out
    out = ended(hepclf, "run", 1)
    assert out.split()[6:10] == ["left", "run", "finished", "1"]
    assert json.loads(Path("run/metrics.json").read_text())["schema"]
    assert "nothing is sent again" in hepclf("submit", "again=run")[1]


def test_dry_prints_all_files_and_writes_none(hepclf):
    words = ["seed=0,1", "folder=sweep", "cluster.partition=gpu", "cluster.gpus=1", "cluster.dry=true"]
    code, out, err = hepclf("submit", "train", "-m", *QUICK, *words)
    assert code == 0, err
    assert "#SBATCH --partition=gpu\n" in out
    assert "#SBATCH --gres=gpu:1\n" in out
    (line,) = (line for line in out.splitlines() if line.endswith(f"folder={Path('sweep').resolve()}/001 resume=auto"))
    assert line.startswith("train data.signals=200 ")
    assert "seed=1 evaluation.report=false" in line
    assert not Path("sweep").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the command to submit must come first"),
        (["data=gw"], "the command to submit must come first"),
        (["trian"], "'trian' is not a command that can be submitted; nearest: 'train'"),
        (["status", "runs"], "'status' is not a command that can be submitted"),
        (["train", "trainer.epoch=3"], "trainer.epoch is not a setting"),
        (["train", "cluster=slrm"], "cluster=slrm is not a choice; nearest: 'slurm'"),
        (["train", "cluster.gpu=1"], "cluster.gpu is not a setting of Slurm; nearest: 'gpus'"),
        (["train", "cluster.cpus=0"], "cluster.cpus must be at least 1, not 0"),
        (["train", "cluster.tasks=3"], "cluster.tasks must be 1, not 3"),
        (["train", "again=runs/latest", "cluster.dry=true"], "runs/latest"),
        (["train", "resume=runs/latest", "again=runs/latest"], "resume=runs/latest and again exclude each other"),
        (["again=nowhere"], "nowhere is neither a folder nor the id of a job"),
        (["again=.", "seed=3"], "seed=3 cannot be changed in what is sent again"),
    ],
)
def test_mistakes_are_told_before_anything_is_submitted(hepclf, words, message):
    code, _, err = hepclf("submit", *words)
    assert code in (1, 2)
    assert message in " ".join(err.split())
    assert not list(Path().iterdir())


def test_a_thousand_runs_are_told_quickly(hepclf):
    for number in range(1000):
        folder = Path("runs", f"{number:03d}")
        folder.mkdir(parents=True)
        (folder / "environment.json").write_text(json.dumps({"status": "finished", "finished": "now"}))
        (folder / "history.csv").write_text("epoch,train_loss,valid_loss,learning_rate,seconds\n1,0.5,0.4,0.1,2\n")
    began = time.process_time()
    _, out, _ = hepclf("status")
    assert time.process_time() - began < 2
    assert "1000 finished" in out
    assert "... 970 more" in out


SQUEUE = """#!/bin/bash
echo asked >> asked
echo "7 0"
"""


@pytest.mark.parametrize(("files", "is_copied"), [("root://server//a.root", True), ("events.npz", False)])
def test_the_grid_proxy_is_copied_for_remote_files_and_for_its_owner_alone(hepclf, monkeypatch, files, is_copied):
    Path("bin").mkdir()
    for name, answer in {"sbatch": "7", "scontrol": "MaxArraySize = 1001"}.items():
        Path("bin", name).write_text(f"#!/bin/bash\necho '{answer}'\n")
        Path("bin", name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').resolve()}:{os.environ['PATH']}")
    Path("secret").write_text("a certificate")
    monkeypatch.setenv("X509_USER_PROXY", str(Path("secret").resolve()))
    code, _, err = hepclf("submit", "predict", "run=run", f"files={files}", "out=scored", "cluster=slurm")
    assert code == 0, err
    (folder,) = Path("scored/batch").iterdir()
    assert (folder / "proxy").exists() is is_copied
    assert ("export X509_USER_PROXY=" in (folder / "job.sh").read_text()) is is_copied
    if is_copied:
        assert (folder / "proxy").read_text() == "a certificate"
        assert (folder / "proxy").stat().st_mode & 0o777 == 0o600


def test_the_batch_system_is_asked_once_about_all_submissions(hepclf, monkeypatch):
    Path("bin").mkdir()
    Path("bin/squeue").write_text(SQUEUE)
    Path("bin/squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').resolve()}:{os.environ['PATH']}")
    for number in range(20):
        new = Submission.new(
            Path("runs", f"{number:02d}"), [("train", f"folder=runs/{number:02d}")], describe(Slurm()), 1
        )
        replace(new, chunks=(Chunk(str(number), 0, 1),)).write({SCRIPT: ""})
    _, out, _ = hepclf("status", "runs")
    assert "19 lost, 1 waiting" in out
    assert Path("asked").read_text() == "asked\n"


def test_errors_of_failed_runs_come_first(hepclf):
    for name, status in {"a": "finished", "b": "failed"}.items():
        Path("runs", name).mkdir(parents=True)
        record = {"status": status, "finished": "now", "error": "ValueError: data are missing"}
        Path("runs", name, "environment.json").write_text(json.dumps(record))
    _, out, _ = hepclf("status", "runs")
    assert out.index("b    failed") < out.index("a  finished")
    assert "b: ValueError: data are missing" in out
    assert "1 failed, 1 finished" in out


def test_an_id_that_is_not_known_is_told(hepclf):
    assert "12 is neither a folder nor the id of a job below runs" in " ".join(hepclf("status", "12")[2].split())
    assert "status takes a folder" in hepclf("status", "a", "b")[2]


DATA = "data=mixture data.events=3000"
AS_TYPED = [
    "train again=runs/latest",
    "train again=run/config.yaml seed=3 folder=third",
    "train again=runs/latest folder=fourth resume=auto",
    "train resume=run",
    "train -m again=runs/latest seed=1,2 folder=sweep",
    "evaluate run=runs/latest",
    "predict run=runs/latest files=events.npz out=scored",
    "compare other runs/latest",
    "export run=runs/latest format=cpp",
    f"inspect {DATA}",
    f"tune {DATA} model=logistic trainer.learning_rate=interval(0.01,0.1) tune.trials=2 folder=study",
]


@pytest.mark.parametrize("command", AS_TYPED)
def test_a_command_becomes_tasks_that_run_as_they_are_printed(hepclf, mixture_run, command):
    Path("runs").mkdir()
    Path("runs/latest").symlink_to(Path("run").resolve())
    copytree("run", "other")
    np.savez("events.npz", x=np.ones(5))
    code, out, err = hepclf("submit", *command.split(), "cluster=slurm", "cluster.dry=true")
    assert code == 0, err
    lines = out.partition("\n")[2].partition("==>")[0].strip().splitlines()
    Path("runs/latest").unlink()  # when the jobs start it may point elsewhere
    for line in lines:
        if not line.startswith("tune"):  # a study is made when it is submitted, and not by dry
            code, _, err = hepclf(*shlex.split(line))
            assert code == 0, (line, err)

"""Jobs in a real SLURM: whatever happens to them, they end with the files of an undisturbed run."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from hepclf.cli.main import main
from hepclf.run import Run

# Jobs wait for the batch system: make slurm runs these side by side.
pytestmark = pytest.mark.slurm

JOB = [
    "data=mixture",
    "data.events=20000",
    "model=mlp_plain",
    "model.dropout=0.2",
    "trainer.epochs=5",
    "trainer.batch=16",
    "trainer.device=cpu",
    "trainer.checkpoint_s=0.2",
    "evaluation.plots=false",
    "evaluation.report=false",
]
SMALL = ["cluster=slurm", "cluster.cpus=1", "cluster.memory_gb=0.5", "cluster.time_h=0.5"]


def outcome(folder):
    run = Run(Path(folder))
    files = {path.name: path.read_bytes() for path in sorted(run.tagger.iterdir())}
    history = [line.rpartition(",")[0] for line in run.history.read_text().splitlines()]  # without its seconds
    return run.metrics.read_bytes(), files, history


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The outcome of a run in a process of its own that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    command = [sys.executable, "-m", "hepclf.cli.main", "train", *JOB, f"folder={folder}"]
    subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, check=True)
    return outcome(folder)


@pytest.fixture
def started(slurm, hepclf, until):
    """A function that submits the training and waits until it is in its second epoch; gives the job's id."""

    def start(*words):
        out = hepclf("submit", "train", *JOB, "folder=run", *SMALL, *words)
        until(lambda: Path("run/history.csv").is_file(), 180)
        time.sleep(0.3)
        return out.split()[1].rstrip(":")

    return start


def process():
    return json.loads(Path("run/environment.json").read_text())["pid"]


def test_a_training_before_its_time_limit_is_requeued_and_goes_on(started, slurm, until, logs, undisturbed):
    number = started()
    subprocess.run(["scancel", "--batch", "--signal=USR1", f"{number}_0"], check=True)
    slurm.wait()
    assert outcome("run") == undisturbed
    assert "task 0 ended with exit code 85\nhepclf: requeue after restart 0" in logs("run")
    assert json.loads(Path("run/environment.json").read_text())["job_restarts"] == 1


def test_after_the_last_requeue_it_stays_stopped_and_can_be_sent_again(started, slurm, hepclf, logs, undisturbed):
    number = started("cluster.max_requeues=0")
    subprocess.run(["scancel", "--batch", "--signal=USR1", f"{number}_0"], check=True)
    slurm.wait()
    assert "1 stopped" in hepclf("status", "run")
    assert "no requeue, as max_requeues=0 is reached" in logs("run")
    assert "1 task" in hepclf("submit", "again=run")
    slurm.wait()
    assert outcome("run") == undisturbed
    assert "1 finished" in hepclf("status", number, "runs=.")
    assert "nothing is sent again" in hepclf("submit", "again=run")


def test_a_cancelled_training_leaves_a_checkpoint_and_stays_cancelled(started, slurm, hepclf, undisturbed):
    number = started()
    subprocess.run(["scancel", number], check=True)
    slurm.wait()
    assert slurm.state(f"{number}_0") == "CANCELLED"
    assert "stopped by SIGTERM" in hepclf("status", "run")
    hepclf("submit", "again=run")
    slurm.wait()
    assert outcome("run") == undisturbed


def test_a_preempted_training_is_requeued_by_slurm_and_goes_on(started, slurm, logs, undisturbed):
    started("cluster.cpus=2", "cluster.setup=['export SLURM_CPUS_PER_TASK=1']")
    urgent = ["sbatch", "--partition=urgent", "--mem=100M", "--cpus-per-task=2", "--output=/dev/null"]
    subprocess.run([*urgent, "--wrap=sleep 1"], check=True, capture_output=True)
    slurm.wait()
    assert "DUE TO PREEMPTION" in logs("run")
    assert "hepclf: requeue" not in logs("run")
    assert outcome("run") == undisturbed


def test_a_killed_training_is_lost_and_is_sent_again(started, slurm, hepclf, undisturbed):
    started()
    os.kill(process(), signal.SIGKILL)
    slurm.wait()
    assert "1 lost" in hepclf("status", "run")
    hepclf("submit", "again=run")
    slurm.wait()
    assert outcome("run") == undisturbed


def test_the_test_job_says_that_pytorch_finds_no_gpu_and_nothing_is_submitted(slurm, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    words = ["submit", "train", *JOB, "folder=run", *SMALL, "cluster.gpus=1", "cluster.check=true"]
    assert main(words) == 1
    assert "the test job failed: PyTorch finds no GPU on " in " ".join(capsys.readouterr().err.split())
    assert slurm.ids() == []


def test_a_time_limit_inside_an_epoch_loses_nothing(started, slurm, until, logs, undisturbed):
    began = time.monotonic()
    number = started("cluster.warn_s=240")
    os.kill(process(), signal.SIGSTOP)  # a long epoch that costs no computing time
    slurm.limit(number, minutes=3 + int(time.monotonic() - began) // 60)  # so the end is near, but not yet there
    until(lambda: has_signal(process(), signal.SIGUSR1), 90)  # SLURM looks at time limits every 30 seconds
    slurm.limit(number, minutes=60)
    os.kill(process(), signal.SIGCONT)
    slurm.wait()
    assert "hepclf: stopped by SIGUSR1 after " in logs("run")
    assert "hepclf: requeue after restart 0" in logs("run")
    assert outcome("run") == undisturbed


def has_signal(number, signal_number):
    """Whether a signal waits for a stopped process."""
    status = Path(f"/proc/{number}/status").read_text()
    pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (signal_number - 1) & 1 for mask in pending)


def test_a_mistake_is_told_with_its_line(slurm, hepclf):
    hepclf("submit", "train", *JOB, "trainer.device=cuda:7", "folder=run", *SMALL)
    slurm.wait()
    out = hepclf("status", "run")
    assert "1 failed" in out
    assert "cuda" in out


def test_an_array_over_a_sweep_ends_with_its_table_and_its_best(slurm, hepclf):
    few = ["data.signals=200", "data.noise=600", "trainer.epochs=1", "model=logistic"]
    two_each = ["cluster.per_task=2", "cluster.at_once=2"]
    out = hepclf("submit", "train", "-m", *few, "seed=range(0,8)", "folder=sweep", *SMALL, *two_each)
    first, second = out.split(":")[0].split()[1:]
    # This SLURM takes arrays of three, so there are two. An element that starts between them takes a number of its own.
    assert int(second) > int(first)
    counts = re.findall(r"(\d+) (?:waiting|running|finished)", hepclf("status", "sweep"))
    assert sum(map(int, counts)) == 9  # the job that makes the table too
    slurm.wait()
    assert "9 finished" in hepclf("status", "sweep")
    assert len(Path("sweep/sweep.csv").read_text().splitlines()) == 9
    assert Path("sweep/best.yaml").is_file()
    assert "nothing is sent again" in hepclf("submit", "again=sweep")
    hepclf("train", *few, "seed=5", "folder=single", "evaluation.plots=false")
    assert Path("sweep/005/metrics.json").read_bytes() == Path("single/metrics.json").read_bytes()
    rows = json.loads(Path("sweep/sweep.json").read_text())["jobs"]
    assert {row["status"] for row in rows} == {"finished"}


def test_a_prediction_is_shared_and_waits_for_its_training(slurm, hepclf):
    few = ["data=mixture", "data.events=2000", "trainer.epochs=1", "model=logistic", "evaluation.plots=false"]
    number = hepclf("submit", "train", *few, "folder=run", *SMALL).split()[1].rstrip(":")
    features = np.random.default_rng(0).normal(size=50)
    for file in range(4):
        np.savez(f"events{file}.npz", x=features + file)
    files = "files=[" + ",".join(f"events{file}.npz" for file in range(4)) + "]"
    hepclf("submit", "predict", "run=run", files, "out=scored", f"after={number}", "cluster.tasks=2", *SMALL)
    slurm.wait()
    assert "2 finished" in hepclf("status", "scored")
    assert len(list(Path("scored").glob("*.npz"))) == 4


def test_workers_share_a_study_and_one_of_them_is_killed(slurm, hepclf, until):
    few = ["data.signals=200", "data.noise=600", "trainer.epochs=2", "model=logistic", "tune.repeats=1"]
    lean = ["evaluation.plots=false", "evaluation.report=false"]
    search = ["trainer.learning_rate=tag(log,interval(0.001,0.1))", "tune.trials=6", "folder=study"]
    hepclf("submit", "tune", *few, *lean, *search, *SMALL, "cluster.tasks=2")
    first = until(lambda: next(iter(Path("study/trials").glob("*/0/environment.json")), None), 60)
    os.kill(json.loads(until(lambda: first.read_text(), 10))["pid"], signal.SIGKILL)
    slurm.wait()
    rows = list(csv.DictReader(Path("study/study.csv").read_text().splitlines()))
    assert [row["trial"] for row in rows] == [str(number) for number in range(6)]
    assert all(row["state"] in ("complete", "pruned") for row in rows)
    assert Path("study/best/metrics.json").is_file()
    out = hepclf("status", "study")
    assert "1 lost" in out
    assert re.search(r"tune [01]: it was killed", out)


PAGE = (Path(__file__).parents[2] / "docs/cluster.md").read_text()


def test_the_page_for_users_word_for_word(slurm, hepclf):
    configuration = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    Path("lab/cluster").mkdir(parents=True)
    Path("lab/cluster/here.yaml").write_text(configuration)
    first, look, array, look_at_all, again = (line[9:] for line in PAGE.splitlines() if line.startswith("$ hepclf"))
    assert "hepclf: all is there on " in hepclf(*shlex.split(first))
    slurm.wait()
    assert "1 finished" in hepclf(*shlex.split(look))
    assert "2 tasks" in hepclf(*shlex.split(array))
    slurm.wait()
    assert "4 finished" in hepclf(*shlex.split(look_at_all))
    assert Path("runs/scan/best.yaml").is_file()
    assert "nothing is sent again" in hepclf(*shlex.split(again))

"""HTCondor without a pool: its own bindings read the submit file, and a stand-in runs it by the meaning of 85."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepclf.cli.main import main
from hepclf.recipe import describe
from hepclf.submission.htcondor import HTCondor
from hepclf.submission.outcome import outcomes
from hepclf.submission.submission import Submission

FAKE_POOL = Path(__file__).with_name("fake_pool.py")


@pytest.fixture
def condor(monkeypatch):
    """Stand-ins for the programs of HTCondor on PATH; the queue is what the file `queue` holds."""
    Path("bin").mkdir()
    for name in ("condor_submit", "condor_submit_dag", "condor_q", "condor_history"):
        path = Path("bin", name)
        path.write_text(f'#!/bin/bash\nexec {sys.executable} {FAKE_POOL} {name} "$@"\n')
        path.chmod(0o755)
    Path("queue").touch()
    monkeypatch.setenv("PATH", f"{Path('bin').resolve()}:{os.environ['PATH']}")


def codes():
    """The exit codes of all starts."""
    return [int(line) for line in Path("codes").read_text().split()]


def written(batch, python, count=1, pack=1):
    tasks = [("predict", f"shard={number + 1}/{count}") for number in range(count)]
    submission = replace(Submission.new(Path("target"), tasks, describe(batch), pack), python=python)
    submission.write(batch.files(submission))
    return submission


def test_a_job_is_started_again_after_its_checkpoint(condor, stub):
    batch = HTCondor(cpus=1)
    submission = batch.submit(written(batch, stub(85, 85, 0, 0), count=2))
    assert submission.ids == ("77",)
    assert codes() == [85, 85, 0, 0]
    assert len(Path("calls").read_text().splitlines()) == 4
    assert [outcome.state for outcome in outcomes(submission, *batch.queued([submission]))] == ["finished", "finished"]
    assert Submission.open(submission.folder) == submission


def test_checkpoints_end_with_the_last_restart(condor, stub):
    batch = HTCondor(cpus=1, max_requeues=1)
    submission = batch.submit(written(batch, stub(85, 85, 85)))
    assert codes() == [85, 1]
    (outcome,) = outcomes(submission, *batch.queued([submission]))
    assert outcome.state == "stopped"


def test_its_own_bindings_read_the_submit_files(stub):
    htcondor = pytest.importorskip("htcondor2", reason="the bindings of HTCondor are not installed")
    batch = HTCondor(gpus=2, memory_gb=1.5, check=True, extra=('+JobFlavour = "workday"',))
    submission = written(batch, stub(), count=3)
    job = htcondor.Submit((submission.folder / "job.sub").read_text())
    assert (job["request_gpus"], job["request_memory"], job["checkpoint_exit_code"]) == ("2", "1500", "85")
    assert job["executable"] == str(submission.folder / "job.sh")
    assert job["MY.JobFlavour"] == '"workday"'
    assert job.getQArgs() == f"element from {submission.folder}/elements.txt"
    assert (submission.folder / "elements.txt").read_text() == "0\n1\n2\n"
    assert htcondor.Submit((submission.folder / "check.sub").read_text())["arguments"] == "check"


QUICK = ["data=mixture", "data.events=2000", "model=mlp_plain", "trainer.epochs=3", "evaluation.plots=false"]
ALONE = ["cluster=htcondor", "cluster.shared=false", "cluster.cpus=1"]


def test_without_shared_folders_a_job_brings_back_its_folder_and_goes_on_after_a_checkpoint(condor, hepclf):
    long = ["data=mixture", "data.events=20000", "model=mlp_plain", "trainer.epochs=4", "trainer.batch=16"]
    training = [*long, "trainer.threads=1", "evaluation.plots=false", "evaluation.report=false"]
    Path("interrupt").touch()
    hepclf("submit", "train", *training, "folder=runs/far", *ALONE)
    assert codes() == [85, 0]
    hepclf("train", *training, "folder=near")
    assert Path("runs/far/metrics.json").read_bytes() == Path("near/metrics.json").read_bytes()
    assert len(Path("runs/far/history.csv").read_text().splitlines()) == 5
    assert json.loads(Path("runs/far/environment.json").read_text())["resumed"]  # the checkpoint came along
    assert "1 finished" in hepclf("status", "runs/far")


@pytest.mark.slow
def test_a_sweep_and_its_table_without_shared_folders(condor, hepclf):
    hepclf("submit", "train", "-m", *QUICK, "seed=1,2", "folder=sweep", *ALONE)
    assert "3 finished" in hepclf("status", "sweep")
    assert len(Path("sweep/sweep.csv").read_text().splitlines()) == 3
    hepclf("train", *QUICK, "seed=2", "folder=near", "trainer.threads=1")
    assert Path("sweep/001/metrics.json").read_bytes() == Path("near/metrics.json").read_bytes()


@pytest.mark.slow
def test_a_prediction_without_shared_folders(condor, hepclf):
    hepclf("train", *QUICK, "folder=run")
    Path("events").mkdir()
    for number in range(2):
        np.savez(f"events/{number}.npz", x=np.arange(5.0))
    words = ["run=run", "files=events/*.npz", "out=scored", "cluster.inputs=[events]", "cluster.tasks=2"]
    hepclf("submit", "predict", *words, *ALONE)
    assert sorted(path.name for path in Path("scored").glob("*.npz")) == ["0.npz", "1.npz"]
    assert "2 finished" in hepclf("status", "scored")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", *QUICK, "folder=/tmp/elsewhere"], "/tmp/elsewhere must be below "),
        (["train", *QUICK, "folder=run", "cluster.inputs=[/etc/hosts]"], "cluster.inputs must be below "),
        (["train", *QUICK, "folder=run", "cluster.inputs=[..]"], ".. must be below "),
        (["train", *QUICK, "folder=a b"], "a b must be a name of letters"),
        (
            ["train", *QUICK, "folder=run", "cluster.inputs=[nowhere/*.root]"],
            "cluster.inputs must name files, not nowhere/*.root, which",
        ),
        (["evaluate", "run=run"], "cluster.shared must be true for evaluate run=run, not false"),
    ],
)
def test_what_cannot_be_transferred_is_refused(condor, capsys, words, message):
    assert main(["submit", *words, *ALONE]) in (1, 2)
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("codes").exists()


def test_jobs_that_wait_for_others_are_a_dag(condor, stub):
    batch = HTCondor(cpus=1)
    Path("queue").write_text("12 0\n12 1\n")
    Path("history").write_text("12 0\n")
    submission = batch.submit(written(batch, stub(0)), ["12"])
    assert submission.ids == ("88",)
    assert Path("queue").read_text() == "", "it did not wait"
    assert [outcome.state for outcome in outcomes(submission, *batch.queued([submission]))] == ["finished"]
    Path("queue").write_text("88 0\n")
    assert batch.queued([submission]) == [{0}]  # its node is not submitted yet


@pytest.mark.parametrize(("code", "is_closing", "runs"), [(0, False, True), (1, False, False), (1, True, True)])
def test_a_dag_goes_on_when_the_others_ended_well_and_a_table_however_they_ended(condor, stub, code, is_closing, runs):
    batch = HTCondor(cpus=1)
    Path("history").write_text(f"12 {code}\n")
    batch.submit(written(batch, stub(0)), ["12"], is_closing=is_closing)
    assert Path("calls").exists() is runs


def test_an_id_that_is_none_of_htcondor_is_refused(condor, stub):
    batch = HTCondor()
    with pytest.raises(ValueError, match="after must be ids of HTCondor's jobs, such as 123, not node-7"):
        batch.submit(written(batch, stub()), ["node-7"])


def test_its_own_bindings_read_the_files_of_jobs_without_shared_folders(stub):
    htcondor = pytest.importorskip("htcondor2", reason="the bindings of HTCondor are not installed")
    Path("data").mkdir()
    Path("data/s.csv").touch()
    batch = HTCondor(shared=False, check=True, max_retries=2, python="/opt/venv/bin/python")
    tasks = [("train", "data.files=data/s.csv", f"folder={Path('runs').resolve()}/{number}") for number in range(2)]
    submission = Submission.new(Path("runs"), tasks, describe(batch), 1)
    submission.write(batch.files(submission))
    job = htcondor.Submit((submission.folder / "job.sub").read_text())
    assert job["transfer_input_files"] == f"{submission.folder}/scratch/tasks.txt, data/s.csv, $(outputs)"
    assert job["transfer_checkpoint_files"] == job["transfer_output_files"] == "$(outputs), hepclf.log"
    assert (job["should_transfer_files"], job["max_retries"]) == ("YES", "2")
    assert job.getQArgs() == f"element, outputs from {submission.folder}/elements.txt"
    assert (submission.folder / "elements.txt").read_text() == "0 runs/0\n1 runs/1\n"
    assert (submission.folder / "scratch/tasks.txt").read_text().splitlines()[
        1
    ] == "train data.files=data/s.csv folder=runs/1"
    assert "python=/opt/venv/bin/python\n" in (submission.folder / "job.sh").read_text()
    check = htcondor.Submit((submission.folder / "check.sub").read_text())
    assert check["transfer_output_files"] == '""'


def test_where_there_is_no_htcondor_it_is_said(stub, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    batch = HTCondor()
    with pytest.raises(OSError, match="there is no condor_submit on this machine"):
        batch.submit(written(batch, stub()))

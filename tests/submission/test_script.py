"""The job script, with a stand-in for hepclf: packs, exit codes and signals."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hepclf.recipe import describe
from hepclf.submission.local import Local
from hepclf.submission.slurm import Slurm
from hepclf.submission.submission import SCRIPT, Submission


@pytest.fixture
def written():
    """A function that writes the files of a few tasks."""

    def write(batch, python, count=1, pack=1):
        tasks = [("train", f"seed={number}", "name=it's $HOME") for number in range(count)]
        submission = replace(Submission.new(Path("target"), tasks, describe(batch), pack), python=python)
        submission.write(batch.files(submission))
        return submission

    return write


def script(submission, *words, **variables):
    path = submission.folder / SCRIPT
    done = subprocess.run(["bash", path, *words], capture_output=True, text=True, check=False, env=variables or None)
    return done.returncode, done.stdout + done.stderr


def calls():
    return Path("calls").read_text().splitlines()


def environment(tmp_path, index=0):
    """Of an element of an array, with a scontrol that notes its words."""
    scontrol = tmp_path / "bin/scontrol"
    scontrol.parent.mkdir(exist_ok=True)
    scontrol.write_text(f'#!/bin/bash\necho "$*" >> {tmp_path}/scontrol\n')
    scontrol.chmod(0o755)
    path = f"{scontrol.parent}:/usr/bin:/bin"
    return {"PATH": path, "SLURM_ARRAY_TASK_ID": str(index), "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "2"}


def test_an_element_runs_its_lines_and_nothing_is_read_by_the_shell(written, stub, tmp_path):
    submission = written(Slurm(), stub(), count=5, pack=2)
    assert script(submission, "1", **environment(tmp_path, 1))[0] == 0  # element 2: the last task alone
    assert calls() == ["train seed=4 name=it's $HOME"]
    assert script(submission, "0", **environment(tmp_path))[0] == 0
    assert [line.split()[1] for line in calls()] == ["seed=4", "seed=0", "seed=1"]


def test_a_failed_task_does_not_stop_the_others_of_its_element(written, stub, tmp_path):
    code, out = script(written(Slurm(), stub("line", 0), count=2, pack=2), **environment(tmp_path))
    assert code == 1
    assert len(calls()) == 2
    assert "hepclf: task 0 ended with exit code 1" in out
    assert "hepclf: task 1 ended with exit code 0" in out


def test_after_a_checkpoint_the_job_asks_for_its_requeue(written, stub, tmp_path):
    code, _ = script(written(Slurm(), stub(85), count=2, pack=2), **environment(tmp_path))
    assert code == 85
    assert len(calls()) == 1
    assert (tmp_path / "scontrol").read_text() == "requeue 7\n"


def test_the_last_requeue_is_the_last(written, stub, tmp_path):
    code, out = script(written(Slurm(max_requeues=2), stub(85)), **environment(tmp_path))
    assert code == 85
    assert not (tmp_path / "scontrol").exists()
    assert "max_requeues=2 is reached" in out


@pytest.mark.parametrize("numbers", [[signal.SIGUSR1], [signal.SIGTERM], [signal.SIGUSR1, signal.SIGTERM]])
def test_signals_reach_hepclf_and_its_checkpoint_is_waited_for(written, stub, until, tmp_path, numbers):
    submission = written(Local(), stub("wait"))
    process = subprocess.Popen(["bash", submission.folder / SCRIPT, "0", "0"])
    until(Path("waiting").exists, 10)
    for number in numbers:
        process.send_signal(number)
        until(Path("asked").exists, 10)
    assert process.wait(10) == 85
    (log,) = submission.folder.glob("*.log")
    assert log.read_text().endswith("hepclf: task 0 ended with exit code 85\n")


def test_after_term_the_job_waits_for_slurm_until_its_time_limit_is_near(written, stub, until, tmp_path):
    submission = written(Slurm(), stub("wait"))
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(["bash", submission.folder / SCRIPT], env=environment(tmp_path), stdout=log)
    log.close()
    until(Path("waiting").exists, 10)
    process.send_signal(signal.SIGTERM)
    until(lambda: "exit code 85" in (tmp_path / "log").read_text(), 10)
    assert process.poll() is None
    process.send_signal(signal.SIGUSR1)
    assert process.wait(10) == 85
    assert (tmp_path / "scontrol").read_text() == "requeue 7\n"


def test_on_this_machine_a_task_begins_again_after_its_checkpoint(written, stub):
    submission = written(Local(max_requeues=2), stub(85, 85, 0))
    assert script(submission, "0", "0")[0] == 0
    assert len(calls()) == 3
    Path("calls").unlink()
    assert script(written(Local(max_requeues=1), stub(85, 85, 0)), "0", "0")[0] == 85
    assert len(calls()) == 2


def test_what_is_missing_is_said_before_any_work(written, stub):
    code, out = script(written(Local(), "/no/python"), "check")
    assert code == 2
    assert "hepclf: /no/python cannot import hepclf on " in out
    data = Path("lab/data.csv").resolve()
    data.parent.mkdir()
    data.touch()
    submission = replace(Submission.new(Path("other"), [("train", f"data.files={data}")], {}, 1), python=stub())
    submission.write(Local().files(submission))
    assert "hepclf: all is there on " in script(submission, "check")[1]
    data.unlink()
    code, out = script(submission, "check")
    assert code == 2
    assert f"hepclf: there is no {data} on " in out
    assert script(submission, "0", "0")[0] == 2
    assert not Path("calls").exists()


def test_no_tasks_are_packed_while_all_fit_beside_each_other():
    assert [Slurm(at_once=50, per_task=20).pack(count) for count in (1, 50, 51, 1000, 5000)] == [1, 1, 2, 20, 20]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cpus": 0}, "cpus must be at least 1, not 0"),
        ({"time_h": 0}, "time_h must be a number above 0, not 0"),
        ({"setup": ("a\nb",)}, "setup must be a list of single lines"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Slurm(**settings)

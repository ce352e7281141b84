"""What became of tasks, whatever happened to their jobs: nothing is sent twice, and nothing is forgotten."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepclf.lock import acquire
from hepclf.recipe import describe
from hepclf.submission.local import Local
from hepclf.submission.outcome import AGAIN, is_open, outcomes, runs, submissions
from hepclf.submission.submission import Chunk, Submission

ACTIONS = st.sampled_from(["start", "checkpoint", "kill", "requeue", "lose node", "cancel", "finish", "fail"])


class Job:
    """A task as a batch system and its training treat it: what is in the queue, and what its folder says."""

    def __init__(self, folder):
        self.folder, self.lock, self.record, self.is_queued = folder, None, None, True

    def act(self, action):
        """Do it, where it can happen now."""
        if action == "start" and self.is_queued and self.lock is None and self.record != "finished":
            self.folder.mkdir(exist_ok=True)
            self.lock = acquire(self.folder)
            self.write("running")
        elif action == "requeue" and self.lock is None:
            self.is_queued = True
        elif self.lock is not None and action not in ("start", "requeue"):
            status = {"checkpoint": "stopped", "cancel": "stopped", "finish": "finished", "fail": "failed"}.get(action)
            if status:
                self.write(status)
            self.lock.release()
            self.lock = None
            self.is_queued = action in ("checkpoint", "lose node")  # SLURM requeues the jobs of a node that is lost
        elif action == "cancel":
            self.is_queued = False

    def write(self, status):
        self.record = status
        record = {
            "status": status,
            "error": "why",
            "started": "now",
            "finished": None if status == "running" else "now",
        }
        (self.folder / "environment.json").write_text(json.dumps(record))

    @property
    def expected(self):
        if self.lock is not None:
            return "running"
        if self.record in ("finished", "failed"):
            return self.record
        if self.is_queued:
            return "waiting"
        return {None: "lost", "running": "lost", "stopped": "stopped"}[self.record]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), ACTIONS), max_size=25))
def test_whatever_happens_each_task_has_its_state_and_only_what_ended_badly_is_sent_again(steps):
    root = Path("target")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    jobs = [Job(root / f"{number:03d}") for number in range(3)]
    tasks = [("train", f"folder={job.folder.resolve()}") for job in jobs]
    submission = replace(Submission.new(root, tasks, {}, 1), chunks=(Chunk("7", 0, 3),))
    submission.folder.mkdir(parents=True)
    for number, action in steps:
        jobs[number].act(action)
        queued = {index for index, job in enumerate(jobs) if job.is_queued}
        states = [outcome.state for outcome in outcomes(submission, queued)]
        assert states == [job.expected for job in jobs]
        again = [index for index, state in enumerate(states) if state in AGAIN]
        assert not any(jobs[index].lock for index in again)  # what runs is never sent a second time
        live = {index for index, job in enumerate(jobs) if job.lock or job.is_queued or job.record == "finished"}
        assert live | set(again) == {0, 1, 2}  # nothing is stuck
    for job in jobs:
        if job.lock:
            job.lock.release()


LOG = """hepclf: task 0 begins: predict shard=1/4
hepclf: 3 files are missing
hepclf: task 0 ended with exit code 1
hepclf: task 1 begins: predict shard=2/4
hepclf: task 1 ended with exit code 0
hepclf: task 2 begins: predict shard=3/4
"""


def submission(count=4):
    new = Submission.new(Path("target"), [("predict", f"shard={i + 1}/{count}") for i in range(count)], {}, count)
    new = replace(new, chunks=(Chunk("7", 0, 1),))
    new.folder.mkdir(parents=True)
    return new


@pytest.mark.parametrize(
    ("queued", "states"),
    [({0}, ["failed", "finished", "running", "waiting"]), (set(), ["failed", "finished", "lost", "lost"])],
)
def test_tasks_without_a_run_are_told_by_their_log(queued, states):
    job = submission()
    (job.folder / "7_0.log").write_text(LOG)
    told = outcomes(job, queued)
    assert [outcome.state for outcome in told] == states
    assert told[0].reason == "3 files are missing"


def test_what_the_batch_system_did_not_take_is_sent_again():
    new = Submission.new(Path("target"), [("predict", f"shard={i + 1}/4") for i in range(4)], {}, 2)
    new = replace(new, chunks=(Chunk("7", 0, 1),))
    told = outcomes(new, {0})
    assert [outcome.state for outcome in told] == ["waiting", "waiting", "lost", "lost"]
    assert told[3].reason == "it was not submitted"


def test_a_batch_system_is_not_asked_about_what_has_finished(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "environment.json").write_text(json.dumps({"status": "finished", "finished": "now"}))
    new = Submission.new(folder, [("train", f"folder={folder}")], {}, 1)
    assert not is_open(new)
    assert [outcome.state for outcome in outcomes(new, set())] == ["finished"]
    (folder / "environment.json").write_text(json.dumps({"status": "stopped"}))
    assert is_open(new)


def test_odd_words_are_stored_and_a_word_of_two_lines_is_refused():
    tasks = [("train", "name=it's \u2028 $x"), ("train", "")]
    new = replace(Submission.new(Path("odd one"), tasks, describe(Local()), 1), chunks=(Chunk("7", 0, 2),))
    new.write(Local().files(new))
    assert Submission.open(new.folder) == new
    with pytest.raises(ValueError, match=r"must be one line, not 'name=a\\nb'"):
        Submission.new(Path("odd"), [("train", "name=a\nb")], {}, 1)


def test_a_damaged_record_is_said():
    job = replace(submission(), cluster=describe(Local()))
    job.record()
    (job.folder / "tasks.txt").write_text(job.table)
    assert submissions(Path("target")) == [job]
    (job.folder / "submission.json").write_text("{}")
    with pytest.raises(ValueError, match=r"submission.json is damaged .*; submit the command again"):
        submissions(Path("target"))


@pytest.mark.parametrize("text", ["train seed=1\n", "train seed=1\ntrain see"])
def test_a_table_of_tasks_that_was_cut_off_is_said(text):
    new = Submission.new(Path("target"), [("train", "seed=1"), ("train", "seed=2")], describe(Local()), 1)
    job = replace(new, chunks=(Chunk("7", 0, 2),))
    job.write(Local().files(job))
    (job.folder / "tasks.txt").write_text(text)
    with pytest.raises(ValueError, match=r"is damaged .*tasks.txt was cut off.*; submit the command again"):
        submissions(Path("target"))


def test_the_runs_of_a_thousand_jobs_are_found_quickly(tmp_path):
    for number in range(1000):
        folder = tmp_path / f"{number:03d}"
        (folder / "plots").mkdir(parents=True)
        (folder / "environment.json").write_text('{"status": "finished"}')
    began = time.process_time()
    assert len(list(runs(tmp_path))) == 1000
    assert time.process_time() - began < 1

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hepclf import holder as module
from hepclf.heartbeat import LOST_S
from hepclf.holder import Holder, current, is_alive, job_id, process_started

FRESH, STALE = LOST_S - 1, LOST_S + 1
BATCH = ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_RESTART_COUNT", "PBS_JOBID", "LSB_JOBID", "_CONDOR_JOB_AD")


@pytest.fixture(autouse=True)
def _no_batch_system(monkeypatch):
    for name in BATCH:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def child():
    """A process that waits, and is not asked about when it has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_this_process_is_alive_whatever_its_heartbeat():
    assert is_alive(current(), STALE, current())


def test_a_killed_process_has_ended_before_its_parent_asks(child):
    holder = replace(current(), pid=child.pid, process_started=process_started(child.pid))
    assert is_alive(holder, STALE, current())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    assert not is_alive(holder, FRESH, current())
    child.wait()
    assert not is_alive(holder, FRESH, current())


def test_a_later_process_of_the_same_number_is_another_one():
    assert not is_alive(replace(current(), process_started="1"), FRESH, current())


@pytest.mark.parametrize("place", [{"host": "far"}, {"boot_id": "before"}, {"pid_namespace": "pid:[1]"}])
def test_elsewhere_the_heartbeat_decides(place):
    holder = replace(current(), **place)
    assert is_alive(holder, FRESH, current())
    assert not is_alive(holder, STALE, current())


def test_where_processes_of_others_are_hidden_the_heartbeat_decides(monkeypatch):
    holder = replace(current(), pid=1)
    monkeypatch.setattr(module, "process_started", lambda _: None)
    assert is_alive(holder, FRESH, current())
    assert not is_alive(holder, STALE, current())


def test_an_earlier_start_of_the_same_job_has_ended(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    before = replace(current(), host="far")
    assert is_alive(before, FRESH, current())
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert not is_alive(before, FRESH, current())
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    assert is_alive(before, FRESH, current())


@pytest.mark.parametrize(
    ("names", "job"),
    [
        ({}, None),
        ({"SLURM_JOB_ID": "12"}, "12"),
        ({"SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "10", "SLURM_ARRAY_TASK_ID": "3"}, "10_3"),
        ({"PBS_JOBID": "5.server"}, "5.server"),
        ({"LSB_JOBID": "6", "LSB_JOBINDEX": "0"}, "6"),
        ({"LSB_JOBID": "6", "LSB_JOBINDEX": "2"}, "6[2]"),
        ({"_CONDOR_JOB_AD": "job.ad"}, "31.4"),
        ({"_CONDOR_JOB_AD": "gone.ad"}, None),
    ],
)
def test_the_job_is_named_as_the_batch_system_names_it(monkeypatch, names, job):
    Path("job.ad").write_text('Cmd = "a=b"\nClusterId = 31\nProcId = 4\n')
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert job_id() == job


def test_the_start_of_a_process_is_the_same_by_ps(monkeypatch, child):
    monkeypatch.setattr(module, "PROC", Path("no-proc"))
    started = process_started(child.pid)
    assert started
    assert started == process_started(child.pid)
    child.kill()
    child.wait()
    assert process_started(child.pid) == ""


def test_a_holder_is_read_as_it_was_written():
    holder = current()
    assert Holder.parse(json.dumps(asdict(holder))) == holder
    assert {"host", "pid", "process_started", "job_id"} < set(holder.facts)
    assert "token" not in holder.facts


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "[" * 100_000, json.dumps(asdict(current()) | {"pid": "1"}), '{"host": "x"}']
)
def test_a_damaged_record_names_nobody(text):
    with pytest.raises(ValueError, match=r"record|Expecting"):
        Holder.parse(text)

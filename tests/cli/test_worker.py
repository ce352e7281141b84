"""The program of a worker: it stops with its parent, and gives the exit codes of hepclf."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from hepclf.cli import worker
from hepclf.cli.main import NEW_OBJECTS, own_process
from hepclf.run import Stopped

PROBE = """
import gc, runpy, sys, time
from hepclf.cli import worker

def probe(folder, words, stop):
    print(gc.get_threshold()[0], flush=True)
    while not stop.reason:
        time.sleep(0.01)
    raise SystemExit(stop.reason)

worker.TASKS["probe"] = probe
sys.exit(worker.own_process(lambda: worker.main(["probe", "."])))
"""


def test_a_worker_stops_when_its_input_ends_and_collects_garbage_as_the_command_does():
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == f"{NEW_OBJECTS}\n"
    assert process.poll() is None
    _, errors = process.communicate(timeout=60)
    assert "its parent process" in errors


def test_a_worker_that_ends_before_its_parent_says_nothing():
    script = PROBE.replace("while not stop.reason:", "if True:").replace("raise SystemExit(stop.reason)", "return")
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert (process.wait(60), process.stderr.read()) == (0, "")  # its input is still open
    process.communicate()


@pytest.fixture
def alone(monkeypatch):
    """The program within this process: nobody is followed, and logs stay as they are."""
    monkeypatch.setattr(worker, "follow_parent", id)
    monkeypatch.setattr(worker, "show_warning_logs", lambda: None)
    return monkeypatch


@pytest.mark.parametrize("kind", ["study", "sweep"])
def test_a_folder_that_holds_nothing_is_told_on_one_line(alone, capsys, kind):
    alone.setattr(sys, "argv", sys.argv)
    assert worker.main([kind, "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("hepclf: nowhere ")


@pytest.mark.parametrize(
    ("error", "code"), [(Stopped("stopped by SIGTERM"), 85), (Stopped("x", is_interrupt=True), 130), (ValueError(), 1)]
)
def test_how_a_worker_ends_is_its_exit_code(alone, error, code):
    def task(*_):
        raise error

    alone.setitem(worker.TASKS, "probe", task)
    assert worker.main(["probe", "."]) == code


def test_the_collector_is_set_before_the_work_begins():
    threshold = gc.get_threshold()
    try:
        assert own_process(lambda: gc.get_threshold()[0]) == NEW_OBJECTS
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)

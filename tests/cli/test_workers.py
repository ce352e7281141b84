"""Processes side by side: what becomes of those that are killed, that leave, and that are to stop."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from hepclf.cli import workers
from hepclf.cli.workers import RESTARTS, Workers, worker_command
from hepclf.run import Stopped
from hepclf.workflow.stop import Stop


@pytest.fixture
def shells(tmp_path):
    """A function making two workers that run a line of the shell; it notes the numbers that are started."""

    class Shells(Workers):
        def __init__(self, line):
            super().__init__(tmp_path, 2, lambda number: self.numbers.append(number) or ["sh", "-c", line])
            self.numbers = []

        def run(self, stop=None, look=lambda: None):
            return self.work(stop or Stop(), look)

    return Shells


def logs(folder):
    return [path.read_text() for path in sorted((folder / "workers").iterdir())]


def test_workers_that_are_killed_are_started_again_a_few_times_and_keep_their_logs(shells, tmp_path, caplog):
    killed = shells("echo begun; kill -9 $$")
    assert not killed.run()
    assert len(killed.numbers) == 2 + RESTARTS
    assert set(killed.numbers) == {0, 1}
    assert "".join(logs(tmp_path)).count("begun") == 2 + RESTARTS
    assert [" and is started again" in line for line in caplog.messages].count(True) == RESTARTS


def test_workers_that_fail_are_not_started_again_and_their_last_line_is_told(shells, caplog):
    failed = shells("echo one; echo two >&2; exit 1")
    assert not failed.run()
    assert failed.numbers == [0, 1]
    assert caplog.messages == [f"worker {number} ended with code 1: two" for number in (0, 1)]


def test_a_worker_that_leaves_with_a_checkpoint_is_no_failure_and_is_told(shells, caplog):
    caplog.set_level(logging.WARNING)
    assert shells("exit 85").run()
    assert not shells("exit 0").run()
    assert caplog.messages == []


@pytest.mark.parametrize("is_interrupt", [True, False])
def test_a_stop_ends_the_input_of_the_workers_and_waits_for_them(shells, tmp_path, is_interrupt):
    stop = Stop()
    threading.Timer(0.5, lambda: stop.ask("SIGINT", is_interrupt=is_interrupt)).start()
    with pytest.raises(Stopped, match="stopped by SIGINT") as stopped:
        shells("cat; echo checkpoint; exit 85").run(stop)
    assert stopped.value.is_interrupt == is_interrupt
    assert logs(tmp_path) == [f"{stopped.value.reason.removeprefix('stopped by ')}checkpoint\n"] * 2


def test_workers_that_are_killed_while_they_are_to_stop_stay_so(shells):
    stop = Stop()
    stop.ask("SIGTERM")
    killed = shells("cat; kill -9 $$")
    with pytest.raises(Stopped):
        killed.run(stop)
    assert killed.numbers == [0, 1]


@pytest.mark.skipif(not hasattr(signal, "SIGQUIT"), reason="Windows has no SIGQUIT")
@pytest.mark.parametrize("line", ["exec sleep 60", "trap '' QUIT; while :; do sleep 0.1; done"])
def test_a_second_ctrl_c_lets_the_workers_leave_at_once(shells, monkeypatch, line):
    monkeypatch.setattr(workers, "QUIT_S", 0.5)
    running = shells(line)
    processes = []

    def interrupt():
        processes.extend(running._processes.values())
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        running.run(look=interrupt)
    assert len(processes) == 2
    assert all(process.returncode is not None for process in processes)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("granted", "share"), [(9, "4"), (1, "1")])
def test_each_worker_has_its_share_of_the_cores(shells, tmp_path, monkeypatch, granted, share):
    monkeypatch.setattr(workers, "cores", lambda: granted)
    shells("echo $OMP_NUM_THREADS").run()
    assert logs(tmp_path) == [f"{share}\n"] * 2


def test_the_folder_is_looked_at_once_more_after_the_last_worker_has_ended(shells, tmp_path):
    looks = []
    shells(f"sleep 0.3; touch {tmp_path}/result").run(look=lambda: looks.append(Path(tmp_path, "result").exists()))
    assert looks[-1]


def test_a_worker_takes_no_module_from_the_working_directory():
    assert worker_command("sweep", Path("mine"), "x=1")[:4] == [sys.executable, "-P", "-m", "hepclf.cli.worker"]

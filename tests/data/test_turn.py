"""Jobs that start in the same second on one cache: one fills it, the others wait, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepclf.data.turn import remove_ended, turn

WORK = """
import os, time
from pathlib import Path
from hepclf.data.turn import turn
from hepclf.run import point_latest
while not Path("go").exists():
    time.sleep(0.01)
with turn(Path("cache/key.turn")):
    if not Path("entry").exists():
        with open("fills", "a") as file:
            file.write("x")
        time.sleep(0.3)
        Path("entry").touch()
Path("runs", str(os.getpid())).mkdir(parents=True)
point_latest("runs", Path("runs", str(os.getpid())))
"""
HOLD = """
import time
from pathlib import Path
from hepclf.data.turn import turn
with turn(Path("key.turn")):
    Path("taken").touch()
    time.sleep(60)
"""


def start(code):
    return subprocess.Popen([sys.executable, "-c", code])


def test_of_64_jobs_that_start_together_one_fills_the_cache():
    jobs = [start(WORK) for _ in range(64)]
    Path("go").touch()
    assert [job.wait(60) for job in jobs] == [0] * 64
    assert Path("fills").read_text() == "x"
    assert list(Path("cache").iterdir()) == []
    assert sorted(path.name for path in Path("runs").iterdir() if not path.name.isdecimal()) == ["latest"]
    assert Path("runs/latest").is_dir()


def test_nobody_waits_for_a_job_that_was_killed():
    job = start(HOLD)
    while not Path("taken").exists():
        time.sleep(0.01)
    remove_ended(Path())
    assert Path("key.turn").is_dir()
    began = time.monotonic()
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    with turn(Path("key.turn")):
        assert time.monotonic() - began < 20
    assert not Path("key.turn").exists()


def test_what_a_killed_job_left_is_removed_with_the_cache():
    job = start(HOLD)
    while not Path("taken").exists():
        time.sleep(0.01)
    job.kill()
    job.wait()
    remove_ended(Path())
    assert not Path("key.turn").exists()


def test_an_error_ends_a_turn():
    with pytest.raises(ValueError, match="bad"), turn(Path("key.turn")):
        raise ValueError("bad")
    assert not Path("key.turn").exists()

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from hepclf import heartbeat
from hepclf.heartbeat import beating, last_touched, silence_s


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def aged(seconds):
    path = Path(heartbeat.NAME)
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_the_heartbeat_is_touched_while_the_block_runs_and_not_after_it():
    path = aged(1000)
    with beating(Path(), lambda: True, every_s=0.01):
        assert until(lambda: silence_s(Path()) < 10)
    assert heartbeat.NAME not in [thread.name for thread in threading.enumerate()]
    aged(1000)
    time.sleep(0.05)
    assert time.time() - path.stat().st_mtime > 900


def test_the_heartbeat_of_a_folder_that_is_no_longer_ours_is_left_alone():
    aged(1000)
    asked = []
    with beating(Path(), lambda: bool(asked.append(1)), every_s=0.01):
        assert until(lambda: len(asked) > 3)
    assert silence_s(Path()) > 900


def test_a_server_in_trouble_does_not_end_the_heartbeat():
    calls = []

    def is_ours():
        calls.append(1)
        raise OSError(5, "Input/output error")

    with beating(Path(), is_ours, every_s=0.01):
        assert until(lambda: len(calls) > 3)


def test_silence_is_since_the_newest_sign_of_life():
    assert silence_s(Path()) == float("inf")
    aged(1000)
    assert silence_s(Path()) == pytest.approx(1000, abs=5)
    Path("lock").touch()
    assert silence_s(Path(), Path("lock")) == pytest.approx(0, abs=5)
    assert last_touched(Path("gone")) is None

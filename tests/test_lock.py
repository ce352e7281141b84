from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from threading import Barrier

import pytest

from hepclf import heartbeat
from hepclf.files import temporary_path
from hepclf.holder import current
from hepclf.lock import FolderInUseError, Lock, LockLostError, acquire, clean, entries, living_entry

HOLD = """
from pathlib import Path
from hepclf.lock import acquire
acquire(Path())
print(1, flush=True)
input()
"""


@pytest.fixture
def child():
    """Another process that holds this folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    yield process
    process.kill()
    process.communicate()


def age(*paths, seconds=1000):
    for path in paths:
        os.utime(path, (time.time() - seconds,) * 2)


def placed(text, name="0123abcd"):
    """A lock with this text, of a process that was silent for long."""
    path = Path("lock") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    age(path)
    return path


def lost(**changes):
    """The lock of a process on another machine."""
    holder = replace(current(), host="far", **changes)
    return placed(json.dumps(asdict(holder)), holder.token)


def test_a_folder_is_held_once_and_given_free():
    lock = acquire(Path())
    assert lock.is_ours()
    with pytest.raises(FolderInUseError, match=rf"^\. is in use by process {os.getpid()} on .* since 20.*; wait for"):
        acquire(Path())
    lock.release()
    assert list(Path().iterdir()) == []
    assert acquire(Path()).is_ours()


def test_a_killed_process_is_succeeded_at_once_and_a_living_one_is_not(child):
    with pytest.raises(FolderInUseError, match=f"process {child.pid}"):
        acquire(Path())
    assert living_entry(Path()).holder.pid == child.pid
    child.kill()
    child.wait()
    assert living_entry(Path()) is None
    lock = acquire(Path())
    assert [entry.holder for entry in entries(Path())] == [lock.holder]
    assert sorted(path.name for path in Path().iterdir()) == ["heartbeat", "lock"]


def test_a_process_elsewhere_is_lost_when_lock_and_heartbeat_are_silent():
    path = lost()
    Path(heartbeat.NAME).touch()
    with pytest.raises(FolderInUseError, match="on far"):
        acquire(Path())
    age(heartbeat.NAME)
    path.touch()
    with pytest.raises(FolderInUseError, match="on far"):
        acquire(Path())
    age(path)
    assert acquire(Path()).is_ours()


def test_a_later_process_with_the_number_of_the_holder_does_not_hold():
    holder = replace(current(), process_started="1")
    placed(json.dumps(asdict(holder)), holder.token).touch()
    assert acquire(Path()).is_ours()


@pytest.mark.parametrize("text", ["", "{", json.dumps(asdict(current()))])
def test_a_damaged_lock_is_held_while_it_is_fresh(text):
    path = placed(text)
    path.touch()
    with pytest.raises(FolderInUseError, match="unknown process"):
        acquire(Path())
    age(path)
    assert acquire(Path()).is_ours()


def test_several_damaged_files_in_a_lock_are_all_replaced():
    placed("", "a"), placed("{", "b")
    lock = acquire(Path())
    assert [entry.path for entry in entries(Path())] == [lock.path]


def test_who_lost_the_folder_is_told_and_changes_nothing():
    lock = acquire(Path())
    age(lock.path, heartbeat.NAME)
    successor = Lock(Path(), replace(current(), host="far"))
    assert successor._take(lock.path)
    with pytest.raises(LockLostError, match=r"process \d+ on far has taken over .* because this process was silent"):
        lock.check()
    lock.release()
    assert successor.is_ours()
    assert Path(heartbeat.NAME).exists()


def test_a_lock_that_was_removed_is_lost():
    lock = acquire(Path())
    lock.path.unlink()
    with pytest.raises(LockLostError, match="another process has taken over"):
        lock.check()


@pytest.mark.parametrize("begin", [lost, lambda: None])
def test_of_several_takers_exactly_one_succeeds(begin):
    takers = 4
    with ThreadPoolExecutor(takers) as pool:
        for turn in range(50):
            folder = Path(f"turn{turn}").absolute()
            folder.mkdir()
            if (path := begin()) is not None:
                Path("lock").rename(folder / "lock")
                assert (folder / "lock" / path.name).exists()
            barrier = Barrier(takers)

            def take(folder=folder, barrier=barrier):
                barrier.wait()
                try:
                    return acquire(folder)
                except FolderInUseError:
                    return None

            locks = [future.result() for future in [pool.submit(take) for _ in range(takers)]]
            (winner,) = [lock for lock in locks if lock is not None]
            winner.check()
            assert [entry.holder for entry in entries(folder)] == [winner.holder]
            assert sorted(path.name for path in folder.iterdir()) == ["heartbeat", "lock"]


def test_a_taker_that_slept_leaves_the_folder_to_the_next(monkeypatch):
    path = lost()
    slow, fast = Lock(Path(), current()), Lock(Path(), current())
    write = Path.write_text

    def sleep(self, text):
        monkeypatch.setattr(Path, "write_text", write)
        assert fast._take(slow.path)
        return write(self, text)

    monkeypatch.setattr(Path, "write_text", sleep)
    assert not slow._take(path)
    assert [entry.path for entry in entries(Path())] == [fast.path]


def test_a_lock_that_is_just_being_taken_over_is_held(monkeypatch):
    path, slow, write = lost(), Lock(Path(), current()), Path.write_text

    def interrupt(self, text):
        monkeypatch.setattr(Path, "write_text", write)
        with pytest.raises(FolderInUseError, match="unknown process"):
            acquire(Path())
        return write(self, text)

    monkeypatch.setattr(Path, "write_text", interrupt)
    assert slow._take(path)
    slow.check()


def test_who_comes_too_late_for_a_lost_lock_does_not_get_it():
    Path("lock").mkdir()
    assert not Lock(Path(), current())._take(Path("lock/gone"))
    assert entries(Path()) == []


def test_a_full_disk_leaves_no_lock(monkeypatch):
    path = lost()

    def full(self, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    for take in (lambda: acquire(Path()), lambda: Lock(Path(), current())._take(path)):
        with pytest.raises(OSError, match="No space"):
            take()
    assert list(Path().rglob("*")) == [Path("lock")]


def test_temporary_files_go_where_only_the_holder_writes_and_else_after_a_day():
    part = ".a.node.1.0a1b2c3d.part"
    places = ["", "tagger/", "plots/numbers/", "predictions/old/", "predictions/new/"]
    paths = [Path().absolute() / f"{place}{part}" for place in places]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    age(paths[3], seconds=25 * 3600)
    folder = Path("plots/.folder.node.1.0a1b2c3d.part").absolute()
    folder.mkdir()
    assert clean(Path().absolute(), [*paths, folder, Path(".gone.node.1.00.part").absolute()]) == [*paths[:4], folder]
    assert [path.exists() for path in (*paths, folder)] == [False] * 4 + [True, False]


def test_what_a_living_process_writes_where_others_write_too_stays_however_old_it_is():
    written = temporary_path(Path("predictions/a.root").absolute())
    written.parent.mkdir()
    written.touch()
    age(written, seconds=25 * 3600)
    assert clean(Path().absolute(), [written]) == []
    assert written.exists()


def test_what_another_process_writes_to_ask_for_the_lock_is_not_removed():
    folder = Path().absolute()
    (folder / ".lock.node.1.0a1b2c3d.part").mkdir()
    (folder / ".metrics.json.node.1.0a1b2c3d.part").touch()
    assert clean(folder, sorted(folder.glob(".*"))) == [folder / ".metrics.json.node.1.0a1b2c3d.part"]

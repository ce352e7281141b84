"""Turn: one job at a time fills an entry of the cache; those that come meanwhile wait for its end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hepclf.heartbeat import beating
from hepclf.lock import FolderInUseError, Lock, acquire, living_entry

SUFFIX = ".turn"
SLOWEST_S = 2.0  # between two looks of a job that waits


@contextmanager
def turn(place: Path) -> Iterator[None]:
    """While the block runs, others wait before theirs; look in it whether another job has done the work already.

    Those that have waited do not wait for each other: where the first was killed, all do the work at the same time. A
    turn is the lock of a folder, so nobody waits for a dead process.
    """
    lock = _taken(place)
    if lock is None:
        _wait(place)
        yield
        return
    try:
        with beating(place, lock.is_ours):
            yield
    finally:
        lock.release()
        with suppress(OSError):  # another job has taken its turn already
            place.rmdir()


def _taken(place: Path) -> Lock | None:
    """The lock of a place; None where a living process has it."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            return acquire(place)
        except FolderInUseError:
            return None
        except FileNotFoundError:  # the last turn has ended, and its folder went
            continue


def _wait(place: Path) -> None:
    pause_s = 0.02
    while living_entry(place):
        time.sleep(pause_s)
        pause_s = min(SLOWEST_S, 1.5 * pause_s)


def remove_ended(folder: Path) -> None:
    """Remove the turns of dead processes from a folder."""
    for place in folder.glob(f"*{SUFFIX}"):
        if not living_entry(place):
            shutil.rmtree(place, ignore_errors=True)

"""Turn: one job at a time fills an entry of the cache; other jobs that need it wait."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from hepclf.run import Run

SUFFIX = ".turn"
SLOWEST_S = 2.0  # between two looks of a job that waits


@contextmanager
def turn(place: Path) -> Iterator[None]:
    """While the block runs, other jobs wait before their own block; then check whether one of them did the work.

    Jobs that have waited do not wait for each other: if the first was killed, all do the work at the same time. A
    turn is the lock of a folder, so nobody waits for a dead process.
    """
    with ExitStack() as stack:
        if not _is_taken(stack, place):
            _wait(place)
        yield


def _is_taken(stack: ExitStack, place: Path) -> bool:
    """Lock a place until the stack closes, and remove it then; False if a living process has it."""
    while True:
        try:
            place.mkdir(parents=True, exist_ok=True)
            with ExitStack() as holding:
                holding.callback(_remove, place)
                holding.enter_context(Run(place).held())
                stack.push(holding.pop_all())
        except (FileNotFoundError, FileExistsError):  # the last turn has ended, and its folder went
            continue
        except OSError:  # in use
            return False
        return True


def _remove(place: Path) -> None:
    with suppress(OSError):  # another job has it, or it is gone
        place.rmdir()


def _wait(place: Path) -> None:
    pause_s = 0.02
    while _is_alive(place):
        time.sleep(pause_s)
        pause_s = min(SLOWEST_S, 1.5 * pause_s)


def _is_alive(place: Path) -> bool:
    return Run(place).status().name == "running"


def remove_ended(folder: Path) -> None:
    """Remove the turns of dead processes from a folder."""
    for place in folder.glob(f"*{SUFFIX}"):
        if not _is_alive(place):
            shutil.rmtree(place, ignore_errors=True)

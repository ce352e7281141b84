"""The heartbeat of a run: a file that is touched while its process lives; its age by the clock of the file server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hepclf.files import server_time

NAME = "heartbeat"
BEAT_S = 30.0  # seconds between two touches
LOST_S = 6 * BEAT_S  # age from which a process on another machine counts as lost


@contextmanager
def beating(folder: Path, is_ours: Callable[[], bool], every_s: float = BEAT_S) -> Iterator[None]:
    """Touch the heartbeat of a folder while the block runs and the folder is ours."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every_s):
            with suppress(OSError):  # a server that does not answer for a while
                if is_ours():
                    os.utime(folder / NAME)

    thread = threading.Thread(target=beat, name=NAME, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def silence_s(folder: Path, *paths: Path) -> float:
    """Seconds since the heartbeat of a folder, or one of these files, was touched; infinite if there is none."""
    times = [touched for path in (folder / NAME, *paths) if (touched := last_touched(path)) is not None]
    if not times:
        return float("inf")
    return server_time(folder) - max(times)


def last_touched(path: Path) -> float | None:
    """When a file was touched last; None if there is no such file."""
    with suppress(OSError), path.open("rb") as file:  # a network file system asks the server about an opened file
        return os.fstat(file.fileno()).st_mtime
    with suppress(OSError):
        return path.lstat().st_mtime
    return None

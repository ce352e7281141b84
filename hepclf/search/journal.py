"""The journal of a study: Optuna's file, which stays readable when a worker is killed or stopped at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend

from hepclf.files import from_json
from hepclf.search.journal_lock import GRACE_S, JournalLock

CHUNK = 1 << 16  # bytes read together in search of the last line


class JournalReplacedError(OSError):
    """The journal was removed, or made again, since it was opened."""


class Journal(JournalFileBackend):
    """Optuna's journal with one line for each operation; before each append an unfinished last line is cut off.

    No write waits for the disk: lines that a crash of the machine removes are restored from the folders of the trials.
    """

    def __init__(self, path: Path, grace_s: float = GRACE_S) -> None:
        self._journal = path
        self._mutex = JournalLock(path.with_name(f"{path.name}.lock"), grace_s)
        super().__init__(str(path))
        self._place = _place(path.stat())

    @property
    def is_replaced(self) -> bool:
        """Whether the file is no longer the one that was opened."""
        try:
            return _place(self._journal.stat()) != self._place
        except FileNotFoundError:
            return True

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The operations from this number on."""
        if self.is_replaced:  # what was read before is of another file
            raise JournalReplacedError(f"{self._journal} was removed or made again by another process")
        return super().read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations, a line each, in one write."""
        data = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in logs).encode()
        while not self._appended(data):
            pass

    def _appended(self, data: bytes) -> bool:
        """Append the lines; False where another process took the lock meanwhile, because this one was suspended."""
        self._mutex.acquire()
        try:
            descriptor = self._opened()
            try:
                self._cut_damage(descriptor)
                return self._mutex.is_ours() and _write(descriptor, data)
            finally:
                os.close(descriptor)
        finally:
            self._mutex.release()

    def _opened(self) -> int:
        try:
            descriptor = os.open(self._journal, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError as error:
            raise JournalReplacedError(f"{self._journal} was removed") from error
        if _place(os.fstat(descriptor)) != self._place:
            os.close(descriptor)
            raise JournalReplacedError(f"{self._journal} was made again by another process")
        return descriptor

    def _cut_damage(self, descriptor: int) -> None:
        """Cut off a last line that is unfinished, from a killed process, or that cannot be read."""
        end = os.fstat(descriptor).st_size
        start, line = _last_line(descriptor, end)
        if line and not _is_whole(line) and self._mutex.is_ours():
            os.ftruncate(descriptor, start)


def begins_otherwise(path: Path) -> bool:
    """Whether the first line of a file is not that of a journal; an unfinished first line is accepted."""
    with path.open("rb") as file:
        line = file.readline()
    return bool(line) and not _is_whole(line) and (line.endswith(b"\n") or not line.startswith(b"{"))


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _write(descriptor: int, data: bytes) -> bool:
    """Write all lines at once, so that those of two processes never mix; a full disk raises an error."""
    written = os.write(descriptor, data)
    if written < len(data):
        os.write(descriptor, data[written:])  # raises the reason: no space is left
    return True


def _last_line(descriptor: int, end: int) -> tuple[int, bytes]:
    """The position of the last line, and the line."""
    start, line = end, b""
    while start > 0 and b"\n" not in line[:-1]:
        size = min(CHUNK, start)
        start -= size
        line = os.pread(descriptor, size, start) + line
    place = line[:-1].rfind(b"\n") + 1
    return start + place, line[place:]


def _is_whole(line: bytes) -> bool:
    if not line.endswith(b"\n"):
        return False
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False

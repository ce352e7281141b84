"""The part of a file that was fetched so far, and the file that it is a part of."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

from hepclf.files import read_json, write_text

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerFile:
    """A file on a server: its address, its size in bytes if known, and a stamp that changes with the file.

    The stamp is a strong ETag, or else the time of its last change, as servers compare them; empty if neither is given.
    """

    url: str
    size: int | None
    stamp: str


@dataclass(frozen=True)
class Partial:
    """An incomplete file, and a note of its origin beside it."""

    path: Path

    @property
    def note(self) -> Path:
        """Where its origin is noted."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def length(self) -> int:
        """Number of bytes fetched so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def origin(self) -> ServerFile | None:
        """Its origin; None if it is unknown whether the remaining bytes belong to the same file."""
        with suppress(OSError, ValueError, TypeError):
            origin = ServerFile(**read_json(self.note))
            too_long = origin.size and self.length > origin.size
            if origin.stamp and not too_long:
                return origin
        return None

    def begin(self, origin: ServerFile) -> None:
        """Drop the bytes that are here, and note the new origin."""
        self.empty()
        with _writing(self.note):
            write_text(self.note, json.dumps(asdict(origin)))

    def add(self, blocks: Iterator[bytes]) -> Iterator[int]:
        """Append blocks, and yield after each block the new number of bytes."""
        with _writing(self.path):
            file = self._open()
        done = self.length
        with file:
            for block in blocks:
                remaining = memoryview(block)
                while remaining:
                    with _writing(self.path):
                        remaining = remaining[file.write(remaining) :]
                done += len(block)
                yield done

    def empty(self) -> None:
        """Drop the bytes that are here; the file itself stays, as it may be locked."""
        with _writing(self.path):
            with self._open() as file:
                file.truncate(0)
            self.note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file and its note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Take the final name, as the file is complete."""
        with _writing(target):
            self.path.replace(target)
        self.note.unlink(missing_ok=True)

    def resume_hint(self) -> str:
        """What a user should know about it if a transfer ended early."""
        if not self.length:
            return ""
        if self.origin is None:
            return f"; {self.path} is of no use, as the server does not say which file it is: the next call begins anew"
        return f"; {self.path} keeps {self.length:,} bytes, and the next call goes on from there"

    def _open(self) -> FileIO:
        """Open it to append; without a buffer, a full disk is known at the write, and once.

        In a folder that others can write, a link or a pipe of this name could lead the bytes into any file.
        """
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_file()):
            raise OSError(errno.EEXIST, "it is a link or no plain file, and may lead elsewhere")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        return FileIO(os.open(self.path, flags, 0o666), "ab")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from writing it; if no byte arrived, the file is removed."""
        if os.name == "nt":  # has no such locks, and lets nobody rename an open file
            yield
            return
        import fcntl

        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self._open()
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OSError(f"{self.path} is being written by another process; wait for it to end") from None
            except OSError as error:  # of a file system without locks
                log.warning("%s cannot be locked (%s): see that nobody else fetches it", self.path, error.strerror)
            try:
                yield
            finally:
                if not self.length:
                    self.remove()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        way = "make room, or choose another folder"
        raise OSError(f"{path} cannot be written: {error.strerror}; {way}") from error

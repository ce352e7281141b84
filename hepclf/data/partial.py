"""The part of a file that came so far, and of which file it is a part."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerFile:
    """A file of a server: address, size in bytes where it is known, and the stamp that changes when the file does.

    The stamp is a strong ETag or else a time of change, as servers compare them; empty where neither is given.
    """

    url: str
    size: int | None
    stamp: str


@dataclass(frozen=True)
class Partial:
    """A file that is not whole, and a note beside it of its origin."""

    path: Path

    @property
    def note(self) -> Path:
        """Where its origin is written down."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def length(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def origin(self) -> ServerFile | None:
        """Its origin, or None where nobody can tell whether what is still to come belongs to it."""
        with suppress(OSError, ValueError, TypeError):
            origin = ServerFile(**json.loads(self.note.read_text()))
            return origin if origin.stamp and self.length <= (origin.size or self.length) else None
        return None

    def begin(self, origin: ServerFile) -> None:
        """Forget what came before, and write down what will."""
        self.empty()
        with _writing(self.note):
            self.note.write_text(json.dumps(asdict(origin)))

    def add(self, blocks: Iterator[bytes]) -> Iterator[int]:
        """Write what comes behind what is here, and say after each block how much that makes."""
        with _writing(self.path):
            file = self.path.open("ab", buffering=0)  # so that a full disk is known at the write, and once
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
        """Forget what came before; the file stays, as it may be held."""
        with _writing(self.path):
            self.path.write_bytes(b"")
            self.note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file and its note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Take the final name: it is whole."""
        with _writing(target):
            self.path.replace(target)
        self.note.unlink(missing_ok=True)

    def resume_hint(self) -> str:
        """What a person should know of it where a transfer has ended early."""
        if not self.length:
            return ""
        if self.origin is None:
            return f"; {self.path} is of no use, as the server does not say which file it is: the next call begins anew"
        return f"; {self.path} keeps {self.length:,} bytes, and the next call goes on from there"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from writing it; where nothing came, nothing is left."""
        if os.name == "nt":  # has no such locks, and lets nobody rename an open file
            yield
            return
        import fcntl

        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("ab")
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

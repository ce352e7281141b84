"""Output: the file that the scores of one input go to, whatever its format; whole under its name, or absent."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any, Protocol

PART = ".part"
ABANDONED = 24 * 3600  # seconds after which a job of another machine is taken for dead


class Output(Protocol):
    """A file that takes columns, block by block, and at last the notes by which it is known again."""

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries; the first block says which columns there are, and of which types."""
        ...

    def finish(self, notes: str) -> None:
        """Write the notes; nothing is added after them."""
        ...

    def close(self) -> None:
        """Let the file go, finished or not."""
        ...


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A place beside this path, for this process alone; what is written there is moved to the path when all is well."""
    place = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}{PART}")
    try:
        yield place
        with writing(path):
            place.replace(path)
    finally:
        place.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An OSError in here is one of writing this file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"{path} cannot be written: {reason}; what was finished stays, choose another out=DIR") from error


def sweep(path: Path) -> None:
    """Remove what dead jobs left beside this path."""
    for left in path.parent.glob(f".{escape(path.name)}.*{PART}"):
        if not _alive(left):
            left.unlink(missing_ok=True)


def _alive(place: Path) -> bool:
    """Whether the job that writes there may be alive: asked of this machine, guessed by the time on another."""
    owner, process, _ = place.name.removesuffix(PART).rsplit(".", 2)
    if owner.endswith(f".{socket.gethostname()}") and process.isdigit():
        try:
            with suppress(PermissionError):  # of another user's, which is there
                os.kill(int(process), 0)
        except ProcessLookupError:
            return False
        return True
    with suppress(FileNotFoundError):
        return time.time() - place.stat().st_mtime < ABANDONED
    return False

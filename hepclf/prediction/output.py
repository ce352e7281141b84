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
ABANDONED = 24 * 3600  # seconds after which a job on another machine counts as dead


class Output(Protocol):
    """A file that takes columns, block by block, and at the end the notes by which it is recognised later."""

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries; the first block says which columns there are, and of which types."""
        ...

    def finish(self, notes: str) -> None:
        """Write the notes; nothing is added after them."""
        ...

    def close(self) -> None:
        """Close the file, finished or not."""
        ...


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """A temporary path beside this path, for this process only; the file moves to `path` if the block succeeds."""
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}{PART}")
    try:
        yield temporary
        with writing(path):
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An OSError in this block is reported as an error of writing this file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"{path} cannot be written: {reason}; what was finished stays, choose another out=DIR") from error


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files that dead jobs left beside this path."""
    for temporary in path.parent.glob(f".{escape(path.name)}.*{PART}"):
        if not _is_alive(temporary):
            temporary.unlink(missing_ok=True)


def _is_alive(temporary: Path) -> bool:
    """Whether the job that writes this file may be alive: known on this machine, guessed by age for another one."""
    owner, process, _ = temporary.name.removesuffix(PART).rsplit(".", 2)
    if owner.endswith(f".{socket.gethostname()}") and process.isdigit():
        try:
            with suppress(PermissionError):  # another user's process, which is alive
                os.kill(int(process), 0)
        except ProcessLookupError:
            return False
        return True
    with suppress(FileNotFoundError):
        return time.time() - temporary.stat().st_mtime < ABANDONED
    return False

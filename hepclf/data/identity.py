"""What tells one state of a file from another."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

HEAD = 512  # bytes: a ROOT file has its UUID there


def identity(name: str | Path) -> dict[str, Any]:
    """Path, size, times of change and the first bytes of a file: whatever changes it changes one of these.

    The time of the last change of its status (ctime) is among them, as nobody can set it back.
    """
    path = Path(name)
    with path.open("rb") as file:
        head = file.read(HEAD)
    state = path.stat()
    return {
        "path": str(path.resolve()),
        "size": state.st_size,
        "modified": state.st_mtime_ns,
        "changed": state.st_ctime_ns,
        "head": hashlib.blake2b(head, digest_size=16).hexdigest(),
    }

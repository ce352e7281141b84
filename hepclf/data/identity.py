"""What tells one state of a file from another."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

from hepclf.data.remote import RemoteFile
from hepclf.data.remote_names import is_remote

HEAD = 512  # bytes: a ROOT file has its UUID there


def identity(name: str | Path) -> dict[str, Any]:
    """Path or URL, size, times of change and the first bytes of a file: whatever changes it changes one of these.

    The time of the last change of its status (ctime) is among them, as nobody can set it back; servers tell none.
    """
    if is_remote(str(name)):
        return _remote(str(name))
    path = Path(name)
    with path.open("rb") as file:
        head = file.read(HEAD)
    state = path.stat()
    return {
        "path": str(path.resolve()),
        "size": state.st_size,
        "modified": state.st_mtime_ns,
        "changed": state.st_ctime_ns,
        "head": _hashed(head),
    }


def _remote(url: str) -> dict[str, Any]:
    with closing(RemoteFile(url)) as file:
        (head,) = file.read([(0, HEAD)])
        size, modified = file.state()
    return {"path": url, "size": size, "modified": modified, "head": _hashed(head)}


def _hashed(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16).hexdigest()

"""The identity of a file: what distinguishes one state of it from another."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

from hepclf.data.remote import RemoteFile
from hepclf.data.remote_names import is_remote

HEAD = 512  # bytes: a ROOT file has its UUID there


def identity(name: str | Path) -> dict[str, Any]:
    """Path or URL, size, times of change and a hash of the first bytes: any change to the file changes one of these.

    The time of the last status change (ctime) is included, as no program can set it back; servers do not state it.
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

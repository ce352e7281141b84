"""The tagger on disk: tagger.json beside the files it vouches for, and nothing that could run code."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

FORMAT = 1


def write_tagger(folder: Path, files: Mapping[str, bytes], contents: Mapping[str, Any]) -> None:
    """Write the files and, last, the tagger.json that holds their hashes; each is moved into place whole."""
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    head = {"format": FORMAT, "hepclf": version("hepclf"), **contents, "files": hashes}
    text = json.dumps(head, indent=2).encode() + b"\n"
    for name, data in {**files, "tagger.json": text}.items():
        aside = folder / f".{name}.{os.getpid()}"
        aside.write_bytes(data)
        aside.replace(folder / name)


def read_tagger(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The contents of tagger.json and its files, every file checked against its hash."""
    head_path = folder / "tagger.json"
    if not head_path.is_file():
        raise FileNotFoundError(f"{folder} holds no tagger: there is no tagger.json in it")
    try:
        head = json.loads(head_path.read_text())
        files = dict(head["files"])
        form = head["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{head_path} is not a tagger of hepclf: {error!r}") from error
    if form != FORMAT:
        raise ValueError(f"{head_path} has format {form}, this hepclf reads format {FORMAT}; use a matching version")
    return head, {name: _vouched(folder, name, digest) for name, digest in files.items()}


def _vouched(folder: Path, name: str, digest: str) -> bytes:
    path = folder / name
    if Path(name).name != name or path.is_symlink():
        raise ValueError(f"{folder}/tagger.json names {name!r}, which is not a plain file of its own folder; refused")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, though {folder}/tagger.json names it")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path} was changed after the tagger was saved: its SHA-256 differs; refused")
    return data

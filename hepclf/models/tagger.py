"""The tagger on disk: tagger.json and the files whose hashes it holds; nothing in them can run code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.events import Sentinels
from hepclf.files import from_json, write_bytes

FORMAT = 1
HEAD = "tagger.json"
SENTINELS = "sentinels"


def write_tagger(folder: Path, files: Mapping[str, bytes], contents: Mapping[str, Any]) -> None:
    """Write the files and, last, the tagger.json with their hashes; each file is moved into place when complete.

    A file's name contains the first digits of its hash, so saving again leaves the previous tagger intact until
    the new tagger.json replaces it. `contents` holds kind, inputs, classes, summary and what the kind needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    places = {name: _place(name, digest[:12]) for name, digest in hashes.items()}
    vouched = {places[name]: digest for name, digest in hashes.items()}
    head = {"format": FORMAT, "hepclf": version("hepclf"), **contents, "files": vouched}
    text = json.dumps(head, indent=2).encode() + b"\n"
    for name, data in files.items():
        write_bytes(folder / places[name], data, durable=True)
    write_bytes(folder / HEAD, text, durable=True)
    for name in files:
        for path in folder.glob(_place(name, "?" * 12)):
            if path.name not in vouched and _role(path.name) == name:
                path.unlink(missing_ok=True)


def written_sentinels(sentinels: Sentinels) -> dict[str, Any]:
    """The entry of tagger.json for declared missing values; empty if there are none."""
    return {SENTINELS: plain_sentinels(sentinels)} if sentinels else {}


def plain_sentinels(sentinels: Sentinels) -> dict[str, list[float | str]]:
    """Sentinels as JSON, which has no infinity."""
    return {
        name: [value if np.isfinite(value) else str(value) for value in values] for name, values in sentinels.items()
    }


def read_sentinels(head: Mapping[str, Any]) -> Sentinels:
    """The declared missing values in a tagger.json; old files have none. A ValueError if they are malformed."""
    stored = head.get(SENTINELS, {})
    if not isinstance(stored, Mapping) or not all(isinstance(values, list) for values in stored.values()):
        raise ValueError(f"{SENTINELS} must be a list of numbers for each input")
    if unknown := [name for name in stored if name not in head["inputs"]]:
        raise ValueError(f"{SENTINELS} must be of inputs, not of {unknown[0][:40]!r}")
    return {name: tuple(_sentinel(value) for value in values) for name, values in stored.items()}


def _sentinel(value: Any) -> float:
    if value in ("inf", "-inf") or (type(value) in (int, float) and np.isfinite(value)):
        return float(value)
    raise ValueError(f"{SENTINELS} must be numbers, not {str(value)[:40]!r}")


def _place(name: str, digits: str) -> str:
    """weights.safetensors, 0123456789ab -> weights-0123456789ab.safetensors."""
    return f"{Path(name).stem}-{digits}{Path(name).suffix}"


def _role(name: str) -> str:
    return re.sub(r"-[0-9a-f]{12}(?=\.\w+$)", "", name)


def read_head(folder: Path) -> dict[str, Any]:
    """The contents of tagger.json; the entries of every kind (kind, inputs, classes, summary, files) are checked."""
    path = folder / HEAD
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no tagger: there is no {HEAD} in it")
    try:
        head = from_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a tagger of hepclf: {error!r}") from error
    if not isinstance(head, dict) or "format" not in head:
        raise ValueError(f"{path} is not a tagger of hepclf: it states no format")
    if head["format"] != FORMAT:
        raise ValueError(
            f"{path} has format {str(head['format'])[:20]}, this hepclf reads format {FORMAT}; use a matching version"
        )
    if wrong := _wrong(head):
        raise ValueError(f"{path} is not a tagger of hepclf: {wrong}")
    return head


def _wrong(head: dict[str, Any]) -> str | None:
    for name, least in (("inputs", 1), ("classes", 2)):
        words = head.get(name)
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return f"{name} must be a list of names"
        if len(set(words)) < len(words) or len(words) < least:
            return f"{name} must be different names, at least {least}, not {words}"
    if not isinstance(head.get("kind"), str):
        return "kind must be a word"
    for name in ("summary", "files"):
        if not isinstance(head.get(name), dict):
            return f"{name} must be a mapping"
    return None


def read_tagger(folder: Path, kind: str | None = None) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The contents of a tagger.json of this kind (None: any), and its files by role, checked against their hashes."""
    head = read_head(folder)
    if kind is not None and head["kind"] != kind:
        raise ValueError(
            f"{folder / HEAD} is a tagger of kind {head['kind']!r}, not {kind!r}; "
            "hepclf.models.loading.load_tagger reads every kind"
        )
    return head, {_role(name): _vouched(folder, name, digest) for name, digest in head["files"].items()}


def _vouched(folder: Path, name: str, digest: Any) -> bytes:
    path = folder / name
    if not re.fullmatch(r"\w[\w.-]{0,99}", name, re.ASCII) or path.is_symlink():
        raise ValueError(f"{folder / HEAD} names {name!r}, which is not a plain file of its own folder; refused")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, though {folder / HEAD} names it")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path} was changed after the tagger was saved: its SHA-256 differs; refused")
    return data

"""Plan: which file is scored to where, and what of it is there already."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hepclf.data.delimited import COMPRESSED
from hepclf.data.samples import Source
from hepclf.prediction.arrays import npz_notes, parquet_notes
from hepclf.prediction.friend import read_notes
from hepclf.prediction.text import beside, text_notes

Kind = Literal["friend", "copy", "parquet", "npz", "csv"]


class Form(NamedTuple):
    """How the files of a kind of output end, and how the notes in one are read; None where it is not ours."""

    suffix: str
    notes: Callable[[Path], dict[str, Any] | None]


FORMS: dict[Kind, Form] = {
    "friend": Form(".root", read_notes),
    "copy": Form(".root", read_notes),
    "parquet": Form(".parquet", parquet_notes),
    "npz": Form(".npz", npz_notes),
    "csv": Form(".csv", text_notes),
}


class Task(NamedTuple):
    """A file to score, and where its scores go.

    kind  of output
    key   of all that the contents of the output depend on
    """

    source: Source
    tree: str | None
    output: Path
    kind: Kind
    key: str


class Predicted(NamedTuple):
    """What became of a file: written, there already, or bad for a reason and left out."""

    input: str
    output: Path
    state: Literal["written", "there", "bad"]
    entries: int = 0
    selected: int = 0
    reason: str = ""
    kind: Kind = "friend"


def places(sources: list[Source], out: Path, suffixes: Sequence[str]) -> list[Path]:
    """Where the scores of each file go: as deep below `out` as it lies below the folder that all have in common."""
    inputs = [Path(_absolute(source).partition("://")[2] or _absolute(source)) for source in sources]
    common = os.path.commonpath([path.parent for path in inputs])
    found = [
        (out / _unpacked(path).relative_to(common)).with_suffix(suffix)
        for path, suffix in zip(inputs, suffixes, strict=True)
    ]
    known = {path.resolve() for path in inputs}
    for path, place in zip(inputs, found, strict=True):
        if place.resolve() in known:
            raise ValueError(f"the scores of {path} would replace {place}, which is an input; choose another out=DIR")
        if (first := inputs[found.index(place)]) is not path:
            raise ValueError(
                f"the scores of {first} and of {path} would both be {place}; "
                "score them one after the other, each with an out=DIR of its own"
            )
    return found


def _unpacked(path: Path) -> Path:
    """The name of what is compressed in a file."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def there(task: Task, *, overwrite: bool) -> Predicted | None:
    """What an earlier call left for this task; None where it is to be written, or written anew.

    What is not hepclf's is never replaced; scores of another file or tree only on demand.
    """
    if not task.output.exists():
        return None
    notes = FORMS[task.kind].notes(task.output) or {}
    if "key" not in notes:
        raise FileExistsError(
            f"{task.output} is there and was not written by hepclf predict{_or_changed(task)}; "
            "move it, or choose another out=DIR"
        )
    if notes["key"] == task.key and not overwrite:
        counts = int(notes["entries"]), int(notes["selected"])
        return Predicted(task.source.name, task.output, "there", *counts, kind=task.kind)
    if notes["input"] != subject(task) and not overwrite:
        path, tree = notes["input"]
        of = f"tree {tree!r} of {path}" if tree else path
        raise FileExistsError(
            f"{task.output} holds the scores of {of}; choose another out=DIR, or replace it with overwrite=true"
        )
    return None


def _or_changed(task: Task) -> str:
    return ", or was changed since" if task.kind == "csv" and beside(task.output).exists() else ""


def subject(task: Task) -> list[str | None]:
    """What was scored, as the notes say it."""
    return [_absolute(task.source), task.tree]


def _absolute(source: Source) -> str:
    """A URL as it is, a path with its own name, also where that is a link, so that links are told apart."""
    if "://" in source.name:
        return source.name
    path = Path(source.name)
    return str(path.parent.resolve() / path.name)


def part(shard: str | None) -> slice:
    """The files of one of several jobs: i/N takes every N-th file from the i-th."""
    if shard is None:
        return slice(None)
    numbers = re.fullmatch(r"(\d{1,9})/(\d{1,9})", shard)
    first, jobs = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not 1 <= first <= jobs:
        raise ValueError(
            f"shard must be i/N with i from 1 to N, however shard={shard}; an array that counts from 0 adds 1"
        )
    return slice(first - 1, None, jobs)

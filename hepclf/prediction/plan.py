"""Plan: where the scores of each file go, and which of them an earlier call has written."""

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
from hepclf.prediction.text import notes_path, text_notes

Kind = Literal["friend", "copy", "parquet", "npz", "csv"]


class OutputFormat(NamedTuple):
    """The suffix of a kind of output, and the function that reads its notes; None for files of other programs."""

    suffix: str
    notes: Callable[[Path], dict[str, Any] | None]


OUTPUT_FORMATS: dict[Kind, OutputFormat] = {
    "friend": OutputFormat(".root", read_notes),
    "copy": OutputFormat(".root", read_notes),
    "parquet": OutputFormat(".parquet", parquet_notes),
    "npz": OutputFormat(".npz", npz_notes),
    "csv": OutputFormat(".csv", text_notes),
}


class Task(NamedTuple):
    """A file to score, and where its scores go.

    kind  of output
    key   a hash of everything that the contents of the output depend on
    """

    source: Source
    tree: str | None
    output: Path
    kind: Kind
    key: str


class Predicted(NamedTuple):
    """The outcome for a file: written, there already, or bad for a reason and left out."""

    input: str
    output: Path
    state: Literal["written", "there", "bad"]
    entries: int = 0
    selected: int = 0
    reason: str = ""
    kind: Kind = "friend"


def output_paths(sources: list[Source], out: Path, suffixes: Sequence[str]) -> list[Path]:
    """The path of each output: as deep below `out` as its input lies below the common folder of all inputs."""
    inputs = [Path(_absolute(source).partition("://")[2] or _absolute(source)) for source in sources]
    common = os.path.commonpath([path.parent for path in inputs])
    outputs = [
        (out / _uncompressed(path).relative_to(common)).with_suffix(suffix)
        for path, suffix in zip(inputs, suffixes, strict=True)
    ]
    resolved_inputs = {path.resolve() for path in inputs}
    for path, output in zip(inputs, outputs, strict=True):
        if output.resolve() in resolved_inputs:
            raise ValueError(f"the scores of {path} would replace {output}, which is an input; choose another out=DIR")
        # run.csv and run.root would both become run.parquet.
        if (first := inputs[outputs.index(output)]) is not path:
            raise ValueError(
                f"the scores of {first} and of {path} would both be {output}; "
                "score them one after the other, each with an out=DIR of its own"
            )
    return outputs


def _uncompressed(path: Path) -> Path:
    """The name of the file without the suffix of its compression."""
    if path.suffix.lower() not in COMPRESSED:
        return path
    return path.with_suffix("")


def earlier_output(task: Task, *, overwrite: bool) -> Predicted | None:
    """The output that an earlier call wrote for this task; None if it must be written, or replaced.

    A file that hepclf did not write is never replaced; scores of another file or tree only with `overwrite`.
    """
    if not task.output.exists():
        return None
    notes = OUTPUT_FORMATS[task.kind].notes(task.output) or {}
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
        earlier_input = f"tree {tree!r} of {path}" if tree else path
        raise FileExistsError(
            f"{task.output} holds the scores of {earlier_input}; "
            "choose another out=DIR, or replace it with overwrite=true"
        )
    return None


def _or_changed(task: Task) -> str:
    if task.kind == "csv" and notes_path(task.output).exists():
        return ", or was changed since"
    return ""


def subject(task: Task) -> list[str | None]:
    """The file and the tree that are scored, as the notes name them."""
    return [_absolute(task.source), task.tree]


def _absolute(source: Source) -> str:
    """A URL as it is; an absolute path, with the name of a link kept, so that two links to a file differ."""
    if "://" in source.name:
        return source.name
    path = Path(source.name)
    return str(path.parent.resolve() / path.name)


def shard_slice(shard: str | None) -> slice:
    """The files of one of several jobs: i/N takes every N-th file from the i-th."""
    if shard is None:
        return slice(None)
    first = jobs = 0
    if numbers := re.fullmatch(r"(\d{1,9})/(\d{1,9})", shard):
        first, jobs = int(numbers[1]), int(numbers[2])
    if not 1 <= first <= jobs:
        raise ValueError(f"shard must be i/N with i from 1 to N, not {shard}; an array that counts from 0 adds 1")
    return slice(first - 1, None, jobs)

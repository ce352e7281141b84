"""Scoring: one file from its entries to an output of as many."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.parts import AHEAD, File, FileError, Part
from hepclf.events import Events
from hepclf.models.loading import load_tagger
from hepclf.models.model import Tagger
from hepclf.prediction.arrays import Npz, Parquet
from hepclf.prediction.asked import Asked
from hepclf.prediction.copied import Copied, Layout, layout
from hepclf.prediction.formats import opened
from hepclf.prediction.friend import Friend
from hepclf.prediction.output import Output, aside, writing
from hepclf.prediction.plan import Predicted, Task, subject
from hepclf.prediction.prediction import Prediction
from hepclf.prediction.reading import Block, blocks, looked, named
from hepclf.prediction.text import Text
from hepclf.run import Run


class Job(NamedTuple):
    """All that the scoring of a file depends on, in a form that goes to other processes; what the scores are called."""

    run: Run
    recipes: tuple[type[Any], ...]
    asked: Asked
    prediction: Prediction
    scores: tuple[str, ...]

    def tagger(self) -> Tagger:
        """The run's tagger, on the device."""
        found = load_tagger(self.run.tagger, self.recipes)
        move: Callable[[str], Tagger] | None = getattr(found, "to", None)
        if move is None and self.prediction.device not in ("auto", "cpu"):
            raise ValueError(
                f"this tagger scores on the cpu alone, however device={self.prediction.device}; use device=auto"
            )
        return found if move is None else move(self.prediction.device)


def branches(branch: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """What the scores are called: as told for two classes, with the name of each for more."""
    if len(classes) == 2:
        return (branch,)
    plain = [re.sub(r"\W", "_", name, flags=re.ASCII) for name in classes]
    ends = plain if len(set(plain)) == len(plain) else [str(place) for place in range(len(classes))]
    return tuple(f"{branch}_{end}" for end in ends)


def look(job: Job, task: Task) -> int:
    """The number of entries of a file, all names in it checked."""
    with (
        ThreadPoolExecutor(1) as pool,
        ThreadPoolExecutor(1) as readers,  # of its own, as who reads waits for who decompresses
        closing(opened(task.source, task.tree, job.asked, job.prediction.chunk, pool)) as file,
    ):
        found = looked(file, job.asked, job.prediction.chunk, readers)
        _layout(job, task, file)
        return found.size


def score(job: Job, task: Task, tagger: Tagger, threads: int, tell: Callable[[int], None]) -> Predicted:
    """Score a file; a file that cannot be read is left out where the job says so. `tell` hears of entries done."""
    try:
        with (
            ThreadPoolExecutor(threads) as pool,
            ThreadPoolExecutor(AHEAD) as readers,
            closing(opened(task.source, task.tree, job.asked, job.prediction.chunk, pool)) as file,
        ):
            part = looked(file, job.asked, job.prediction.chunk, readers)
            shape = _layout(job, task, file)
            with (
                writing(task.output),
                aside(task.output) as place,
                closing(_output(job, task, part, place, shape)) as output,
                closing(blocks(part, job.asked, shape.names, readers)) as stream,
            ):
                selected = 0
                for block in stream:
                    output.extend({**block.carried, **_scores(job, tagger, part, block)})
                    selected += len(block.features)
                    tell(block.entries)
                output.finish(notes(job, task, part.size, selected))
                output.close()
        return Predicted(task.source.name, task.output, "written", part.size, selected, kind=task.kind)
    except FileError as error:
        if job.prediction.on_bad_file == "error":
            raise
        return Predicted(task.source.name, task.output, "bad", reason=str(error), kind=task.kind)


def _scores(job: Job, tagger: Tagger, part: Part, block: Block) -> dict[str, NDArray[np.float64]]:
    """The scores of each entry of a block, and the declared value where it was not selected."""
    found = np.full((len(job.scores), block.entries), job.prediction.fill)
    if len(block.features):
        with named(part.file):
            scores = tagger.scores(Events(features=block.features, names=tagger.inputs))
        found[:, slice(None) if block.kept is None else block.kept] = np.atleast_2d(scores.T)
    return dict(zip(job.scores, found, strict=True))


def _layout(job: Job, task: Task, file: File) -> Layout:
    """The branches to copy, where a copy is asked for."""
    if task.kind != "copy":
        return Layout((), ())
    tree = getattr(file, "tree", None)
    with named(file):
        if tree is None:
            raise ValueError(
                "output=copy copies a tree of a ROOT file, which this is not; choose another output, with columns=[...]"
            )
        shape = layout(task.source.path, tree, job.prediction.drop)
        for name in (*job.scores, *job.asked.carried):
            if name in shape.written:
                raise ValueError(f"branch {name!r} is there already; choose another name, as in branch=mva")
    return shape


def _output(job: Job, task: Task, part: Part, place: Path, shape: Layout) -> Output:
    match task.kind:
        case "friend":
            return Friend(place, job.prediction.friend, len(part.cuts))
        case "copy":
            return Copied(place, str(getattr(part.file, "tree", None)), len(part.cuts), shape)
        case "parquet":
            return Parquet(place)
        case "npz":
            return Npz(place)
        case "csv":
            return Text(place, task.output)


def notes(job: Job, task: Task, entries: int, selected: int) -> str:
    """What stands beside the scores: by which they are known again, and how they are to be read."""
    return json.dumps(
        {
            "hepclf": version("hepclf"),
            "key": task.key,
            "input": subject(task),
            "run": str(job.run.folder.resolve()),
            "scores": job.scores,
            "selection": job.asked.selection,
            "fill": repr(job.prediction.fill),
            "entries": entries,
            "selected": selected,
        }
    )

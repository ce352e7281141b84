"""Scoring: from the entries of one file to an output with as many entries."""

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

from hepclf.data.parts import AHEAD, File, FileError, Part, reading
from hepclf.events import Events
from hepclf.files import atomic
from hepclf.models.loading import load_tagger
from hepclf.models.members import averaging
from hepclf.models.model import Tagger
from hepclf.prediction.arrays import NpzOutput, ParquetOutput
from hepclf.prediction.copied import BranchLayout, CopiedTree, branch_layout
from hepclf.prediction.formats import open_file
from hepclf.prediction.friend import FriendTree
from hepclf.prediction.output import Output, writing
from hepclf.prediction.plan import Predicted, Task, subject
from hepclf.prediction.prediction import Prediction
from hepclf.prediction.query import Query
from hepclf.prediction.reading import EntryBlock, checked_part, entry_blocks, locating_errors
from hepclf.prediction.text import CsvOutput
from hepclf.run import Run


class ScoringJob(NamedTuple):
    """Everything that the scoring of a file depends on, ready to be sent to other processes.

    scores  the names of the scores in the output
    """

    run: Run
    recipes: tuple[type[Any], ...]
    query: Query
    prediction: Prediction
    scores: tuple[str, ...]

    def tagger(self) -> Tagger:
        """The run's tagger, on the device, with the rule of the prediction for its members."""
        tagger = load_tagger(self.run.tagger, self.recipes).to(self.prediction.device)
        return averaging(tagger) if self.prediction.rule == "mean" else tagger


def score_names(branch: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the scores: `branch` for two classes, with a suffix for each class if there are more."""
    if len(classes) == 2:
        return (branch,)
    suffixes = [re.sub(r"\W", "_", name, flags=re.ASCII) for name in classes]
    if len(set(suffixes)) < len(suffixes):
        suffixes = [str(index) for index in range(len(classes))]
    return tuple(f"{branch}_{suffix}" for suffix in suffixes)


def entry_count(job: ScoringJob, task: Task) -> int:
    """The number of entries of a file, after all names in it were checked."""
    with (
        ThreadPoolExecutor(1) as pool,
        ThreadPoolExecutor(1) as readers,  # a second pool, as readers wait for the threads that decompress
        closing(open_file(task.source, task.tree, job.query, job.prediction.chunk, pool)) as file,
    ):
        part = checked_part(file, job.query, job.prediction.chunk, readers)
        _layout(job, task, file)
        return part.size


def score_file(job: ScoringJob, task: Task, tagger: Tagger, threads: int, tell: Callable[[int], None]) -> Predicted:
    """Score a file; an unreadable file is left out if the job says so. `tell` is called with the entries scored."""
    try:
        with (
            ThreadPoolExecutor(threads) as pool,
            ThreadPoolExecutor(AHEAD) as readers,
            closing(open_file(task.source, task.tree, job.query, job.prediction.chunk, pool)) as file,
        ):
            part = checked_part(file, job.query, job.prediction.chunk, readers)
            layout = _layout(job, task, file)
            with (
                writing(task.output),
                atomic(task.output) as path,
                closing(_output(job, task, part, path, layout)) as output,
                closing(entry_blocks(part, job.query, layout.names, readers)) as blocks,
            ):
                selected = 0
                for block in blocks:
                    output.extend({**block.carried, **_scores(job, tagger, part, block)})
                    selected += len(block.features)
                    tell(block.entries)
                output.finish(output_notes(job, task, part.size, selected))
                output.close()
        return Predicted(task.source.name, task.output, "written", part.size, selected, kind=task.kind)
    except FileError as error:
        if job.prediction.on_bad_file == "error":
            raise
        return Predicted(task.source.name, task.output, "bad", reason=str(error), kind=task.kind)


def _scores(job: ScoringJob, tagger: Tagger, part: Part, block: EntryBlock) -> dict[str, NDArray[np.float64]]:
    """The scores of each entry of a block; entries that were not selected have the fill value."""
    columns = np.full((len(job.scores), block.entries), job.prediction.fill)
    if len(block.features):
        with locating_errors(part.file):
            scores = tagger.scores(Events(features=block.features, names=tagger.inputs, spectators=block.keys))
        selected = slice(None) if block.selected is None else block.selected
        columns[:, selected] = np.atleast_2d(scores.T)
    return dict(zip(job.scores, columns, strict=True))


def _layout(job: ScoringJob, task: Task, file: File) -> BranchLayout:
    """The branches to copy; none unless the output is a copy."""
    if task.kind != "copy":
        return BranchLayout((), ())
    tree = getattr(file, "tree", None)
    with locating_errors(file):
        if tree is None:
            raise ValueError(
                "output=copy copies a tree of a ROOT file, which this is not; choose another output, with columns=[...]"
            )
        with reading(file):
            layout = branch_layout(task.source.path, tree, job.prediction.drop)
        for name in (*job.scores, *job.query.carried):
            if name in layout.written:
                raise ValueError(f"branch {name!r} is there already; choose another name, as in branch=mva")
    return layout


def _output(job: ScoringJob, task: Task, part: Part, path: Path, layout: BranchLayout) -> Output:
    match task.kind:
        case "friend":
            return FriendTree(path, job.prediction.friend, len(part.cuts))
        case "copy":
            return CopiedTree(path, str(getattr(part.file, "tree", None)), len(part.cuts), layout)
        case "parquet":
            return ParquetOutput(path)
        case "npz":
            return NpzOutput(path)
        case "csv":
            return CsvOutput(path, task.output)


def output_notes(job: ScoringJob, task: Task, entries: int, selected: int) -> str:
    """The notes (JSON) that are stored with the scores: how to recognise the output later, and how to read it."""
    return json.dumps(
        {
            "hepclf": version("hepclf"),
            "key": task.key,
            "input": subject(task),
            "run": str(job.run.folder.resolve()),
            "scores": job.scores,
            "selection": job.query.selection,
            "fill": repr(job.prediction.fill),
            "entries": entries,
            "selected": selected,
        }
    )

"""Predict: new files scored with a trained tagger, one output for each input."""

from __future__ import annotations

import logging
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hepclf.data.cache import content_hash
from hepclf.data.identity import identity
from hepclf.data.loader import Tell, silent
from hepclf.data.parts import AHEAD, FileError, ahead
from hepclf.data.samples import Source, find_sources, missing_file
from hepclf.files import beside, remove_abandoned
from hepclf.models.loading import load_tagger
from hepclf.models.members import MembersTagger, has_random_folds, key_columns
from hepclf.models.model import Tagger
from hepclf.models.tagger import read_head
from hepclf.models.threads import scoring_threads
from hepclf.prediction.formats import output_kind, tree_name
from hepclf.prediction.friend import NOTES
from hepclf.prediction.output import writing
from hepclf.prediction.plan import (
    OUTPUT_FORMATS,
    Kind,
    Predicted,
    Task,
    earlier_output,
    output_paths,
    shard_slice,
)
from hepclf.prediction.prediction import Prediction
from hepclf.prediction.query import TableFormat, tagger_query
from hepclf.prediction.repeats import no_repeated_warnings
from hepclf.prediction.scoring import ScoringJob, entry_count, score_file, score_names
from hepclf.prediction.workers import score_in_parallel
from hepclf.recipe import read_stored
from hepclf.run import Run

log = logging.getLogger(__name__)

FOLDER = "predictions"
FORMAT = 1  # of the outputs; raised when what is written, or how it is computed, changes


def predict(
    run: Run | Path | str, prediction: Prediction, *, recipes: tuple[type[Any], ...] = (), tell: Tell = silent
) -> tuple[Predicted, ...]:
    """Score files with the tagger of a run. Returns the outcome for each file, in their order.

    An output that exists and would be the same is left as it is, so that an interrupted call resumes. `recipes` are
    classes of your own that the tagger may be made of; `tell` is called with the numbers of entries scored and in all.
    """
    if not isinstance(run, Run):
        run = Run.open(run)
    run.require(run.tagger)
    job, content = _job(run, prediction, recipes)
    sources = find_sources(prediction.files)
    kinds = [output_kind(source, job.query, prediction.output) for source in sources]
    _check_names(job, kinds)
    outputs = output_paths(sources, _folder(run, prediction), [OUTPUT_FORMATS[kind].suffix for kind in kinds])
    shard = shard_slice(prediction.shard)
    files = list(zip(sources[shard], outputs[shard], kinds[shard], strict=True))
    outcomes: dict[Path, Predicted] = {}
    pending: list[Task] = []
    entries = 0
    with ThreadPoolExecutor(AHEAD) as readers:
        for task, state in ahead((partial(_task, job, content, *file) for file in files), readers):
            if isinstance(state, Predicted):
                outcomes[task.output] = state
            else:
                pending.append(task)
                entries += state
    for task in pending:
        _prepare(task.output)
    with (
        no_repeated_warnings("hepclf.models"),
        scoring_threads() as threads,
        closing(_score_files(job, pending, threads, entries, tell)) as stream,
    ):
        outcomes |= {outcome.output: outcome for outcome in stream}
    return tuple(outcomes[path] for _, path, _ in files)


def _job(run: Run, prediction: Prediction, recipes: tuple[type[Any], ...]) -> tuple[ScoringJob, list[Any]]:
    """The job for files of this run, and everything but its input that the contents of an output depend on."""
    head = read_head(run.tagger)
    scores = score_names(prediction.branch, tuple(head["classes"]))
    data, inputs = read_stored(run.config)["data"], tuple(head["inputs"])
    table = TableFormat(prediction.delimiter, prediction.header, prediction.names)
    tagger = load_tagger(run.tagger, recipes).to(prediction.device)  # an error here comes before any file is opened
    _check_rule(tagger, prediction)
    keys = () if prediction.rule == "mean" else key_columns(tagger)
    query = tagger_query(data, inputs, keys, prediction.selection, prediction.carried, table)
    job = ScoringJob(run, recipes, query, prediction, scores)
    settings = [prediction.friend, prediction.drop, repr(prediction.fill), prediction.rule]
    return job, [FORMAT, head, asdict(query), scores, *settings]


def _check_rule(tagger: Tagger, prediction: Prediction) -> None:
    """Refuse a mean of the members of a tagger without any; warn where seen events cannot be told from new ones."""
    if prediction.rule == "mean" and not isinstance(tagger, MembersTagger):
        raise ValueError("rule=mean is for a tagger with members, as folds train it; leave rule out")
    if prediction.rule == "fold" and has_random_folds(tagger):
        log.warning(
            "the folds of this tagger were drawn at random, so it cannot tell events that its members have seen: every "
            "score is the mean of the members, and too good for the events of the training; folds.by=COLUMN can tell"
        )


def _check_names(job: ScoringJob, kinds: list[Kind]) -> None:
    """Refuse a carried column with the name of a score, or of the notes of an archive."""
    reserved = set(job.scores)
    if "npz" in kinds:
        reserved.add(NOTES)
    if duplicates := sorted(reserved & job.prediction.carried.keys()):
        raise ValueError(
            f"columns.{duplicates[0]} would be there twice; give it another name, as in columns={{mine: ...}}"
        )


def _folder(run: Run, prediction: Prediction) -> Path:
    if prediction.out is None:
        return run.folder / FOLDER
    return Path(prediction.out).expanduser()


def _task(
    job: ScoringJob, content: list[Any], source: Source, output: Path, kind: Kind
) -> tuple[Task, Predicted | int]:
    """A task with its outcome if an earlier call did it, or else with its number of entries."""
    tree = tree_name(source, job.query, job.prediction.tree)
    try:
        task = Task(source, tree, output, kind, content_hash([content, kind, tree, _identity(source)]))
        return task, earlier_output(task, overwrite=job.prediction.overwrite) or entry_count(job, task)
    except FileError as error:
        if job.prediction.on_bad_file == "error":
            raise
        outcome = Predicted(source.name, output, "bad", reason=str(error), kind=kind)
        return Task(source, tree, output, kind, ""), outcome


def _identity(source: Source) -> dict[str, Any]:
    try:
        return identity(source.name)
    except FileNotFoundError:
        raise FileError(str(missing_file(source.path))) from None
    except OSError as error:
        if not error.strerror:
            raise FileError(str(error)) from error
        raise FileError(f"{source.name} cannot be read: {error.strerror}") from error


def _prepare(output: Path) -> None:
    """Make the folder of an output, and remove what dead jobs left in it."""
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(beside(output))


def _score_files(
    job: ScoringJob, tasks: list[Task], threads: int, entries: int, tell: Tell
) -> Generator[Predicted, None, None]:
    """The outcome of each task, in this process or in several, which share the threads."""
    workers = min(job.prediction.workers, len(tasks))
    if workers > 1:
        yield from score_in_parallel(job, tasks, workers, max(1, threads // workers), tell, entries)
        return
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        tell(done, entries)

    tagger = job.tagger()
    for task in tasks:
        yield score_file(job, task, tagger, threads, add)

"""Predict: new files scored with a trained tagger, an output an input."""

from __future__ import annotations

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
from hepclf.files import read_yaml
from hepclf.models.tagger import read_head
from hepclf.prediction.asked import Table, asked
from hepclf.prediction.formats import output, tree
from hepclf.prediction.friend import NOTES
from hepclf.prediction.output import sweep, writing
from hepclf.prediction.plan import FORMS, Kind, Predicted, Task, part, places, there
from hepclf.prediction.prediction import Prediction
from hepclf.prediction.said import said_once
from hepclf.prediction.scoring import Job, branches, look, score
from hepclf.prediction.workers import cores, scored
from hepclf.run import Run

FOLDER = "predictions"
FORMAT = 1  # of the outputs; raised when what is written, or how it is computed, changes


def predict(
    run: Run | Path | str, prediction: Prediction, *, recipes: tuple[type[Any], ...] = (), tell: Tell = silent
) -> tuple[Predicted, ...]:
    """Score files with the tagger of a run; what became of each, in their order.

    An output that is there and would be the same is left as it is, so that a call that was interrupted resumes.
    `recipes` are classes of your own that the tagger may be made of; `tell` hears how many of how many entries are
    scored.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    job, content = _job(run, prediction, recipes)
    sources = find_sources(prediction.files)
    kinds = [output(source, job.asked, prediction.output) for source in sources]
    _check_names(job, kinds)
    outputs = places(sources, _folder(run, prediction), [FORMS[kind].suffix for kind in kinds])
    mine = part(prediction.shard)
    chosen = list(zip(sources[mine], outputs[mine], kinds[mine], strict=True))
    found: dict[Path, Predicted] = {}
    pending: list[Task] = []
    entries = 0
    with ThreadPoolExecutor(AHEAD) as readers:
        for task, state in ahead((partial(_looked, job, content, *each) for each in chosen), readers):
            if isinstance(state, Predicted):
                found[task.output] = state
            else:
                pending.append(task)
                entries += state
    for task in pending:
        _prepare(task.output)
    with said_once("hepclf.models"), closing(_scored(job, pending, entries, tell)) as stream:
        found |= {predicted.output: predicted for predicted in stream}
    return tuple(found[place] for _, place, _ in chosen)


def _job(run: Run, prediction: Prediction, recipes: tuple[type[Any], ...]) -> tuple[Job, list[Any]]:
    """How files of this run are scored, and all that the contents of an output depend on but its input."""
    head = read_head(run.tagger)
    scores = branches(prediction.branch, tuple(head["classes"]))
    data, inputs = read_yaml(run.config).get("data"), tuple(head["inputs"])
    table = Table(prediction.delimiter, prediction.header, prediction.names)
    question = asked(data, inputs, prediction.selection, prediction.carried, table)
    job = Job(run, recipes, question, prediction, scores)
    job.tagger()  # what is wrong with it is said before any file is opened
    written = [prediction.friend, prediction.drop, repr(prediction.fill)]
    return job, [FORMAT, head, asdict(question), scores, *written]


def _check_names(job: Job, kinds: list[Kind]) -> None:
    """That nothing that is carried along is called as a score, or as the notes of an archive."""
    taken = {*job.scores, NOTES} if "npz" in kinds else {*job.scores}
    if twice := sorted(taken & job.prediction.carried.keys()):
        raise ValueError(f"columns.{twice[0]} would be there twice; give it another name, as in columns={{mine: ...}}")


def _folder(run: Run, prediction: Prediction) -> Path:
    return run.folder / FOLDER if prediction.out is None else Path(prediction.out).expanduser()


def _looked(job: Job, content: list[Any], source: Source, place: Path, kind: Kind) -> tuple[Task, Predicted | int]:
    """A task, and what came of it before or, where it is to be done, how many entries it has."""
    chosen = tree(source, job.asked, job.prediction.tree)
    try:
        task = Task(source, chosen, place, kind, content_hash([content, kind, chosen, _identity(source)]))
        return task, there(task, overwrite=job.prediction.overwrite) or look(job, task)
    except FileError as error:
        if job.prediction.on_bad_file == "error":
            raise
        return Task(source, chosen, place, kind, ""), Predicted(source.name, place, "bad", reason=str(error), kind=kind)


def _identity(source: Source) -> dict[str, Any]:
    try:
        return identity(source.name)
    except FileNotFoundError:
        raise FileError(str(missing_file(source.path))) from None
    except OSError as error:
        said = f"{source.name} cannot be read: {error.strerror}" if error.strerror else str(error)
        raise FileError(said) from error


def _prepare(output: Path) -> None:
    """A folder for an output, without what dead jobs left in it."""
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        sweep(output)


def _scored(job: Job, tasks: list[Task], entries: int, tell: Tell) -> Generator[Predicted, None, None]:
    """What became of each task, in this process or in several."""
    workers = min(job.prediction.workers, len(tasks))
    if workers > 1:
        yield from scored(job, tasks, workers, max(1, cores() // workers), tell, entries)
        return
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        tell(done, entries)

    tagger = job.tagger()
    for task in tasks:
        yield score(job, task, tagger, cores(), read)

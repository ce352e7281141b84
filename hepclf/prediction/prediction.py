"""Prediction: new files scored with a trained tagger, an output an input."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from hepclf.data.cache import key
from hepclf.data.expressions import parse
from hepclf.data.identity import identity
from hepclf.data.loader import Tell, silent
from hepclf.data.parts import AHEAD, FileError, ahead
from hepclf.data.samples import Source, find, missing
from hepclf.models.tagger import read_head
from hepclf.prediction.asked import AS_TRAINED, asked
from hepclf.prediction.formats import tree
from hepclf.prediction.friend import NOTES
from hepclf.prediction.output import sweep, writing
from hepclf.prediction.plan import FORMS, Kind, Predicted, Task, part, places, there
from hepclf.prediction.said import said_once
from hepclf.prediction.scoring import Job, branches, look, score
from hepclf.prediction.workers import cores, scored
from hepclf.recipe import recipe
from hepclf.run import Run, read_yaml

FOLDER = "predictions"
FORMAT = 1  # of the outputs; raised when what is written, or how it is computed, changes


@recipe
class Prediction:
    """Which files are scored, what is written for each, and where.

    files      paths, patterns (~ for home), file.root:tree, and .txt files that list such names
    tree       of files whose names say none; by default that of the run, or the only one
    output     friend: a ROOT file with a tree of as many entries; copy: all branches of the tree, and the scores;
               parquet, npz: the scores as columns
    out        folder; files lie in it as deep as below the folder that all inputs have in common
    selection  by default the one common to all samples of the run; null: every entry is scored
    fill       the score of entries that are not selected
    columns    carried along for all entries: expressions, or name -> expression
    branch     what the score is called; with more than two classes, branch_<class> each
    friend     what the friend tree is called
    drop       patterns of branches that a copy leaves out
    chunk      entries that are read at a time; never less than the file stores together
    workers    processes, each of which scores one file after another
    shard      i/N: every N-th file from the i-th, for the i-th of N jobs
    overwrite  score again what is there already
    on_bad_file  skip: a file that cannot be read is left out, and reported
    """

    files: str | tuple[str, ...]
    tree: str | None = None
    output: Kind = "friend"
    out: str | None = None
    selection: str | None = AS_TRAINED
    fill: float = -1.0
    columns: tuple[str, ...] | Mapping[str, str] = ()
    branch: str = "score"
    friend: str = "scores"
    drop: tuple[str, ...] = ()
    chunk: int = 100_000
    device: str = "auto"
    workers: int = 1
    shard: str | None = None
    overwrite: bool = False
    on_bad_file: Literal["error", "skip"] = "error"

    def __post_init__(self) -> None:
        part(self.shard)
        for name in ("chunk", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, however {name}={getattr(self, name)}")
        for name, text in self.carried.items():
            _check_name(name, "columns", f"give it one, as in columns={{mine: {text}}}")
            parse(text)
        _check_name(self.branch, "branch", "choose another, as in branch=mva")
        _check_name(self.friend, "friend", "choose another, as in friend=scores")

    @property
    def carried(self) -> dict[str, str]:
        """The name and expression of each column that is carried along."""
        return dict(self.columns) if isinstance(self.columns, Mapping) else {text: text for text in self.columns}


def _check_name(name: str, setting: str, way: str) -> None:
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"{setting} must name branches with letters, digits and _, however {name!r} is none; {way}")


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
    sources = find(prediction.files)
    outputs = places(sources, _folder(run, prediction), FORMS[job.output].suffix)
    mine = part(prediction.shard)
    chosen = list(zip(sources[mine], outputs[mine], strict=True))
    found: dict[Path, Predicted] = {}
    pending: list[Task] = []
    entries = 0
    with ThreadPoolExecutor(AHEAD) as readers:
        for task, state in ahead((partial(_looked, job, prediction, content, *each) for each in chosen), readers):
            if isinstance(state, Predicted):
                found[task.output] = state
            else:
                pending.append(task)
                entries += state
    for task in pending:
        _prepare(task.output)
    with said_once("hepclf.models"), closing(_scored(job, prediction, pending, entries, tell)) as stream:
        found |= {predicted.output: predicted for predicted in stream}
    return tuple(found[output] for _, output in chosen)


def _job(run: Run, prediction: Prediction, recipes: tuple[type[Any], ...]) -> tuple[Job, list[Any]]:
    """How files of this run are scored, and all that the contents of an output depend on but its input."""
    head = read_head(run.tagger)
    inputs, classes = tuple(head["inputs"]), tuple(head["classes"])
    question = asked(read_yaml(run.config).get("data"), inputs, prediction.selection, prediction.carried)
    scores = branches(prediction.branch, classes)
    taken = {*scores, NOTES} if prediction.output == "npz" else {*scores}
    if twice := sorted(taken & prediction.carried.keys()):
        raise ValueError(f"columns.{twice[0]} would be there twice; give it another name, as in columns={{mine: ...}}")
    job = Job(
        run=run,
        recipes=recipes,
        asked=question,
        output=prediction.output,
        scores=scores,
        friend=prediction.friend,
        drop=prediction.drop,
        fill=prediction.fill,
        chunk=prediction.chunk,
        device=prediction.device,
        skip=prediction.on_bad_file == "skip",
    )
    job.tagger()  # what is wrong with it is said before any file is opened
    depends = [getattr(job, name) for name in ("output", "scores", "friend", "drop")]
    return job, [FORMAT, head, asdict(question), *depends, repr(job.fill)]


def _folder(run: Run, prediction: Prediction) -> Path:
    return run.folder / FOLDER if prediction.out is None else Path(prediction.out).expanduser()


def _looked(
    job: Job, prediction: Prediction, content: list[Any], source: Source, output: Path
) -> tuple[Task, Predicted | int]:
    """A task, and what came of it before or, where it is to be done, how many entries it has."""
    chosen = tree(source, job.asked, prediction.tree)
    try:
        task = Task(source, chosen, output, key([content, chosen, _identity(source)]))
        return task, there(task, job.output, overwrite=prediction.overwrite) or look(job, task)
    except FileError as error:
        if not job.skip:
            raise
        return Task(source, chosen, output, ""), Predicted(source.name, output, "bad", reason=str(error))


def _identity(source: Source) -> dict[str, Any]:
    try:
        return identity(source.name)
    except FileNotFoundError:
        raise FileError(str(missing(source.path))) from None
    except OSError as error:
        said = f"{source.name} cannot be read: {error.strerror}" if error.strerror else str(error)
        raise FileError(said) from error


def _prepare(output: Path) -> None:
    """A folder for an output, without what dead jobs left in it."""
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        sweep(output)


def _scored(
    job: Job, prediction: Prediction, tasks: list[Task], entries: int, tell: Tell
) -> Generator[Predicted, None, None]:
    """What became of each task, in this process or in several."""
    workers = min(prediction.workers, len(tasks))
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

"""`hepclf status FOLDER|ID`: the state of runs and of submitted jobs."""

from __future__ import annotations

import logging
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hepclf.cli.recipes import recipe_class
from hepclf.cli.terminal import results_console, section, short_path, show_warning_logs
from hepclf.recipe import RecipeError, build
from hepclf.submission.outcome import AGAIN, Outcome, is_open, outcomes, run_outcome, runs, submissions, task_run
from hepclf.submission.progress import advance

if TYPE_CHECKING:
    from hepclf.submission.batch import Batch
    from hepclf.submission.submission import Submission

MOST_LISTED = 30  # rows; of more, running and failed ones come first
ORDER = ("failed", "lost", "stopped", "running", "waiting", "finished", "unknown")

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str]) -> int:
    """Print the state of each run and task below a folder, and how many there are of each."""
    show_warning_logs()
    target, root = _read(arguments)
    results, jobs = look(target, root)
    if not results:
        raise ValueError(f"there is no run and no job in {target}; give the folder of a run, a sweep, or runs")
    console = results_console()
    rows = sorted(results, key=lambda outcome: ORDER.index(outcome.state))
    section(console, "runs", ("", "state", "epochs", "best loss", "s/epoch", "left"), map(_row, rows[:MOST_LISTED]))
    if len(rows) > MOST_LISTED:
        console.print(f"... {len(rows) - MOST_LISTED} more")
    for outcome in rows[:MOST_LISTED]:
        if outcome.reason and outcome.state in (*AGAIN, "waiting"):
            console.print(f"{outcome.name}: {outcome.reason}", soft_wrap=True, markup=False)
    counts: Counter[str] = Counter(outcome.state for outcome in rows)
    console.print(", ".join(f"{counts[state]} {state}" for state in ORDER if counts[state]))
    for submission in jobs:
        ids = " ".join(submission.ids)
        console.print(f"job    {ids}  {short_path(submission.folder)}", soft_wrap=True, markup=False)
    if jobs and any(counts[state] for state in AGAIN):
        folder = target
        if not Path(target).is_dir():
            folder = short_path(jobs[-1].target)
        console.print(f"again  hepclf submit again={shlex.quote(str(folder))}", soft_wrap=True, markup=False)
    return 0


def _read(arguments: list[str]) -> tuple[str, Path]:
    """The folder or id, and the folder of all runs, below which an id is searched."""
    names = [word for word in arguments if "=" not in word and not word.startswith("-")]
    settings = dict(word.split("=", 1) for word in arguments if "=" in word)
    if len(names) > 1 or set(settings) - {"runs"} or len(names) + len(settings) < len(arguments):
        raise RecipeError("status takes a folder or the id of a job, and runs=DIR where ids are looked for")
    root = settings.get("runs", "runs")
    return names[0] if names else root, Path(root)


def look(target: str, root: Path) -> tuple[list[Outcome], list[Submission]]:
    """All outcomes below a folder, or those of a job by its id."""
    if Path(target).is_dir():
        jobs = submissions(Path(target))
        return list(_outcomes(Path(target), jobs)), jobs
    jobs = [job for job in submissions(root) if target.partition("_")[0] in job.ids]
    if not jobs:
        raise FileNotFoundError(
            f"{target} is neither a folder nor the id of a job below {root}; say runs=DIR where its runs are elsewhere"
        )
    pairs = zip(jobs, queues(jobs), strict=True)
    return [outcome for job, queued in pairs for outcome in outcomes(job, queued)], jobs


def _outcomes(folder: Path, jobs: list[Submission]) -> Iterator[Outcome]:
    """The outcome of each task of the newest submission that contains it, and of each run that was not submitted."""
    tasks: dict[tuple[tuple[str, ...], int], Outcome] = {}
    for job, queued in zip(jobs, queues(jobs), strict=True):
        copies: Counter[tuple[str, ...]] = Counter()  # of one line, which several processes may work on
        for outcome in outcomes(job, queued):
            tasks[outcome.task, copies[outcome.task]] = outcome
            copies[outcome.task] += 1
    yield from (_located(outcome, folder) for outcome in tasks.values())
    submitted = {run.folder.resolve() for words, _ in tasks if (run := task_run(words))}
    for run in runs(folder):
        if run.folder.resolve() not in submitted:
            yield _located(run_outcome(run), folder)


def _located(outcome: Outcome, folder: Path) -> Outcome:
    """An outcome named by the path of its run below a folder; a run in the folder itself keeps its name."""
    if outcome.run is None:
        return outcome
    place = os.path.relpath(outcome.run.folder, folder)
    if place == "." or place.startswith(".."):
        return outcome
    return outcome._replace(name=place)


def queues(jobs: Sequence[Submission]) -> list[set[int]]:
    """The elements of each submission that wait or run; none, with a warning, if the batch system does not answer."""
    answers: list[set[int]] = [set() for _ in jobs]
    groups: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        if is_open(job):
            groups.setdefault(str(job.cluster.get("_target_")), []).append(index)
    for group in groups.values():
        members = [jobs[index] for index in group]
        try:
            elements = batch_of(members[0]).queued(members)
        except OSError as error:
            log.warning("what waits is not known: %s", error)
            continue
        for index, queued in zip(group, elements, strict=True):
            answers[index] = queued
    return answers


def batch_of(job: Submission) -> Batch:
    """The batch system of a stored submission; only hepclf's own ones, as the record may come from a stranger."""
    cls = recipe_class(str(job.cluster.get("_target_")), "cluster", trusted=False)
    batch: Batch = build(cls, job.cluster, "cluster")
    return batch


def _row(outcome: Outcome) -> list[str]:
    if outcome.run is None:
        return [outcome.name, outcome.state, "", "", "", ""]
    told = advance(outcome.run, is_running=outcome.state == "running")
    cells = [str(told.epochs or "")]
    for value, form in ((told.loss, ".4f"), (told.seconds, ".3g")):
        cells.append("" if value is None else format(value, form))
    left = "" if told.left_s is None else f"{told.left_s:,.0f} s"
    return [outcome.name, outcome.state, *cells, left]

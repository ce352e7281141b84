"""The state of submitted tasks: from the folders of their runs, then from logs; the queue tells only what waits."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from hepclf.run import BATCH, Run
from hepclf.submission.submission import RECORD, Submission
from hepclf.words import setting_text

State = Literal["waiting", "running", "finished", "failed", "stopped", "lost", "unknown"]
BEGINS = re.compile(r"hepclf: task (\d+) begins")
ENDED = re.compile(r"hepclf: task (\d+) ended with exit code (\d+)")
STOPPED_CODES, KILLED_CODE = (85, 130), 137  # the shell's code of SIGKILL
AGAIN: tuple[State, ...] = ("failed", "stopped", "lost")  # what is sent again

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """A run or a task: its name, its state, the reason, its run, and the words of its command if it was submitted."""

    name: str
    state: State
    reason: str | None = None
    run: Run | None = None
    task: tuple[str, ...] = ()


class Ending(NamedTuple):
    """The end of a task in a log: its exit code, None if it has not ended, and hepclf's last line."""

    code: int | None
    line: str | None


def task_run(words: Collection[str]) -> Run | None:
    """The run that a task trains, if it is a training with a folder of its own."""
    folders = [setting_text(word.partition("=")[2]) for word in words if word.startswith("folder=")]
    if not folders or "train" not in words:
        return None
    return Run(Path(folders[-1]))


def is_open(submission: Submission) -> bool:
    """Whether a task has not finished, as far as run folders tell; the queue is asked only about such submissions."""
    return any((run := task_run(words)) is None or _finished(run) is None for words in submission.tasks)


def outcomes(submission: Submission, queued: Collection[int]) -> list[Outcome]:
    """The state of each task; `queued` are the elements that wait or run."""
    logs: dict[Path, dict[int, Ending]] = {}
    results = []
    for task, words in enumerate(submission.tasks):
        run, is_queued, outcome = task_run(words), task // submission.pack in queued, None
        if run:
            outcome = _by_folder(run, is_queued=is_queued)
        if outcome is None and not submission.has_sent(task):
            outcome = Outcome(_name(submission, task), "lost", "it was not submitted")
        if outcome is None:
            path = submission.log(task)
            if path not in logs:
                logs[path] = dict(endings(path))
            outcome = _by_log(_name(submission, task), logs[path].get(task), is_queued=is_queued)
        results.append(outcome._replace(task=words))
    return results


def _name(submission: Submission, task: int) -> str:
    """The name of a task: that of its run's folder, or the command with its number."""
    words = submission.tasks[task]
    if submission.is_closing:
        return "table"
    run = task_run(words)
    return run.folder.name if run else f"{words[0]} {task}"


def run_outcome(run: Run, *, is_queued: bool = False) -> Outcome:
    """The state of a run, from its folder."""
    status = run.status()
    if status.name in ("stopped", "lost") and is_queued:
        return Outcome(run.folder.name, "waiting", f"goes on: {status}", run)
    reason = status.reason
    if status.name == "lost":
        reason = str(status)
    elif status.name == "finished":
        reason = None
    return Outcome(run.folder.name, status.name, reason, run)


def _finished(run: Run) -> Outcome | None:
    """The outcome of a finished run; None if it has not finished."""
    outcome = _by_folder(run, is_queued=False)
    return outcome if outcome and outcome.state == "finished" else None


def _by_folder(run: Run, *, is_queued: bool) -> Outcome | None:
    """The outcome from a run's folder; None if the folder has no record yet."""
    if not run.environment.is_file():
        return None
    outcome = run_outcome(run, is_queued=is_queued)
    return None if outcome.state == "unknown" else outcome


def _by_log(name: str, ending: Ending | None, *, is_queued: bool) -> Outcome:
    if ending is None:
        return Outcome(name, "waiting") if is_queued else Outcome(name, "lost", "it never began")
    if ending.code is None:
        return Outcome(name, "running") if is_queued else Outcome(name, "lost", "it was killed")
    if ending.code == 0:
        return Outcome(name, "finished")
    if ending.code in STOPPED_CODES:
        return Outcome(name, "waiting" if is_queued else "stopped", ending.line)
    if ending.code == KILLED_CODE:
        return Outcome(name, "lost", "it was killed")
    return Outcome(name, "failed", ending.line or f"exit code {ending.code}")


def endings(path: Path) -> Iterator[tuple[int, Ending]]:
    """Each task in a log, in order; if a task began again, a dict of them keeps its last ending."""
    line = None
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for row in text.splitlines():
        if match := BEGINS.match(row):
            line = None
            yield int(match[1]), Ending(None, None)
        elif match := ENDED.match(row):
            yield int(match[1]), Ending(int(match[2]), line)
        elif row.startswith("hepclf: "):
            line = row.removeprefix("hepclf: ")


def submissions(folder: Path) -> list[Submission]:
    """The submissions of a folder and of the folders below it, oldest first."""
    stored = [Submission.open(path.parent) for path in _walk(folder, RECORD)]
    return sorted(stored, key=lambda job: job.stamp)


def runs(folder: Path) -> Iterator[Run]:
    """The runs in a folder and in those below it."""
    for path in _walk(folder, "environment.json"):
        yield Run(path.parent)


def _walk(folder: Path, name: str) -> Iterator[Path]:
    """Files of this name; below a run only its batch folder is searched, because the rest belongs to the run."""
    for parent, folders, files in os.walk(folder):
        if "environment.json" in files:
            folders[:] = [inner for inner in folders if inner == BATCH]
        folders.sort()
        if name in files:
            yield Path(parent, name)

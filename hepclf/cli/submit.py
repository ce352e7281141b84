"""`hepclf submit COMMAND ... cluster=NAME`: run any command of hepclf as jobs of a batch system."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hepclf.cli.commands import COMMANDS
from hepclf.cli.config import Composed, launch
from hepclf.cli.recipes import refuse_unknown
from hepclf.cli.status import look
from hepclf.cli.sweep_over import with_flag
from hepclf.cli.tasks import is_single_training, tasks_of
from hepclf.cli.terminal import results_console, short_path, show_warning_logs
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError, describe
from hepclf.submission.outcome import AGAIN
from hepclf.submission.submission import CLOSING, Submission
from hepclf.words import setting_text

if TYPE_CHECKING:
    from hepclf.submission.batch import Batch

NOT_JOBS = ("submit", "status", "completion", "cache")
FOLDER_FLAGS = ("--config-dir", "-cd")


class Requested(NamedTuple):
    """The batch system of the command line, and the jobs to wait for."""

    batch: Batch
    after: tuple[str, ...]


def run(arguments: list[str]) -> int:
    """Write job files, pass them to the batch system, and print the id and where to look."""
    show_warning_logs()
    own, words = split_words(arguments)
    if words and words[0].startswith("again="):
        _send_again(own, words)
        return 0
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise RecipeError("the command to submit must come first; say hepclf submit train ... cluster=slurm")
    command, *others = words
    if command not in COMMANDS or command in NOT_JOBS:
        possible = [name for name in COMMANDS if name not in NOT_JOBS]
        raise RecipeError(f"{command!r} is not a command that can be submitted{nearest(command, possible)}")
    if command == "train":
        others = with_flag(others)
    requested = read_cluster(own)
    batch = requested.batch
    if batch.nodes > 1 and not is_single_training(command, others):
        raise RecipeError(f"cluster.nodes must be 1, not {batch.nodes}; only a training that is no sweep can use more")
    tasks = tasks_of(command, others, batch.tasks, dry=batch.dry)
    submission = Submission.new(tasks.target, tasks.lines, describe(batch), batch.pack(len(tasks.lines)))
    send(submission, requested, tasks.closing)
    return 0


def _send_again(own: Sequence[str], words: Sequence[str]) -> None:
    """Submit only the failed and lost tasks again, with the stored settings of the cluster."""
    if len(words) > 1:
        raise RecipeError(f"{words[1]} cannot be changed in what is sent again; there may be cluster.* beside again")
    folder = setting_text(words[0].partition("=")[2])
    outcomes, jobs = look(folder, Path("runs"))
    jobs = [job for job in jobs if not job.is_closing]
    tasks = {words for job in jobs for words in job.tasks}
    if not jobs:
        raise FileNotFoundError(f"nothing below {folder} was submitted; say hepclf submit COMMAND ...")
    if len({job.directory for job in jobs}) > 1:
        raise ValueError(f"the jobs below {folder} belong to several working directories; name one run or sweep")
    lines = [outcome.task for outcome in outcomes if outcome.task in tasks and outcome.state in AGAIN]
    if not lines:
        results_console().print("nothing failed and nothing was lost, so nothing is sent again")
        return
    requested = read_cluster(own, jobs[-1].cluster)
    target = Path(folder)
    if not target.is_dir():
        target = jobs[-1].target
    submission = Submission.new(target, lines, describe(requested.batch), requested.batch.pack(len(lines)))
    paths = tuple(dict.fromkeys(path for job in jobs for path in job.paths))
    send(replace(submission, directory=jobs[-1].directory, paths=paths), requested, jobs[-1].closing_words)


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words about the cluster, and those of the command; folders of configurations are in both."""
    own: list[str] = []
    others: list[str] = []
    previous = ""
    for word in words:
        key = word.lstrip("+~").partition("=")[0]
        is_cluster = key in ("cluster", "after") or key.startswith("cluster.")
        if is_cluster or word.startswith("--config-dir=") or word in FOLDER_FLAGS or previous in FOLDER_FLAGS:
            own.append(word)
        if not is_cluster:
            others.append(word)
        previous = word
    return own, others


def read_cluster(words: Sequence[str], stored: dict[str, Any] | None = None) -> Requested:
    """The settings of the group `cluster`, checked: stored ones with the changes of the words."""
    answers: list[Requested] = []

    def read(composed: Composed) -> None:
        values = composed.values
        refuse_unknown(values, ("cluster", "after"))
        batch = composed.recipe(composed.changed("cluster", values["cluster"], stored), "cluster", trusted=not stored)
        answers.append(Requested(batch, _ids(values.get("after"))))

    launch("submit", words, read)
    return answers[0]


def _ids(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value if isinstance(value, list) else [value]))


def send(submission: Submission, requested: Requested, closing: Sequence[str]) -> None:
    """Write the files of a submission and submit it, or only print them."""
    batch, console = requested.batch, results_console()
    files = batch.files(submission)
    if batch.dry:
        for name, text in {"tasks.txt": submission.table, **files}.items():
            console.print(f"==> {short_path(submission.folder / name)}\n{text}", soft_wrap=True, markup=False)
        return
    submission.write(files)
    _copy_proxy(submission)
    if batch.check:
        console.print(batch.check_there(submission), soft_wrap=True, markup=False)
    submission = batch.submit(submission, requested.after)
    count = "1 task" if len(submission.tasks) == 1 else f"{len(submission.tasks)} tasks"
    packed = f" in {submission.elements} elements" if submission.pack > 1 else ""
    console.print(f"job    {' '.join(submission.ids)}: {count}{packed}", soft_wrap=True, markup=False)
    if closing:
        last = _send_closing(submission, batch, closing)
        console.print(f"table  {' '.join(last.ids)}, when all have ended", soft_wrap=True, markup=False)
    console.print(f"files  {short_path(submission.folder)}", soft_wrap=True, markup=False)
    target = shlex.quote(str(short_path(submission.target)))
    console.print(f"look   hepclf status {target}", soft_wrap=True, markup=False)


def _send_closing(submission: Submission, batch: Batch, closing: Sequence[str]) -> Submission:
    """Submit the job that writes table and page; it starts when all others have ended, with or without success."""
    folder = submission.folder / CLOSING
    last = replace(submission, folder=folder, tasks=(tuple(closing),), pack=1, chunks=(), paths=())
    last.write(batch.files(last))
    last = batch.submit(last, submission.ids, is_closing=True)
    replace(submission, closing_words=tuple(closing)).record()
    return last


def _copy_proxy(submission: Submission) -> None:
    """Copy the grid proxy to where the jobs see it, readable for its owner only, if they read remote files."""
    proxy = Path(os.environ.get("X509_USER_PROXY", f"/tmp/x509up_u{os.getuid()}"))
    if "root://" in submission.table and proxy.is_file():
        copy = submission.folder / "proxy"
        copy.touch(mode=0o600)
        shutil.copyfile(proxy, copy)

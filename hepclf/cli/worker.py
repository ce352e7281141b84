"""A worker of a sweep or a study, as a separate program; its parent reads from the folder what it has done."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from hepclf.cli.errors import explain
from hepclf.cli.main import own_process
from hepclf.cli.signals import signalled
from hepclf.cli.streams import visible
from hepclf.cli.terminal import show_warning_logs
from hepclf.cli.threads import share_machine
from hepclf.words import setting_word
from hepclf.workflow.stop import Stop


def main(words: Sequence[str]) -> int:
    """Work in a folder until nothing is left, a signal arrives, or the parent ends; returns the exit code."""
    kind, folder, *arguments = words
    share_machine()
    show_warning_logs()
    stop = Stop()
    follow_parent(stop)
    try:
        with signalled(stop):
            TASKS[kind](Path(folder), arguments, stop)
    except BaseException as error:
        line, code = explain(error)
        print(f"hepclf: {visible(line)}", file=sys.stderr)
        return code
    return 0


def _train_jobs(folder: Path, words: Sequence[str], stop: Stop) -> None:
    """Train the open jobs of a sweep; `words` change something in every job."""
    from hepclf.cli.config import composing, hydra_words
    from hepclf.cli.sweep_worker import SweepTask, work
    from hepclf.training.epoch import Quiet
    from hepclf.workflow.sweep import Sweep

    sys.argv = ["hepclf", "train", setting_word("resume", folder)]  # what the record of a run names as its command
    with composing("train", words) as hydra:
        work(SweepTask(Sweep.open(folder), hydra, stop, hydra_words("train", words)[1]), Quiet())


def _make_trials(folder: Path, words: Sequence[str], stop: Stop) -> None:
    """Run trials of a study, as the worker with the given number."""
    from hepclf.cli.trial_jobs import trial_jobs
    from hepclf.search.folder import StudyFolder
    from hepclf.search.worker import work

    sys.argv = ["hepclf", "tune", "worker", str(folder)]
    study = StudyFolder.open(folder)
    os.chdir(study.directory)
    with trial_jobs(study.words) as jobs:
        work(study, jobs.job, number=int(words[0]), stop=stop)


def follow_parent(stop: Stop) -> None:
    """Request a stop when standard input ends: the parent closed it, after writing its reason, or died."""

    def read() -> None:
        reason = b""
        while words := os.read(0, 1024):
            reason += words
        stop.ask(reason.decode(errors="replace") or "its parent process")

    threading.Thread(target=read, daemon=True).start()


TASKS: dict[str, Callable[[Path, Sequence[str], Stop], None]] = {"sweep": _train_jobs, "study": _make_trials}

if __name__ == "__main__":
    sys.exit(own_process(lambda: main(sys.argv[1:])))

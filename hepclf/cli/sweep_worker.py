"""Trains the open jobs of a sweep, in this process; as a program of its own, for a parent that reads the folder."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hepclf.cli.composition import Composition
from hepclf.cli.config import Composed, composed, composing, hydra_words
from hepclf.cli.errors import explain
from hepclf.cli.plan import Plan, plan
from hepclf.cli.signals import signalled
from hepclf.cli.terminal import show_warning_logs
from hepclf.cli.threads import share_machine
from hepclf.run import Stopped
from hepclf.training.epoch import Progress, Quiet
from hepclf.workflow.shared import SharedData
from hepclf.workflow.stop import Stop
from hepclf.workflow.sweep import Sweep, SweepJob
from hepclf.workflow.sweep_row import Row

START_S = 0.5  # in which a process that has just made the folder of a job has locked it


@dataclass(frozen=True)
class SweepTask:
    """What a process works on: a sweep, how its jobs are composed, when to stop, and what is changed in every job."""

    sweep: Sweep
    hydra: Composition
    stop: Stop
    extra: Sequence[str] = ()
    shared: SharedData = field(default_factory=SharedData)

    def composed(self, job: SweepJob) -> Composed:
        """The configuration of a job."""
        return composed(self.hydra.config([*job.words, *self.extra]))


def work(
    task: SweepTask,
    progress: Progress,
    tell: Callable[[Row], None] = lambda _: None,
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Train each open job until none is left that no other process has; `tell` hears what became of each.

    `ended` is called when the training of a job ends, however it does. The jobs of a process that was killed are open
    again, so the list is gone through until nothing is left.
    """
    while [job for job in task.sweep.open_jobs() if _attempt(task, job, progress, tell, ended)]:
        pass


def _attempt(
    task: SweepTask, job: SweepJob, progress: Progress, tell: Callable[[Row], None], ended: Callable[[], None]
) -> bool:
    """Train a job or note why it failed; False where another process has it."""
    if task.stop.reason:
        raise Stopped(f"stopped by {task.stop.reason}", is_interrupt=task.stop.is_interrupt)
    try:
        _train(task, job, progress)
    except Exception as error:
        if isinstance(error, FileExistsError):
            time.sleep(START_S)
        if task.sweep.row(job).status in ("running", "finished"):  # another process was first
            return False
        task.sweep.record_failure(job, explain(error)[0])
    finally:
        ended()
    tell(task.sweep.row(job))
    return True


def _train(task: SweepTask, job: SweepJob, progress: Progress) -> None:
    from hepclf.workflow.train import train

    composed = task.composed(job)
    planned = plan(composed)
    train(
        **planned.recipes | {"evaluation": without_pictures(planned, composed)},
        folder=task.sweep.run(job).folder,
        names=planned.names,
        progress=progress,
        resume=True,
        stop=task.stop,
        shared=task.shared,
    )


def without_pictures(planned: Plan, composed: Composed) -> object:
    """The evaluation of a job, without pictures and page unless evaluation.plots=true is typed."""
    evaluation = planned.recipes["evaluation"]
    if evaluation.plots and "evaluation.plots" in composed.typed:
        return evaluation
    return replace(evaluation, plots=False, report=evaluation.report and "evaluation.report" in composed.typed)


def main(words: Sequence[str]) -> int:
    """Work on the sweep in a folder until nothing is left, a signal comes, or the parent ends; gives the exit code."""
    share_machine()
    show_warning_logs()
    folder, *arguments = words
    stop = Stop()
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    sys.argv = ["hepclf", "train", f"resume={folder}"]  # what the record of a run names as its command
    try:
        with composing("train", arguments) as hydra, signalled(stop):
            work(SweepTask(Sweep.open(folder), hydra, stop, hydra_words("train", arguments)[1]), Quiet())
    except BaseException as error:
        line, code = explain(error)
        print(f"hepclf: {line}", file=sys.stderr)
        return code
    return 0


def _follow_parent(stop: Stop) -> None:
    """Ask for a stop when standard input ends, as it does when the parent dies."""
    while os.read(0, 1024):
        pass
    stop.ask("the end of its parent process")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

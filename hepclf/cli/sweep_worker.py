"""Trains the open jobs of a sweep, in this process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hepclf.cli.composition import Composition
from hepclf.cli.config import Composed, composed
from hepclf.cli.errors import explain
from hepclf.cli.plan import Plan, plan
from hepclf.cli.sweep_tables import job_line
from hepclf.cli.workers import STOPPED_WORKERS, Workers, worker_command
from hepclf.lock import FolderInUseError
from hepclf.run import Stopped
from hepclf.training.epoch import Progress
from hepclf.workflow.shared import SharedData
from hepclf.workflow.stop import Stop
from hepclf.workflow.sweep import Sweep, SweepJob
from hepclf.workflow.sweep_row import Row

ENDED = ("finished", "failed")
START_S = 0.5  # in which a process that has just made the folder of a job has locked it


@dataclass(frozen=True)
class SweepTask:
    """The work of a process: a sweep, how its jobs are composed, when to stop, and the changes to every job."""

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
    """Train each open job until no job is left that no other process has; `tell` receives the outcome of each.

    `ended` is called when the training of a job ends in any way. The jobs of a killed process are open again, so the
    list is read again until nothing is left.
    """
    while [job for job in task.sweep.open_jobs() if _attempt(task, job, progress, tell, ended)]:
        pass


def _attempt(
    task: SweepTask, job: SweepJob, progress: Progress, tell: Callable[[Row], None], ended: Callable[[], None]
) -> bool:
    """Train a job or note why it failed; False if another process has it."""
    if task.stop.reason:
        raise Stopped(f"stopped by {task.stop.reason}", is_interrupt=task.stop.is_interrupt)
    try:
        _train(task, job, progress)
    except FolderInUseError:  # whatever its record says: the winner of a lost lock may not have written one yet
        return False
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
    """The evaluation of a job, without pictures and page unless evaluation.plots=true is typed, or sweep.plots=all."""
    evaluation = planned.recipes["evaluation"]
    draws_all = (composed.values.get("sweep") or {}).get("plots") == "all"
    if evaluation.plots and ("evaluation.plots" in composed.typed or draws_all):
        return evaluation
    return replace(evaluation, plots=False, report=evaluation.report and "evaluation.report" in composed.typed)


def draws(task: SweepTask, rows: Sequence[Row]) -> bool:
    """Whether the evaluation of the jobs, as it is configured, draws pictures."""
    for row in rows:
        if row.is_finished:
            evaluation = plan(task.composed(task.sweep.jobs[row.number])).recipes["evaluation"]
            return bool(evaluation.plots)
    return False


def train_in_processes(sweep: Sweep, count: int, stop: Stop, extra: Sequence[str], tell: Callable[[str], None]) -> None:
    """Train the open jobs, `count` at a time; `tell` receives a line for each that ends."""
    folders = [f"--config-dir={folder}" for folder in sweep.config_dirs]
    command = worker_command("sweep", sweep.folder, *folders, *extra)
    lines = _lines(sweep)

    def look() -> None:
        for line in next(lines):
            tell(line)

    workers = Workers(sweep.folder, min(count, len(list(sweep.open_jobs()))), lambda _: command)
    if workers.work(stop, look) and any(sweep.open_jobs()):
        raise Stopped(STOPPED_WORKERS)


def _lines(sweep: Sweep) -> Iterator[list[str]]:
    """At each step, a line for each job that has ended since the last step."""
    ended = {row.number for row in sweep.rows() if row.is_finished}
    while True:
        names = {path.name for path in sweep.folder.iterdir()}  # a job that has no folder has not begun
        begun = [job for job in sweep.jobs if {sweep.run(job).folder.name, sweep.error_file(job).name} & names]
        rows = [row for job in begun if job.number not in ended and (row := sweep.row(job)).status in ENDED]
        lines = []
        for row in rows:
            ended.add(row.number)
            seconds = "" if row.seconds is None else f"  {row.seconds:.1f} s"
            lines.append(f"{len(ended)}/{len(sweep.jobs)} {job_line(row)}{seconds}")
        yield lines

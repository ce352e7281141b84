"""The end of a study: its table, the best configuration, and one training with it that is evaluated on test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from hepclf.files import write_csv, write_text
from hepclf.heartbeat import beating
from hepclf.lock import FolderInUseError, acquire
from hepclf.run import Run, Stopped
from hepclf.search.attempt import JobOf
from hepclf.search.folder import StudyFolder
from hepclf.search.history import StudyHistory, study_history
from hepclf.search.trial import Trial
from hepclf.search.worker import resume_command
from hepclf.training.epoch import Progress
from hepclf.workflow.job import Job
from hepclf.workflow.resume import refuse_other_settings
from hepclf.workflow.stop import Stop
from hepclf.workflow.train import train


def write_table(history: StudyHistory, path: Path) -> None:
    """Write one row for each trial: its state, its objectives and its values."""
    names = [parameter.name for parameter in history.space.parameters]
    objectives = history.tuning.objectives
    header = ["trial", "state", *objectives, *(f"repeat_{i}" for i in range(history.tuning.repeats)), "seconds", *names]
    write_csv(
        path,
        [*header, "error"],
        [[*_row(trial, history), *_values(trial, names), trial.error] for trial in history.trials],
    )


def _row(trial: Trial, history: StudyHistory) -> list[Any]:
    objectives = trial.objectives or (None,) * len(history.tuning.objectives)
    unmade = (None,) * (history.tuning.repeats - len(trial.repeats))
    repeats = (*(row[0] for row in trial.repeats), *unmade)
    return [trial.number, trial.state, *objectives, *repeats, round(trial.seconds, 3)]


def _values(trial: Trial, names: list[str]) -> list[Any]:
    return [trial.values.get(name) for name in names]


def configuration(job: Job, trial: Trial, history: StudyHistory) -> str:
    """The configuration of a trial as YAML; `hepclf train again=FILE` takes it."""
    achieved = ", ".join(
        f"{name} {value:.6g}" for name, value in zip(history.tuning.objectives, trial.objectives, strict=False)
    )
    result: str = trial.state
    if achieved:
        result = f"{achieved} on validation"
    lines = (
        f"# trial {trial.number} of the search {history.folder}: {result}\n# hepclf train again=FILE trains with it\n"
    )
    return lines + yaml.safe_dump(job.describe(), sort_keys=False, width=100, allow_unicode=True)


@contextmanager
def ending(folder: StudyFolder) -> Iterator[bool]:
    """Whether this process finishes the study within the block; of several workers that end together, one does."""
    try:
        lock = acquire(folder.trials_folder)
    except FolderInUseError:
        yield False
        return
    try:
        with beating(folder.trials_folder, lock.is_ours):
            yield True
    finally:
        lock.release()


def finish(folder: StudyFolder, job_of: JobOf, progress: Progress, stop: Stop) -> StudyHistory:
    """Write study.csv and best.yaml, and train with the best settings in the folder best/; that training can resume.

    With two objectives the user chooses, so the configuration of each trial of the front is written instead. None is
    trained, because their results on test would be seen before the choice.
    """
    history = study_history(folder)
    write_table(history, folder.table)
    if history.best is None:
        _write_front(folder, history, job_of)
        return history
    trial = history.trial(history.best)
    job = job_of(folder.space.settings(trial.values))
    write_text(folder.best, configuration(job, trial, history))
    put_aside(folder.final, job)
    if folder.final.status().name != "finished":
        _train(folder, job, progress, stop)
    return history


def _write_front(folder: StudyFolder, history: StudyHistory, job_of: JobOf) -> None:
    """The configurations of the front; those of trials that are no longer on it are removed."""
    paths = {folder.front_file(number): history.trial(number) for number in history.front}
    for path, trial in paths.items():
        job = job_of(folder.space.settings(trial.values))
        path.parent.mkdir(exist_ok=True)
        write_text(path, configuration(job, trial, history))
    for path in set(folder.front.glob("*.yaml")) - set(paths):
        path.unlink()


def _train(folder: StudyFolder, job: Job, progress: Progress, stop: Stop) -> None:
    try:
        _trained(folder.final, job, progress, stop)
    except Stopped as stopped:
        reason = f"{stopped.reason}, in the training with the best settings"
        raise Stopped(reason, resume_command(folder), is_interrupt=stopped.is_interrupt) from stopped


def _trained(run: Run, job: Job, progress: Progress, stop: Stop) -> None:
    train(
        job.data,
        job.model,
        job.trainer,
        job.evaluation,
        run.folder,
        names=job.names,
        progress=progress,
        resume=True,
        stop=stop,
    )


def put_aside(run: Run, job: Job) -> None:
    """Rename a final training to best_1, best_2... where the study has a better trial now."""
    if not run.config.is_file():
        return
    try:
        refuse_other_settings(run, job)
    except ValueError:
        free = (run.folder.with_name(f"{run.folder.name}_{i}") for i in count(1))
        run.folder.rename(next(path for path in free if not path.exists()))

"""One training of the folds: its job, its folder, and its fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hepclf.models.loading import load_tagger
from hepclf.models.tagger import HEAD
from hepclf.run import Run
from hepclf.training.epoch import Progress
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.fit import Fitted, fit
from hepclf.workflow.history import History, read_history
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.stop import Stop


def member_job(job: Job, number: int) -> Job:
    """The job of one training: the next seed for each, so that their initial weights differ as well."""
    return replace(job, folds=None, trainer=replace(job.trainer, seed=job.trainer.seed + number))


def member_run(folder: Path, number: int) -> Run:
    """The folder of one training while all of them last: its tagger, its history and its checkpoints."""
    return Run(folder / f"member_{number}")


def train_member(
    prepared: Prepared, job: Job, number: int, run: Run | None, progress: Progress, stop: Stop | None = None
) -> Fitted:
    """Train one member of a job in folds; with a run, from its last checkpoint on, and its tagger is saved there."""
    own, sets = member_job(job, number), prepared.member(number)
    if run is None:
        return fit(sets, own, progress=progress, announces=False)
    run.folder.mkdir(parents=True, exist_ok=True)
    checkpoints, history = Checkpoints(run, own, stop or Stop()), History(run.history)
    fitted = fit(sets, own, history, progress, checkpoints, announces=False)
    history.write(durable=True)
    fitted.tagger.save(run.tagger)
    checkpoints.remove()
    return fitted


def stored_member(prepared: Prepared, job: Job, number: int, run: Run) -> Fitted | None:
    """The member that was trained in a folder, if it was."""
    if not (run.tagger / HEAD).is_file() or not run.history.is_file():
        return None
    tagger = load_tagger(run.tagger, (type(job.model),)).to(job.trainer.device)
    weights = job.trainer.weights(prepared.member(number).part("valid"))
    return Fitted(tagger=tagger, history=read_history(run.history), valid_weights=weights)

"""A training from its recipes to its folder: prepare, fit, evaluate, record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hepclf.data.loader import Loader
from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.files.store import write_scores
from hepclf.evaluation.results import Results
from hepclf.events import Events, Origin
from hepclf.files import write_json, write_yaml
from hepclf.models.model import Model, Tagger
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.training.epoch import Epoch, Progress, Quiet, Timed
from hepclf.training.ranks import group
from hepclf.training.threads import thread_limit
from hepclf.training.trainer import Trainer
from hepclf.words import typed_setting
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.evaluated import evaluated, scored_events
from hepclf.workflow.fit import Fitted, fit
from hepclf.workflow.history import History
from hepclf.workflow.job import Job
from hepclf.workflow.members.fit import Recorded, fit_folds
from hepclf.workflow.members.kfold import KFold
from hepclf.workflow.prepare import Prepared, prepare
from hepclf.workflow.record import RATE_TEST, drawing_workers, record
from hepclf.workflow.resume import opened
from hepclf.workflow.shared import SharedData
from hepclf.workflow.stop import Stop, Stoppable
from hepclf.workflow.stored_fit import stored_fit


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The result of a training in memory; `run` is its folder, if it has one, and `origins` the files that were read.

    valid_seconds  time spent on the validation set, if the model measures it
    """

    tagger: Tagger
    results: Results
    scored: Scored
    history: tuple[Epoch, ...]
    run: Run | None
    plots: tuple[Path, ...] = ()
    origins: tuple[Origin, ...] = ()
    valid_seconds: float | None = None


def train(
    data: Loader | Events,
    model: Model,
    trainer: Trainer | None = None,
    evaluation: Evaluation | None = None,
    folder: Path | str | None = None,
    *,
    folds: KFold | None = None,
    names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    check: bool = True,
    resume: bool = False,
    stop: Stop | None = None,
    shared: SharedData | None = None,
) -> Trained:
    """Train a tagger and evaluate it; with a folder, a complete run is written there (docs/outputs.md).

    `data` is a loader, or events, which are then split at random. With `folds` the tagger has a member for each fold,
    which has not seen it, and the results are those of all events (docs/folds.md). `names` are the names of data and
    model in the record, by default those of their classes. check=False skips the checks of events; a loader has its own
    setting `check`. With resume=True an unfinished run in the folder is continued, if it has the same settings. `stop`
    may ask it to store a checkpoint and to leave; both need a folder. `shared` keeps events for several trainings.
    """
    job = Job.of(data, model, trainer, evaluation, folds=folds, names=names, check=check)
    progress = progress or Quiet()
    if folder is None:
        _refuse_checkpoints(resume=resume, stop=stop)
        return _trained(job, progress, shared)
    with group().together():
        run = opened(Path(folder), job, resume=resume)
    with run.recorded() as environment, thread_limit(job.trainer.threads) as threads:
        environment["threads"] = threads
        started, timed = time.perf_counter(), Timed(progress)
        write_yaml(run.config, job.describe(), durable=True)  # again where it is resumed, as some settings may differ
        trained = _recorded(job, run, timed, stop or Stop(), shared, threads)
        timed.close()
        environment["seconds"] = {"total": time.perf_counter() - started, **_seconds(trained), **timed.seconds}
        environment["device"] = trained.tagger.device
        environment["read"] = [origin._asdict() for origin in trained.origins]
    return trained


def _refuse_checkpoints(*, resume: bool, stop: Stop | None) -> None:
    """Without a folder there is none to continue from, or to leave."""
    if resume or stop is not None:
        name = "resume=True" if resume else "stop"
        raise ValueError(f"{name} needs a folder, where checkpoints are stored, not folder=None; say folder=DIR")


def _seconds(trained: Trained) -> dict[str, float]:
    """Times within the training: of all epochs, and of the validation set if the model measures it."""
    seconds = {"epochs": sum(epoch.seconds for epoch in trained.history)}
    if trained.valid_seconds is not None:
        seconds["validation"] = trained.valid_seconds
    return seconds


def _prepared(job: Job, progress: Progress, shared: SharedData | None) -> Prepared:
    if shared is None:
        return prepare(job, progress)
    return shared.prepared(job, progress)


def _trained(job: Job, progress: Progress, shared: SharedData | None) -> Trained:
    """The first three steps: everything that is computed; nothing is written."""
    with thread_limit(job.trainer.threads):
        prepared = _prepared(job, progress, shared)
        fitted = fit(prepared, job, progress=progress) if job.folds is None else fit_folds(prepared, job, progress)
        progress.stage("evaluating")
        outcome = evaluated(fitted, prepared, job)
    return Trained(
        tagger=fitted.tagger,
        results=outcome.results,
        scored=outcome.scored,
        history=fitted.history,
        run=None,
        origins=prepared.events.origins,
        valid_seconds=fitted.valid_seconds,
    )


def _recorded(job: Job, run: Run, progress: Progress, stop: Stop, shared: SharedData | None, threads: int) -> Trained:
    """The same, with each step writing its result: a later step that fails loses nothing of the earlier ones."""
    checkpoints = Checkpoints(run, job, stop)
    progress = Stoppable(progress, checkpoints.leave)
    ranks = group()
    with ranks.together():
        prepared = _prepared(job, progress, shared)
    with ranks.together():
        checkpoints.check(prepared)
        fitted = stored_fit(job, run, prepared)
    ranks.spread_value(fitted is None)  # whether the others are needed
    if fitted is None:
        fitted = _fitted(prepared, job, progress, Recorded(run, checkpoints, stop))
        fitted.tagger.save(run.tagger)
    with drawing_workers(job.evaluation, threads) as workers:
        progress.stage("scoring")
        scored = scored_events(fitted.tagger, prepared)
        progress.stage("storing")
        write_scores(run.scores, scored)
        progress.stage("evaluating")
        outcome = evaluated(fitted, prepared, job, scored)
        plots = record(run, outcome, job.evaluation, again=repeat_command(run), progress=progress, workers=workers)
    checkpoints.remove()
    return Trained(
        tagger=fitted.tagger,
        results=outcome.results,
        scored=scored,
        history=fitted.history,
        run=run,
        plots=plots,
        origins=prepared.events.origins,
        valid_seconds=fitted.valid_seconds,
    )


def _fitted(prepared: Prepared, job: Job, progress: Progress, recorded: Recorded) -> Fitted:
    """The fit, with its epochs in the history of the run."""
    if job.folds is not None:
        return fit_folds(prepared, job, progress, recorded)
    history = History(recorded.run.history)
    fitted = fit(prepared, job, history, progress, recorded.checkpoints)
    history.write(durable=True)
    if fitted.rate_test is not None:
        write_json(recorded.run.folder / RATE_TEST, fitted.rate_test._asdict(), durable=True)
    return fitted


def repeat_command(run: Run) -> str:
    """The command that trains a run again."""
    return f"hepclf train {typed_setting('again', run.folder)}"

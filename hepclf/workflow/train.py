"""The story of a training: load, split, fit, score, evaluate, record."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Loader, load
from hepclf.data.memory import Memory
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.files.store import write_scores
from hepclf.evaluation.results import Results
from hepclf.events import Events, Origin
from hepclf.files import write_csv, write_json, write_yaml
from hepclf.models.calibrated import with_calibration
from hepclf.models.model import Model, Tagger
from hepclf.recipe import describe
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.survey.checked import checked
from hepclf.training.epoch import Epoch, Progress, Quiet, Stopping, Timed
from hepclf.training.trainer import Trainer
from hepclf.words import Caution
from hepclf.workflow.beforehand import check_events, check_settings
from hepclf.workflow.convergence import convergence
from hepclf.workflow.record import TRAIN, VALID, Facts, inside, metrics, pictures, plane, score
from hepclf.workflow.report import labelled, report

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training leaves in memory; `run` is its folder, where one was asked for, `origins` what was read."""

    tagger: Tagger
    results: Results
    scored: Scored
    history: tuple[Epoch, ...]
    run: Run | None
    plots: tuple[Path, ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """The recipes of one training, and what its data and model are called in the record."""

    data: Loader
    model: Model
    trainer: Trainer
    evaluation: Evaluation
    names: Mapping[str, str]

    def describe(self) -> dict[str, Any]:
        """What config.yaml holds: enough to train again."""
        recipes = {"data": self.data, "model": self.model, "trainer": self.trainer, "evaluation": self.evaluation}
        return {**{name: describe(recipe) for name, recipe in recipes.items()}, "names": dict(self.names)}

    @property
    def title(self) -> str:
        """What stands above its tables and pictures."""
        return f"{self.names['data']}, {self.names['model']}"


def train(
    data: Loader | Events,
    model: Model,
    trainer: Trainer | None = None,
    evaluation: Evaluation | None = None,
    folder: Path | str | None = None,
    *,
    names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    check: bool = True,
) -> Trained:
    """Train a tagger and evaluate it; with a folder, leave a whole run there (docs/outputs.md).

    `data` is a loader, or events, which are then split at random. `names` says what data and model are called in
    the record, their classes otherwise. With check=False nobody looks for what may be wrong in the events; of a loader,
    `check` is a setting of its own.
    """
    loader = Memory(events=data, check=check) if isinstance(data, Events) else data
    for what, made, method in (("data", loader, "load"), ("model", model, "fit")):
        if not hasattr(made, method):
            raise TypeError(f"{what} must have {method}(), as every {what} of hepclf has, not be {made!r}")
    named = {"data": type(loader).__name__.lower(), "model": type(model).__name__.lower(), **(names or {})}
    trainer, evaluation = trainer or Trainer(), evaluation or Evaluation()
    job = Job(data=loader, model=model, trainer=trainer, evaluation=evaluation, names=named)
    progress = progress or Quiet()
    check_settings(loader, model, trainer, evaluation)
    if folder is None:
        return _train(job, None, progress)
    described = job.describe()
    run = Run.at(folder)
    with run.recorded() as record:
        started, timed = time.perf_counter(), Timed(progress)
        write_yaml(run.config, described)
        trained = _train(job, run, timed)
        timed.close()
        epochs = sum(epoch.seconds for epoch in trained.history)
        record["seconds"] = {"total": time.perf_counter() - started, "epochs": epochs, **timed.seconds}
        record["device"] = trained.tagger.device
        record["read"] = [origin._asdict() for origin in trained.origins]
    return trained


def _train(job: Job, run: Run | None, progress: Progress) -> Trained:
    progress.stage("loading")
    events = load(job.data, progress.read).check()
    check_events(events, job.data, job.model, job.trainer, job.evaluation)
    parts = job.data.split.parts(events)
    warnings = _checked(job, events, parts, progress)
    progress.stage("training")
    tagger, history, loss_weights = _fit(job, events, parts, run, progress, warnings)
    progress.stage("scoring")
    scored = score(tagger, events, parts)
    if run:
        progress.stage("storing")
        tagger.save(run.tagger)
        write_scores(run.scores, scored)
    progress.stage("evaluating")
    results = evaluate(scored, job.evaluation, inside(tagger, events, parts), balance=job.trainer.balance)
    kept = tagger.summary.get("kept_epoch")
    converged = convergence(scored.of("valid"), loss_weights, history, kept, job.trainer)
    results = replace(results, warnings=(*converged, *results.warnings, *warnings))
    plots: tuple[Path, ...] = ()
    if run:
        facts = Facts(job.names["data"], job.names["model"], job.trainer.seed, tagger.inputs, tagger.summary)
        write_json(run.metrics, metrics(results, scored, facts))
    if run and job.evaluation.plots:
        progress.stage("drawing")
        over = plane(tagger, events, parts, results.signal)
        plots = pictures(results, run.plots, history, over, job.title, labelled(job.evaluation))
    if run:
        again = f"hepclf train again={shlex.quote(str(run.folder))}"
        report(results, run, job.evaluation, job.title, device=tagger.device, again=again)
    return Trained(
        tagger=tagger,
        results=results,
        scored=scored,
        history=history,
        run=run,
        plots=plots,
        origins=events.origins,
    )


def _checked(job: Job, events: Events, parts: NDArray[np.int8], progress: Progress) -> tuple[Caution, ...]:
    """What is to be said of the data before a training spends its time on them; data.check=false leaves it out."""
    if not getattr(job.data, "check", True):
        return ()
    progress.stage("checking")
    found = checked(events, parts)
    if job.trainer.negative_weights != "error":  # the training has a rule for them
        found = tuple(row for row in found if row.kind != "negative_weights")
    return found


def _announce(warnings: tuple[Caution, ...]) -> None:
    """Name the warnings in a line, early enough to stop a training; their texts stand above its results."""
    if warnings:
        kinds = [f"{row.kind} ({', '.join(row.about)})" if row.about else row.kind for row in warnings]
        log.warning("what looks wrong in the data, told in full above the results: %s", "; ".join(kinds))


def _fit(
    job: Job,
    events: Events,
    parts: NDArray[np.int8],
    run: Run | None,
    progress: Progress,
    warnings: tuple[Caution, ...],
) -> tuple[Tagger, tuple[Epoch, ...], NDArray[np.float64]]:
    """Train until the last epoch or until the validation loss no longer improves, keeping history.csv current.

    The third answer is the weight of each validation event in the loss.
    """
    valid = events.take(parts == VALID)
    fit = job.model.fit(events.take(parts == TRAIN), valid, job.trainer)
    _announce(warnings)  # not before: what stops the training is told alone
    history: list[Epoch] = []
    stopping, written = Stopping(fit.patience), 0.0
    for epoch in fit:
        history.append(epoch)
        progress.epoch(epoch, fit.epochs)
        if run and time.monotonic() - written > 1:
            write_csv(run.history, Epoch._fields, history)
            written = time.monotonic()
        if stopping.done(epoch.valid_loss):
            break
    if run:
        write_csv(run.history, Epoch._fields, history)
    return with_calibration(fit.tagger(), valid, job.trainer), tuple(history), job.trainer.weights(valid)

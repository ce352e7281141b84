"""A training from its recipes to its folder: prepare, fit, evaluate, record."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hepclf.data.loader import Loader
from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.results import Results
from hepclf.events import Events, Origin
from hepclf.files import write_yaml
from hepclf.models.model import Model, Tagger
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.training.epoch import Epoch, Progress, Quiet, Timed
from hepclf.training.trainer import Trainer
from hepclf.workflow.evaluated import evaluated, score
from hepclf.workflow.fit import fit
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare
from hepclf.workflow.record import History, record, store


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
    job = Job.of(data, model, trainer, evaluation, names=names, check=check)
    progress = progress or Quiet()
    if folder is None:
        return _trained(job, progress)
    described = job.describe()
    run = Run.create(folder)
    with run.recorded() as environment:
        started, timed = time.perf_counter(), Timed(progress)
        write_yaml(run.config, described)
        trained = _recorded(job, run, timed)
        timed.close()
        epochs = sum(epoch.seconds for epoch in trained.history)
        environment["seconds"] = {"total": time.perf_counter() - started, "epochs": epochs, **timed.seconds}
        environment["device"] = trained.tagger.device
        environment["read"] = [origin._asdict() for origin in trained.origins]
    return trained


def _trained(job: Job, progress: Progress) -> Trained:
    """The first three steps: all that is computed, and nothing that is written."""
    prepared = prepare(job, progress)
    fitted = fit(prepared, job, progress=progress)
    progress.stage("evaluating")
    found = evaluated(fitted, prepared, job)
    return Trained(
        tagger=fitted.tagger,
        results=found.results,
        scored=found.scored,
        history=fitted.history,
        run=None,
        origins=prepared.events.origins,
    )


def _recorded(job: Job, run: Run, progress: Progress) -> Trained:
    """The same, where each step leaves what it has: a step that fails loses nothing of those before."""
    prepared, history = prepare(job, progress), History(run.history)
    fitted = fit(prepared, job, on_epoch=history, progress=progress)
    history.write()
    progress.stage("scoring")
    scored = score(fitted.tagger, prepared.events, prepared.split)
    progress.stage("storing")
    store(run, fitted.tagger, scored)
    progress.stage("evaluating")
    found = evaluated(fitted, prepared, job, scored)
    again = f"hepclf train again={shlex.quote(str(run.folder))}"
    return Trained(
        tagger=fitted.tagger,
        results=found.results,
        scored=scored,
        history=fitted.history,
        run=run,
        plots=record(run, found, job.evaluation, again=again, progress=progress),
        origins=prepared.events.origins,
    )

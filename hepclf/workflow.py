"""The story of each command: load, split, fit, score, judge, record."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Loader
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.plane import Plane
from hepclf.evaluation.scored import SPLITS, Scored
from hepclf.evaluation.store import read_scores, write_scores
from hepclf.evaluation.verdict import Verdict
from hepclf.events import Events
from hepclf.models.model import Fit, Model, Tagger
from hepclf.models.network import NetworkTagger
from hepclf.recipe import describe
from hepclf.run import Run, read_yaml, write_csv, write_json, write_yaml
from hepclf.training.trainer import Epoch, Stopping, Trainer

SCHEMA = 1
TRAIN, VALID, TEST = range(3)

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Hears what a workflow is doing."""

    def stage(self, what: str) -> None:
        """A new stage begins."""
        ...

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is done."""
        ...


class Quiet:
    """Progress for those who do not want to hear it."""

    def stage(self, what: str) -> None:
        """Only logged."""
        log.info(what)

    def epoch(self, epoch: Epoch, of: int) -> None:
        """Only logged."""
        log.info("epoch %d of %d: training loss %.5g, validation loss %.5g", epoch.epoch, of, *epoch[1:3])


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training leaves in memory; `run` is its folder, where one was asked for."""

    tagger: Tagger
    verdict: Verdict
    scored: Scored
    history: tuple[Epoch, ...]
    run: Run | None
    plots: tuple[Path, ...] = ()


def train(
    data: Loader,
    model: Model,
    trainer: Trainer | None = None,
    evaluation: Evaluation | None = None,
    folder: Path | str | None = None,
    *,
    names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train a tagger and judge it; with a folder, leave a whole run there (docs/outputs.md).

    `names` says what data and model are called in the record, their classes otherwise.
    """
    trainer, evaluation = trainer or Trainer(), evaluation or Evaluation()
    named = {"data": type(data).__name__.lower(), "model": type(model).__name__.lower(), **(names or {})}
    progress = progress or Quiet()
    if folder is None:
        return _train(data, model, trainer, evaluation, None, named, progress)
    run = Run.at(folder)
    recipes = {"data": data, "model": model, "trainer": trainer, "evaluation": evaluation}
    write_yaml(run.config, {**{name: describe(recipe) for name, recipe in recipes.items()}, "names": named})
    with run.recorded() as record:
        started = time.perf_counter()
        trained = _train(data, model, trainer, evaluation, run, named, progress)
        seconds = sum(epoch.seconds for epoch in trained.history)
        record |= {"seconds": {"total": time.perf_counter() - started, "epochs": seconds}}
    return trained


def _train(
    data: Loader,
    model: Model,
    trainer: Trainer,
    evaluation: Evaluation,
    run: Run | None,
    named: Mapping[str, str],
    progress: Progress,
) -> Trained:
    progress.stage("loading")
    events = data.load().check()
    parts = data.split.parts(events)
    progress.stage("training")
    fit = model.fit(events.take(parts == TRAIN), events.take(parts == VALID), trainer)
    history = _epochs(fit, trainer, run, progress)
    tagger = fit.tagger()
    if run:
        tagger.save(run.tagger)
    progress.stage("scoring")
    scored = score(tagger, events, parts)
    if run:
        write_scores(run.scores, scored)
    progress.stage("judging")
    verdict = evaluate(scored, evaluation)
    plots: tuple[Path, ...] = ()
    if run:
        facts = {"name": named["model"], **tagger.summary}
        write_json(run.metrics, metrics(verdict, scored, named["data"], events.names, facts, trainer.seed))
        if evaluation.plots:
            progress.stage("drawing")
            plots = _draw(
                verdict, run.plots, history, plane(tagger, events.take(parts == TEST), verdict.signal), _title(named)
            )
    return Trained(tagger=tagger, verdict=verdict, scored=scored, history=history, run=run, plots=plots)


def _epochs(fit: Fit, trainer: Trainer, run: Run | None, progress: Progress) -> tuple[Epoch, ...]:
    """Train until the last epoch or until the validation loss no longer improves, keeping history.csv current."""
    history: list[Epoch] = []
    stopping, written = Stopping(trainer.patience), 0.0
    for epoch in fit:
        history.append(epoch)
        progress.epoch(epoch, trainer.epochs)
        if run and time.monotonic() - written > 1:
            write_csv(run.history, Epoch._fields, history)
            written = time.monotonic()
        if stopping.done(epoch.valid_loss):
            break
    if run:
        write_csv(run.history, Epoch._fields, history)
    return tuple(history)


def score(tagger: Tagger, events: Events, parts: NDArray[np.int8]) -> Scored:
    """The tagger's scores of these events, with all that an evaluation needs beside them."""
    return Scored(
        labels=events.labels,
        weights=events.weights,
        scores=tagger.scores(events),
        split=parts,
        classes=events.classes,
        processes=events.processes,
        process_names=events.process_names,
        spectators=events.spectators,
    )


def metrics(
    verdict: Verdict, scored: Scored, data: str, features: tuple[str, ...], model: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """The contents of metrics.json."""
    counts = np.bincount(scored.split, minlength=len(SPLITS)).tolist()
    return {
        "schema": SCHEMA,
        "hepclf": version("hepclf"),
        "data": {
            "name": data,
            "classes": list(scored.classes),
            "features": list(features),
            "events": dict(zip(SPLITS, counts, strict=True)),
        },
        "model": dict(model),
        "seed": seed,
        **verdict.to_dict(),
    }


def reevaluate(
    run: Run, evaluation: Evaluation, folder: Path, data: Loader | None = None
) -> tuple[Verdict, tuple[Path, ...]]:
    """Judge a run again from its stored scores, or its tagger on other data, into a folder of its own.

    Other data counts as test events; cuts are still chosen on the run's own validation events.
    """
    before = _stored(run)
    scored = read_scores(run.scores)
    if data is not None:
        tagger = NetworkTagger.load(run.tagger)
        events = data.load().check()
        if events.classes != tagger.classes:
            raise ValueError(f"the tagger knows the classes {list(tagger.classes)}, the data {list(events.classes)}")
        scored = scored.of("valid").joined(score(tagger, events, np.full(len(events), TEST, dtype=np.int8)))
    verdict = evaluate(scored, evaluation)
    folder.mkdir(parents=True, exist_ok=True)
    write_yaml(folder / "config.yaml", {"run": str(run.folder), "evaluation": describe(evaluation)})
    name = before["data"]["name"] if data is None else type(data).__name__.lower()
    facts = metrics(verdict, scored, name, tuple(before["data"]["features"]), before["model"], before["seed"])
    write_json(folder / "metrics.json", facts)
    plots: tuple[Path, ...] = ()
    if evaluation.plots:
        plots = _draw(verdict, folder / "plots", (), None, f"{name}, {before['model']['name']}")
    return verdict, plots


def _stored(run: Run) -> dict[str, Any]:
    """metrics.json of a run that finished, or an error that says what became of it."""
    if not run.metrics.is_file() or not run.scores.is_file():
        state = read_yaml(run.environment) if run.environment.is_file() else {"status": "unknown", "error": None}
        reason = f" ({state['error']})" if state["error"] else ""
        raise FileNotFoundError(
            f"{run.folder} holds no scores to judge: its training is {state['status']}{reason}; train it again"
        )
    return read_yaml(run.metrics)


def plane(tagger: Tagger, events: Events, signal: str) -> Plane | None:
    """The signal's probability over the plane of the two features; None for any other number or for more classes."""
    if len(tagger.inputs) != 2 or len(tagger.classes) != 2:
        return None
    points = events.select(tagger.inputs)
    present = ~np.isnan(points).any(axis=1)
    points, labels = points[present], events.labels[present]
    low, high = np.quantile(points, (0.005, 0.995), axis=0)
    margin = 0.05 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], 200) for i in range(2))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1).astype(np.float32)
    over = Events(features=grid, labels=np.zeros(len(grid), dtype=np.int64), names=tagger.inputs)
    second = tagger.scores(over).reshape(len(y), len(x))
    probability = second if signal == tagger.classes[1] else 1 - second
    names = (tagger.inputs[0], tagger.inputs[1])
    return Plane(names=names, x=x, y=y, probability=probability, points=points, labels=labels)


def _draw(
    verdict: Verdict, folder: Path, history: tuple[Epoch, ...], over: Plane | None, title: str
) -> tuple[Path, ...]:
    from hepclf.evaluation.plots.draw import draw

    curves = {name: [getattr(epoch, name) for epoch in history] for name in Epoch._fields} if history else None
    return tuple(draw(verdict, folder, history=curves, plane=over, title=title))


def _title(named: Mapping[str, str]) -> str:
    return f"{named['data']}, {named['model']}"

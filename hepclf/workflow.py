"""The story of each command: load, split, fit, score, judge, record."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Loader, load
from hepclf.data.memory import Memory
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.plane import Plane
from hepclf.evaluation.scored import SPLITS, Scored
from hepclf.evaluation.store import read_scores, write_scores
from hepclf.evaluation.verdict import Verdict
from hepclf.events import Events
from hepclf.models.kinds import load_tagger
from hepclf.models.model import Model, Tagger
from hepclf.models.tagger import read_tagger
from hepclf.recipe import describe
from hepclf.run import Run, read_yaml, write_csv, write_json, write_yaml
from hepclf.training.progress import Progress, Quiet
from hepclf.training.trainer import Epoch, Stopping, Trainer

SCHEMA = 1
TRAIN, VALID, TEST = range(3)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training leaves in memory; `run` is its folder, where one was asked for."""

    tagger: Tagger
    verdict: Verdict
    scored: Scored
    history: tuple[Epoch, ...]
    run: Run | None
    plots: tuple[Path, ...] = ()


class Facts(NamedTuple):
    """What metrics.json says of a training beside its verdict."""

    data: str
    model: str
    seed: int
    features: tuple[str, ...]
    summary: Mapping[str, Any]


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
) -> Trained:
    """Train a tagger and judge it; with a folder, leave a whole run there (docs/outputs.md).

    `data` is a loader, or events, which are then split at random. `names` says what data and model are called in
    the record, their classes otherwise.
    """
    loader = Memory(events=data) if isinstance(data, Events) else data
    for what, made, method in (("data", loader, "load"), ("model", model, "fit")):
        if not hasattr(made, method):
            raise TypeError(f"{what} must have {method}(), as every {what} of hepclf has, not be {made!r}")
    named = {"data": type(loader).__name__.lower(), "model": type(model).__name__.lower(), **(names or {})}
    trainer, evaluation = trainer or Trainer(), evaluation or Evaluation()
    job = Job(data=loader, model=model, trainer=trainer, evaluation=evaluation, names=named)
    progress = progress or Quiet()
    if folder is None:
        return _train(job, None, progress)
    described = job.describe()
    run = Run.at(folder)
    with run.recorded() as record:
        started = time.perf_counter()
        write_yaml(run.config, described)
        trained = _train(job, run, progress)
        epochs = sum(epoch.seconds for epoch in trained.history)
        record["seconds"] = {"total": time.perf_counter() - started, "epochs": epochs}
        record["device"] = trained.tagger.device
    return trained


def _train(job: Job, run: Run | None, progress: Progress) -> Trained:
    progress.stage("loading")
    events = load(job.data, progress.read).check()
    if len(events.classes) == 1:
        raise ValueError(f"a classifier needs two classes or more, however the data has {events.classes[0]!r} alone")
    parts = job.data.split.parts(events)
    job.evaluation.check(events.classes, events.process_names)
    progress.stage("training")
    tagger, history = _fit(job, events, parts, run, progress)
    progress.stage("scoring")
    scored = score(tagger, events, parts)
    if run:
        tagger.save(run.tagger)
        write_scores(run.scores, scored)
    progress.stage("judging")
    verdict = evaluate(scored, job.evaluation)
    plots: tuple[Path, ...] = ()
    if run:
        facts = Facts(job.names["data"], job.names["model"], job.trainer.seed, tagger.inputs, tagger.summary)
        write_json(run.metrics, metrics(verdict, scored, facts))
    if run and job.evaluation.plots:
        progress.stage("drawing")
        plots = _draw(verdict, run.plots, history, plane(tagger, events, parts, verdict.signal), job.title)
    return Trained(tagger=tagger, verdict=verdict, scored=scored, history=history, run=run, plots=plots)


def _fit(
    job: Job, events: Events, parts: NDArray[np.int8], run: Run | None, progress: Progress
) -> tuple[Tagger, tuple[Epoch, ...]]:
    """Train until the last epoch or until the validation loss no longer improves, keeping history.csv current."""
    fit = job.model.fit(events.take(parts == TRAIN), events.take(parts == VALID), job.trainer)
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
    return fit.tagger(), tuple(history)


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


def metrics(verdict: Verdict, scored: Scored, facts: Facts) -> dict[str, Any]:
    """The contents of metrics.json."""
    counts = np.bincount(scored.split, minlength=len(SPLITS)).tolist()
    return {
        "schema": SCHEMA,
        "hepclf": version("hepclf"),
        "data": {
            "name": facts.data,
            "classes": list(scored.classes),
            "features": list(facts.features),
            "events": dict(zip(SPLITS, counts, strict=True)),
        },
        "model": {"name": facts.model, **facts.summary},
        "seed": facts.seed,
        **verdict.to_dict(),
    }


def reevaluate(
    run: Run,
    evaluation: Evaluation,
    folder: Path,
    data: Loader | None = None,
    *,
    name: str = "",
    recipes: tuple[type[Any], ...] = (),
) -> tuple[Verdict, tuple[Path, ...]]:
    """Judge a run again from its stored scores, or its tagger on other data, into a folder of its own.

    Other data counts as test events; cuts are still chosen on the run's own validation events. `name` is what that
    data is called; `recipes` are classes of your own that the tagger may be made of.
    """
    scored, facts = _stored(run)
    if data is not None:
        facts = facts._replace(data=name or type(data).__name__.lower())
        scored = _other(scored, load_tagger(run.tagger, recipes), data)
    evaluation.check(scored.classes, scored.process_names)
    verdict = evaluate(scored, evaluation)
    made = Run.at(folder)
    with made.recorded():
        write_yaml(made.config, {"run": str(run.folder), "evaluation": describe(evaluation)})
        write_json(made.metrics, metrics(verdict, scored, facts))
        title = f"{facts.data}, {facts.model}"
        plots = _draw(verdict, made.plots, (), None, title) if evaluation.plots else ()
    return verdict, plots


def _stored(run: Run) -> tuple[Scored, Facts]:
    """The scores of a run and what it was, or an error that says what became of it."""
    if not run.scores.is_file() or not run.tagger.is_dir():
        state = read_yaml(run.environment) if run.environment.is_file() else {}
        reason = f" ({state['error']})" if state.get("error") else ""
        status = state.get("status", "unknown")
        raise FileNotFoundError(
            f"{run.folder} holds no scores to judge: its training is {status}{reason}; train it again"
        )
    config, head = read_yaml(run.config), read_tagger(run.tagger)[0]
    try:
        names, seed = config["names"], config["trainer"]["seed"]
        facts = Facts(names["data"], names["model"], seed, tuple(head["inputs"]), head["summary"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{run.config} or its tagger.json was changed: {error!r} is missing; train again") from error
    return read_scores(run.scores), facts


def _other(stored: Scored, tagger: Tagger, data: Loader) -> Scored:
    """Validation events of a run, and other data as its test events."""
    events = data.load().check()
    if events.classes != tagger.classes:
        raise ValueError(f"the tagger knows the classes {list(tagger.classes)}, the data {list(events.classes)}")
    fresh = score(tagger, events, np.full(len(events), TEST, dtype=np.int8))
    known = int(np.isin(_first(fresh), _first(stored.of("train"))).sum())
    if known > 0.01 * len(fresh):
        log.warning(
            "%d of %d events have exactly the score of a training event: where they are the same events, this is no "
            "test of the tagger",
            known,
            len(fresh),
        )
    return stored.of("valid").joined(fresh)


def _first(scored: Scored) -> NDArray[np.float64]:
    return scored.scores.reshape(len(scored), -1)[:, 0]


def plane(tagger: Tagger, events: Events, parts: NDArray[np.int8], signal: str) -> Plane | None:
    """The signal's probability over the plane of the two features, and the test events in it.

    None for any other number of features, or for more classes.
    """
    if len(tagger.inputs) != 2 or len(tagger.classes) != 2:
        return None
    points = events.select(tagger.inputs)
    shown = (parts == TEST) & ~np.isnan(points).any(axis=1)
    points, labels = points[shown], events.labels[shown]
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

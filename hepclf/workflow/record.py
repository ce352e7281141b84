"""The fourth step of a training: the files in its folder. Nothing is computed here."""

from __future__ import annotations

import csv
import json
import logging
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import write_csv, write_json
from hepclf.presentation.plots.draw import draw
from hepclf.presentation.plots.workers import DrawingWorkers
from hepclf.run import Run
from hepclf.scored import SPLITS
from hepclf.training.cores import cores
from hepclf.training.epoch import Epoch, Progress, Quiet
from hepclf.training.rate_test import RateTest
from hepclf.workflow.evaluated import Evaluated
from hepclf.workflow.report import labelled, report

SCHEMA = 1
EVERY_S = 1.0  # seconds between two writes of the history

log = logging.getLogger(__name__)


class History:
    """Keeps history.csv up to date during a training: call it with each epoch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._epochs: list[Epoch] = []
        self._written = 0.0
        self._has_failed = False

    def __call__(self, epoch: Epoch) -> None:
        """Add an epoch; write if the last write was a second ago. A full disk gives one warning."""
        self._epochs.append(epoch)
        if time.monotonic() - self._written > EVERY_S:
            try:
                self.write()
            except OSError as error:
                if not self._has_failed:
                    log.warning("%s could not be written (%s); the training continues", self._path, error.strerror)
                self._has_failed = True

    def write(self, *, durable: bool = False) -> None:
        """Write all epochs so far."""
        write_csv(self._path, Epoch._fields, self._epochs, durable=durable)
        self._written = time.monotonic()


def read_history(path: Path) -> tuple[Epoch, ...]:
    """The epochs of a history.csv."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(Epoch(int(row["epoch"]), *(float(row[name]) for name in Epoch._fields[1:])) for row in rows)


def read_rate_test(path: Path) -> RateTest | None:
    """The learning-rate range test in a find_rate.json; None where there is no such file."""
    return RateTest(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def record(
    run: Run,
    evaluated: Evaluated,
    evaluation: Evaluation,
    *,
    again: str | None = None,
    progress: Progress | None = None,
    workers: DrawingWorkers | None = None,
) -> tuple[Path, ...]:
    """Write metrics.json, the pictures, the page and the card; returns the files of the pictures.

    `again` is the command on the page that repeats the run, by default the one that was typed.
    """
    contents = metrics(evaluated)
    write_json(run.metrics, contents, durable=True)
    return draw_results(run, evaluated, evaluation, contents, again=again, progress=progress, workers=workers)


def draw_results(
    run: Run,
    evaluated: Evaluated,
    evaluation: Evaluation,
    contents: Mapping[str, Any],
    *,
    again: str | None = None,
    progress: Progress | None = None,
    workers: DrawingWorkers | None = None,
) -> tuple[Path, ...]:
    """Write only the pictures, the page and the card; returns the files of the pictures.

    contents  of metrics.json
    """
    plots: tuple[Path, ...] = ()
    if evaluation.plots:
        (progress or Quiet()).stage("drawing")
        plots = _pictures(run.plots, evaluated, evaluation, workers)
    report(run, evaluated, evaluation, contents, again=again)
    return plots


def metrics(evaluated: Evaluated) -> dict[str, Any]:
    """The contents of metrics.json."""
    facts, scored = evaluated.facts, evaluated.scored
    counts = np.bincount(scored.split, minlength=len(SPLITS)).tolist()
    results = evaluated.results.to_dict()
    if evaluated.valid_loss is not None and "valid" in results:
        results["valid"]["log_loss_as_trained"] = evaluated.valid_loss.to_dict()
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
        **results,
    }


def drawing_workers(evaluation: Evaluation, threads: int | None = None) -> DrawingWorkers:
    """Processes that prepare to draw the pictures of an evaluation while its numbers are computed.

    threads  maximum number of processes; None: as many as there are cores
    """
    if not evaluation.plots:
        return DrawingWorkers(0)
    return DrawingWorkers(threads or cores())


def _pictures(
    folder: Path, evaluated: Evaluated, evaluation: Evaluation, workers: DrawingWorkers | None
) -> tuple[Path, ...]:
    epochs = evaluated.history
    curves = None
    if epochs:
        curves = {name: [getattr(epoch, name) for epoch in epochs] for name in Epoch._fields}
    rates = None
    if (test := evaluated.rate_test) is not None:
        rates = {"rate": test.rates, "loss": test.losses, "smoothed": test.smoothed}
        rates |= {"suggested": (test.suggestion,), "used": (test.used,)}
    label, title = labelled(evaluation), evaluated.title
    return tuple(
        draw(evaluated.results, folder, history=curves, rates=rates, title=title, label=label, workers=workers)
    )

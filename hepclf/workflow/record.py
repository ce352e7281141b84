"""The fourth step of a training: the files in its folder. Nothing is computed here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import write_json
from hepclf.presentation.plots.draw import draw
from hepclf.presentation.plots.workers import DrawingWorkers
from hepclf.run import Run
from hepclf.scored import SPLITS
from hepclf.training.cores import cores
from hepclf.training.epoch import Epoch, Progress, Quiet
from hepclf.training.rate_test import RateTest
from hepclf.workflow.evaluated import Evaluated
from hepclf.workflow.history import MEMBER
from hepclf.workflow.report import labelled, report

SCHEMA = 1
RATE_TEST = "find_rate.json"


def read_rate_test(run: Run) -> RateTest | None:
    """The learning-rate range test of a run; None if it had none."""
    path = run.folder / RATE_TEST
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
    curves: dict[str, list[float]] | None = None
    if epochs := evaluated.history:
        curves = {name: [getattr(epoch, name) for epoch in epochs] for name in Epoch._fields}
    if evaluated.members:
        curves = {MEMBER: list(evaluated.members), **(curves or {})}
    rates = None
    if (test := evaluated.rate_test) is not None:
        rates = {"rate": test.rates, "loss": test.losses, "smoothed": test.smoothed}
        rates |= {"suggested": (test.suggestion,), "used": (test.used,)}
    label, title = labelled(evaluation), evaluated.title
    return tuple(
        draw(evaluated.results, folder, history=curves, rates=rates, title=title, label=label, workers=workers)
    )

"""What is recorded of results: scores, metrics.json and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Inside
from hepclf.evaluation.label import Label
from hepclf.evaluation.plane import Plane
from hepclf.evaluation.results import Results
from hepclf.events import Events
from hepclf.models.model import Tagger, raw_inputs
from hepclf.scored import SPLITS, Scored
from hepclf.training.epoch import Epoch

SCHEMA = 1
TRAIN, VALID, TEST = range(3)


class Facts(NamedTuple):
    """What metrics.json says of a training beside its results."""

    data: str
    model: str
    seed: int
    features: tuple[str, ...]
    summary: Mapping[str, Any]


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


def inside(tagger: Tagger, events: Events, parts: NDArray[np.int8]) -> Inside:
    """What the tagger saw of the test events, and the tagger as a function of its features."""
    test = np.flatnonzero(parts == TEST)

    def read(places: NDArray[np.intp]) -> NDArray[np.float32]:
        return raw_inputs(tagger, events.take(test[places]))

    return Inside(names=tagger.inputs, read=read, ask=partial(_asked, tagger))


def _asked(tagger: Tagger, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The tagger's scores of features [n, d] alone."""
    labels = np.zeros(len(features), dtype=np.int64)
    return tagger.scores(Events(features=features, labels=labels, names=tagger.inputs, classes=tagger.classes))


def metrics(results: Results, scored: Scored, facts: Facts) -> dict[str, Any]:
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
        **results.to_dict(),
    }


def plane(tagger: Tagger, events: Events, parts: NDArray[np.int8], signal: str) -> Plane | None:
    """The signal's probability over the plane of the two features, and the test events in it.

    None for any other number of features, or for more classes.
    """
    if len(tagger.inputs) != 2 or len(tagger.classes) != 2:
        return None
    points = raw_inputs(tagger, events)
    shown = (parts == TEST) & ~np.isnan(points).any(axis=1)
    points, labels = points[shown], events.labels[shown]
    low, high = np.quantile(points, (0.005, 0.995), axis=0)
    margin = 0.05 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], 200) for i in range(2))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1).astype(np.float32)
    second = _asked(tagger, grid).reshape(len(y), len(x))
    probability = second if signal == tagger.classes[1] else 1 - second
    names = (tagger.inputs[0], tagger.inputs[1])
    return Plane(names=names, x=x, y=y, probability=probability, points=points, labels=labels)


def pictures(
    results: Results,
    folder: Path,
    history: tuple[Epoch, ...],
    over: Plane | None,
    title: str,
    label: Label | None = None,
) -> tuple[Path, ...]:
    """Draw all that results have into a folder."""
    from hepclf.presentation.plots.draw import draw

    curves = {name: [getattr(epoch, name) for epoch in history] for name in Epoch._fields} if history else None
    return tuple(draw(results, folder, history=curves, plane=over, title=title, label=label))

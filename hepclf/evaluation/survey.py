"""What a dataset holds, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.roc import Ranking, area, curve
from hepclf.evaluation.value import NOTHING, Value, effective_count
from hepclf.events import Events

Array = NDArray[np.float64]


class Population(NamedTuple):
    """A class, or a process of a class."""

    name: str
    events: int
    weight: float
    effective: float
    negative_fraction: float


class Feature(NamedTuple):
    """One feature: what it spans (unweighted), and how well it alone separates the last class from the others."""

    name: str
    missing: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    width: float | None
    auc: Value


@dataclass(frozen=True)
class Survey:
    """The populations and features of a dataset."""

    populations: tuple[Population, ...]
    features: tuple[Feature, ...]
    spectators: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "populations": [row._asdict() for row in self.populations],
            "features": [row._asdict() | {"auc": row.auc.to_dict()} for row in self.features],
            "spectators": list(self.spectators),
        }


def survey(events: Events) -> Survey:
    """Count the classes, and the processes where they are others, and measure each feature."""
    groups = {name: events.labels == index for index, name in enumerate(events.classes)}
    if events.process_names != events.classes:
        groups |= {f"  {name}": events.processes == index for index, name in enumerate(events.process_names)}
    return Survey(
        populations=tuple(_population(name, events.weights[mask]) for name, mask in groups.items()),
        features=tuple(_feature(events, column) for column in range(len(events.names))),
        spectators=tuple(events.spectators),
    )


def _population(name: str, weights: Array) -> Population:
    total, size = float(weights.sum()), float(np.abs(weights).sum())
    negative = float(np.abs(weights[weights < 0]).sum()) / size if size > 0 else 0.0
    return Population(name, len(weights), total, effective_count(total, float(weights @ weights)), negative)


def _feature(events: Events, column: int) -> Feature:
    """The single-feature AUC is of the better direction, hence at least 0.5; missing values are left out."""
    values = events.features[:, column].astype(np.float64)
    present = ~np.isnan(values)
    values, signal = values[present], (events.labels == len(events.classes) - 1)[present]
    if len(values) == 0:
        return Feature(events.names[column], len(events), None, None, None, None, NOTHING)
    found = area(curve(Ranking(values), signal, events.weights[present]))
    auc = found if found.value is None or found.value >= 0.5 else Value(1 - found.value, found.error)
    return Feature(
        name=events.names[column],
        missing=int((~present).sum()),
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=float(values.mean()),
        width=float(values.std()),
        auc=auc,
    )

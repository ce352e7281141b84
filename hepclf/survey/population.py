"""The classes of a dataset and their processes: numbers of events and weights."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, Origin
from hepclf.scored import SPLITS
from hepclf.statistics.value import Value, effective_count, measured

Array = NDArray[np.float64]


class Population(NamedTuple):
    """The events of a class, or of one process in a class. Where weights are not finite, figures of them are None.

    class_    the class; None for a process without events
    weight    sum of weights, error sqrt(sum w^2)
    negative  fraction of the sum of |w| from negative weights
    heaviest  fraction of the sum of |w| from the event of largest |w|
    splits    numbers of events for training, validation and test; None where they are not known
    origin    files of a process and numbers of entries read from them, where they are known
    """

    name: str
    class_: str | None
    events: int
    weight: Value
    effective: float | None
    negative: float | None
    heaviest: float | None
    splits: dict[str, int] | None
    origin: Origin | None = None

    def to_dict(self, luminosity_fb: float | None) -> dict[str, Any]:
        """Ready for JSON; with a luminosity, the sum of weights is the expected yield."""
        origin, expected_yield = self.origin, None
        if luminosity_fb is not None:
            expected_yield = self.weight.to_dict()
        return {
            "name": self.name,
            "class": self.class_,
            "files": origin and origin.files,
            "entries": origin and origin.entries,
            "selected": origin and origin.selected,
            "events": self.events,
            "sum_of_weights": self.weight.to_dict(),
            "expected_yield": expected_yield,
            "effective": self.effective,
            "negative_fraction": self.negative,
            "heaviest_fraction": self.heaviest,
            "splits": self.splits,
        }


def classes(events: Events, parts: NDArray[np.int8] | None = None) -> tuple[Population, ...]:
    """The classes, in the order of their labels."""
    groups = (events.labels == label for label in range(len(events.classes)))
    return tuple(
        _population(name, name, group, events, parts) for name, group in zip(events.classes, groups, strict=True)
    )


def processes(events: Events, parts: NDArray[np.int8] | None = None) -> tuple[Population, ...]:
    """The processes, class by class. A process in several classes has one row for each; empty processes come last."""
    count = len(events.process_names)
    pairs = events.labels * count + events.processes
    origins = {origin.process: origin for origin in events.origins}
    rows = []
    for pair in np.flatnonzero(np.bincount(pairs, minlength=1)).tolist():
        name, class_ = events.process_names[pair % count], events.classes[pair // count]
        rows.append(_population(name, class_, pairs == pair, events, parts)._replace(origin=origins.get(name)))
    listed = {row.name for row in rows}
    empty = np.zeros(len(events), dtype=bool)
    for name in events.process_names:
        if name not in listed:
            rows.append(_population(name, None, empty, events, parts)._replace(origin=origins.get(name)))
    return tuple(rows)


def _population(
    name: str, class_: str | None, members: NDArray[np.bool_], events: Events, parts: NDArray[np.int8] | None
) -> Population:
    weights = events.weights[members]
    with np.errstate(invalid="ignore", over="ignore"):
        total, squares, size = float(weights.sum()), float(weights @ weights), np.abs(weights)
        absolute = float(size.sum())
        below, heaviest = float(size[weights < 0].sum()), float(size.max(initial=0.0))
    effective = None
    if math.isfinite(squares):
        effective = effective_count(total, squares)
    splits = None
    if parts is not None:
        splits = dict(zip(SPLITS, np.bincount(parts[members], minlength=len(SPLITS)).tolist(), strict=True))
    return Population(
        name=name,
        class_=class_,
        events=len(weights),
        weight=measured(total, squares**0.5),
        effective=effective,
        negative=_share(below, absolute),
        heaviest=_share(heaviest, absolute),
        splits=splits,
    )


def _share(part: float, total: float) -> float | None:
    if total == 0:
        return 0.0
    return measured(part / total).value  # None where it is not finite

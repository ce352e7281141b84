"""A named column of the test events: a spectator or a feature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.nearest import nearest

ROWS = 200_000


def named_column(case: Case, name: str) -> NDArray[Any]:
    """The spectator of this name, else the feature, of the test events [n]."""
    spectators = case.parts["test"].spectators
    if name in spectators:
        return spectators[name]
    if case.inside is not None and name in case.inside.names:
        place, events = case.inside.names.index(name), len(case.parts["test"])
        values = np.empty(events, dtype=np.float32)
        for start in range(0, events, ROWS):
            rows = np.arange(start, min(start + ROWS, events))
            values[rows] = case.inside.read(rows)[:, place]
        return values
    raise ValueError(unknown(name, (*spectators, *case.feature_names)))


def unknown(name: str, columns: Iterable[str]) -> str:
    """The error text for a name that is none of these columns."""
    return (
        f"{name!r} is no spectator of the data{nearest(name, columns)}; name it in the data's spectators: "
        f"[{name}] if it is a column, {{{name}: EXPRESSION}} if it is computed"
    )

"""Folds: which member of a tagger has never seen an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.nearest import nearest

MOST = 1000  # folds


@dataclass(frozen=True)
class FoldKey:
    """How the fold of an event follows from its columns.

    count    number of folds
    columns  one column of whole numbers: the fold is its value modulo the count; several: the fold is a hash of all of
             them modulo the count; none: the fold was drawn at random, and events do not tell theirs
    """

    count: int
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.count <= MOST:
            raise ValueError(f"folds.count must be from 2 to {MOST}, not {self.count}")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"folds.by must name different columns, not {list(self.columns)}")

    def numbers(self, events: Events) -> NDArray[np.uint64]:
        """A number for each event, [n]: the column, or a hash of the columns. Equal columns have equal numbers."""
        values = [key_column(events.spectators, name) for name in self.columns]
        if not values:
            raise ValueError("these folds were drawn at random, so an event does not tell which of them it is in")
        return values[0] if len(values) == 1 else hashed(values)

    def folds(self, events: Events) -> NDArray[np.int64]:
        """The fold of each event, from 0 to count - 1, [n]."""
        return (self.numbers(events) % np.uint64(self.count)).astype(np.int64)

    @property
    def text(self) -> str:
        """`5 folds by run, event`, or `5 random folds`."""
        if not self.columns:
            return f"{self.count} random folds"
        return f"{self.count} folds by {', '.join(self.columns)}"

    def to_dict(self) -> dict[str, Any]:
        """The entry of a tagger.json."""
        return {"count": self.count, "by": list(self.columns)}

    @classmethod
    def from_dict(cls, stored: Any) -> FoldKey:
        """Read such an entry; a ValueError if it is malformed."""
        if not isinstance(stored, Mapping) or type(stored.get("count")) is not int:
            raise ValueError("folds must hold a count, a whole number")
        columns = stored.get("by")
        if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
            raise ValueError("folds.by must be a list of columns")
        return cls(stored["count"], tuple(columns))


def key_column(columns: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.uint64]:
    """A column of whole numbers from 0 to 2^64 - 1, without loss; a ValueError where it holds anything else."""
    if name not in columns:
        raise ValueError(
            f"the data have no column {name!r}, by which folds.by numbers the events{nearest(name, columns)}"
        )
    values = np.asarray(columns[name])
    if values.dtype.kind not in "iufb":
        raise ValueError(f"folds.by={name!r} must hold whole numbers, not text")
    # Beyond 2^53 a double stands for several whole numbers, so the fold would be that of another event.
    bad = ~(values >= 0)
    if values.dtype.kind == "f":
        bad |= (values != np.floor(values)) | (values > 2.0**53)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"folds.by={name!r} must hold whole numbers of at least 0, exactly stored, not {values[row]} in event {row}"
        )
    return values.astype(np.uint64)


def hashed(columns: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """A hash of several columns, [n]: the finaliser of splitmix64, applied to the running hash xor the next column."""
    result = np.zeros(len(columns[0]), dtype=np.uint64)
    for values in columns:
        result = _mixed(result ^ values)
    return result


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output of splitmix64 for this state; array arithmetic in uint64 wraps around."""
    state = values + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))

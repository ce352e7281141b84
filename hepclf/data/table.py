"""From the columns of an ntuple to the table of events: what is asked of each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.expressions import Expression, parse
from hepclf.data.language.columns import prepared, taken


class Chunk(NamedTuple):
    """What is kept of a stretch of entries: a column for each feature and spectator, weights of those selected.

    kept  the positions of the selected entries, or None where all are
    """

    features: list[NDArray[Any]]
    spectators: dict[str, NDArray[Any]]
    weights: NDArray[np.float64]
    all_weights: NDArray[np.float64]
    kept: NDArray[np.intp] | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The expressions that are evaluated for the entries of a sample."""

    features: Mapping[str, Expression]
    spectators: Mapping[str, Expression]
    weight: Expression | None
    selections: tuple[Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All of them."""
        weight = () if self.weight is None else (self.weight,)
        return (*self.features.values(), *self.spectators.values(), *weight, *self.selections)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns they need, each once."""
        return tuple(dict.fromkeys(column for each in self.expressions for column in each.columns))

    def of(self, columns: Mapping[str, Any], events: int) -> Chunk:
        """Their values for these entries, cut by the selections; a ValueError names the entry at fault."""
        columns = prepared(columns, events)
        weights = np.ones(events)
        if self.weight is not None:
            weights = np.asarray(self.weight.evaluate(columns, events), dtype=np.float64)
            if not np.isfinite(weights).all():
                entry = int(np.argmin(np.isfinite(weights)))
                raise EntryError(f"weight {self.weight.text!r} is {weights[entry]}; weights must be finite", entry)
        kept, all_weights = self._kept(columns, events), weights
        if kept is not None:
            weights = weights[kept]
            needed = {name for each in (self.features, self.spectators) for e in each.values() for name in e.columns}
            columns = {name: taken(columns[name], kept) for name in needed}
        features = [expression.evaluate(columns, len(weights)) for expression in self.features.values()]
        features = [column.astype(np.float32) if column.dtype.kind in "biu" else column for column in features]
        for name, column in zip(self.features, features, strict=True):
            if (row := _infinite(column)) is not None:
                entry = row if kept is None else int(kept[row])
                raise EntryError(
                    f"feature {name!r} is {column[row]}, infinite in single precision; select those events away",
                    entry,
                )
        spectators = {name: each.evaluate(columns, len(weights)) for name, each in self.spectators.items()}
        return Chunk(features, spectators, weights, all_weights, kept)

    def _kept(self, columns: Mapping[str, Any], events: int) -> NDArray[np.intp] | None:
        """The positions of the selected entries, or None where all are."""
        kept = np.ones(events, dtype=bool)
        for selection in self.selections:
            passes = selection.evaluate(columns, events)
            kept &= passes if passes.dtype == bool else (passes != 0) & (passes == passes)
        return None if kept.all() else np.flatnonzero(kept)


class EntryError(ValueError):
    """A value that no event may have, and the entry of the chunk that has it."""

    def __init__(self, message: str, entry: int) -> None:
        super().__init__(message)
        self.entry = entry


def wanted(
    features: Mapping[str, str],
    leading: Mapping[str, int],
    spectators: Mapping[str, str],
    weight: str | None,
    selections: tuple[str | None, ...],
) -> Wanted:
    """The parsed expressions; `leading` adds the first so many objects of a column as features name_0, name_1..."""
    for name, count in leading.items():
        if count < 1:
            raise ValueError(f"leading.{name} must be at least 1, however leading.{name}={count}")
    objects = {
        f"{name}_{i}": f"{name if name.isidentifier() else f'({name})'}[{i}]"
        for name, count in leading.items()
        for i in range(count)
    }
    if repeated := next((name for name in objects if name in features), None):
        raise ValueError(f"feature {repeated!r} is named by features and by leading; drop one of the two")
    return Wanted(
        features={name: parse(text) for name, text in {**features, **objects}.items()},
        spectators={name: parse(text) for name, text in spectators.items()},
        weight=None if weight is None else parse(weight),
        selections=tuple(parse(text) for text in selections if text is not None),
    )


def _infinite(column: NDArray[Any]) -> int | None:
    """The first row that is infinite in single precision; a finite sum says at once that there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.add.reduce(column, dtype=np.float32)):
            return None
        infinite = np.isinf(column.astype(np.float32))
    return int(np.argmax(infinite)) if infinite.any() else None

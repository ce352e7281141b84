"""From the columns of an ntuple to the table of events: the quantities of each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.declared import Declared, holds_integers, replace_sentinels
from hepclf.data.expressions import Expression, parse
from hepclf.data.language.columns import converted_columns, select_events
from hepclf.events import Sentinels


class Chunk(NamedTuple):
    """The events selected from a range of entries: a column for each feature and spectator, and their weights.

    selected  the positions of the selected entries, or None where all are
    """

    features: list[NDArray[Any]]
    spectators: dict[str, NDArray[Any]]
    weights: NDArray[np.float64]
    all_weights: NDArray[np.float64]
    selected: NDArray[np.intp] | None


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """The quantities of an event: features, spectators, weight and selections, as expressions of the columns.

    missing  sentinels, which features and selections see as NaN. A weight that is one column sees it as it is, and so
             do spectators a column of whole numbers, which stay exact
    """

    features: Mapping[str, Expression]
    spectators: Mapping[str, Expression]
    weight: Expression | None
    selections: tuple[Expression, ...]
    missing: Declared = field(default_factory=Declared)

    @property
    def sentinels(self) -> Sentinels:
        """The sentinels of each feature that has some."""
        return self.missing.feature_sentinels(self.features)

    def check_missing(self) -> None:
        """Refuse sentinels of what is neither a feature nor a column that another expression than the weight names."""
        named = (*self.features.values(), *self.spectators.values(), *self.selections)
        self.missing.check((*self.features, *(column for expression in named for column in expression.columns)))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions of features, spectators, weight and selections."""
        weight = () if self.weight is None else (self.weight,)
        return (*self.features.values(), *self.spectators.values(), *weight, *self.selections)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expressions need, each once."""
        return tuple(dict.fromkeys(column for expression in self.expressions for column in expression.columns))

    def evaluate(self, columns: Mapping[str, Any], events: int) -> Chunk:
        """The values for the selected ones of these entries; a ValueError names the entry at fault."""
        raw = converted_columns(columns, events)
        columns = self.missing.replace_sentinels(raw, self.features) if self.missing else raw
        weights = self._weights(raw if self.weight and self.weight.is_column else columns, events)
        selected, all_weights = self._selected_entries(columns, events), weights
        if selected is not None:
            weights = weights[selected]
            expressions = (*self.features.values(), *self.spectators.values())
            needed = {name for expression in expressions for name in expression.columns}
            columns = {name: select_events(columns[name], selected) for name in needed}
            raw = {name: select_events(raw[name], selected) for name in needed} if self.missing else columns
        features = self._features(columns, len(weights))
        for name, column in zip(self.features, features, strict=True):
            if (row := _infinite(column)) is not None:
                entry = row if selected is None else int(selected[row])
                raise EntryError(
                    f"feature {name!r} is {column[row]}, infinite in single precision; select those events away",
                    entry,
                )
        exact = {name: raw[name] if holds_integers(raw[name]) else column for name, column in columns.items()}
        spectators = {name: expression.evaluate(exact, len(weights)) for name, expression in self.spectators.items()}
        return Chunk(features, spectators, weights, all_weights, selected)

    def _weights(self, columns: Mapping[str, Any], events: int) -> NDArray[np.float64]:
        if self.weight is None:
            return np.ones(events)
        weights = np.asarray(self.weight.evaluate(columns, events), dtype=np.float64)
        if not np.isfinite(weights).all():
            entry = int(np.argmin(np.isfinite(weights)))
            way = "; data.missing declares a value in it missing" if self.missing and np.isnan(weights[entry]) else ""
            raise EntryError(f"weight {self.weight.text!r} is {weights[entry]}; weights must be finite{way}", entry)
        return weights

    def _features(self, columns: Mapping[str, Any], events: int) -> list[NDArray[Any]]:
        """The features, in single precision where they are no fractions, without sentinels."""
        features = [expression.evaluate(columns, events) for expression in self.features.values()]
        features = [column.astype(np.float32) if column.dtype.kind in "biu" else column for column in features]
        sentinels = self.sentinels
        return [
            replace_sentinels(column, sentinels.get(name, ()), name)
            for name, column in zip(self.features, features, strict=True)
        ]

    def _selected_entries(self, columns: Mapping[str, Any], events: int) -> NDArray[np.intp] | None:
        """The positions of the selected entries, or None where all are."""
        selected = np.ones(events, dtype=bool)
        for selection in self.selections:
            passes = selection.evaluate(columns, events)
            selected &= passes if passes.dtype == bool else (passes != 0) & (passes == passes)
        return None if selected.all() else np.flatnonzero(selected)


class EntryError(ValueError):
    """A value that no event may have, and the entry of the chunk that has it."""

    def __init__(self, message: str, entry: int) -> None:
        super().__init__(message)
        self.entry = entry


def parse_quantities(
    features: Mapping[str, str],
    leading: Mapping[str, int],
    spectators: Mapping[str, str],
    weight: str | None,
    selections: tuple[str | None, ...],
    missing: Declared = Declared(),  # noqa: B008  # frozen
) -> Quantities:
    """The parsed expressions; `leading` adds the first so many objects of a column as features name_0, name_1..."""
    for name, count in leading.items():
        if count < 1:
            raise ValueError(f"leading.{name} must be at least 1, not {count}")
    objects = {
        f"{name}_{i}": f"{name if name.isidentifier() else f'({name})'}[{i}]"
        for name, count in leading.items()
        for i in range(count)
    }
    if repeated := next((name for name in objects if name in features), None):
        raise ValueError(f"feature {repeated!r} is named by features and by leading; drop one of the two")
    return Quantities(
        features={name: parse(text) for name, text in {**features, **objects}.items()},
        spectators={name: parse(text) for name, text in spectators.items()},
        weight=None if weight is None else parse(weight),
        selections=tuple(parse(text) for text in selections if text is not None),
        missing=missing,
    )


def _infinite(column: NDArray[Any]) -> int | None:
    """The first row that is infinite in single precision; a finite sum says at once that there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.add.reduce(column, dtype=np.float32)):
            return None
        infinite = np.isinf(column.astype(np.float32))
    return int(np.argmax(infinite)) if infinite.any() else None

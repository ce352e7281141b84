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
    """The events selected from a range of entries: one column per feature and spectator, and the weights.

    selected  the positions of the selected entries; None if all are selected
    """

    features: list[NDArray[Any]]
    spectators: dict[str, NDArray[Any]]
    weights: NDArray[np.float64]
    all_weights: NDArray[np.float64]
    selected: NDArray[np.intp] | None


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """The quantities of an event: features, spectators, weight and selections, as expressions of the columns.

    missing  sentinels, which features and selections see as NaN. A weight that is a plain column is read unchanged, and
             so are spectators that are columns of whole numbers: they stay exact
    """

    features: Mapping[str, Expression]
    spectators: Mapping[str, Expression]
    weight: Expression | None
    selections: tuple[Expression, ...]
    missing: Declared = field(default_factory=Declared)

    @property
    def sentinels(self) -> Sentinels:
        """The sentinels of each feature that has any."""
        return self.missing.feature_sentinels(self.features)

    def check_missing(self) -> None:
        """Refuse sentinels for a name that is neither a feature nor a column of an expression (the weight aside)."""
        named = (*self.features.values(), *self.spectators.values(), *self.selections)
        self.missing.check((*self.features, *(column for expression in named for column in expression.columns)))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions of features, spectators, weight and selections."""
        expressions = [*self.features.values(), *self.spectators.values()]
        if self.weight is not None:
            expressions.append(self.weight)
        return (*expressions, *self.selections)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expressions need, each once."""
        return tuple(dict.fromkeys(column for expression in self.expressions for column in expression.columns))

    def evaluate(self, columns: Mapping[str, Any], events: int) -> Chunk:
        """The quantities of the selected entries; a ValueError names the entry at fault."""
        raw = converted_columns(columns, events)
        if self.missing:
            columns = self.missing.replace_sentinels(raw, self.features)
        else:
            columns = raw
        plain_weight = self.weight is not None and self.weight.is_column
        weights = self._weights(raw if plain_weight else columns, events)
        selected, all_weights = self._selected_entries(columns, events), weights
        if selected is not None:
            weights = weights[selected]
            expressions = (*self.features.values(), *self.spectators.values())
            needed = {name for expression in expressions for name in expression.columns}
            columns = {name: select_events(columns[name], selected) for name in needed}
            if self.missing:
                raw = {name: select_events(raw[name], selected) for name in needed}
            else:
                raw = columns
        features = self._features(columns, len(weights))
        for name, column in zip(self.features, features, strict=True):
            if (row := _infinite(column)) is not None:
                entry = row if selected is None else int(selected[row])
                raise EntryError(
                    f"feature {name!r} is {column[row]}, infinite in single precision; select those events away",
                    entry,
                )
        exact = {**columns, **{name: raw[name] for name in columns if holds_integers(raw[name])}}
        spectators = {name: expression.evaluate(exact, len(weights)) for name, expression in self.spectators.items()}
        return Chunk(features, spectators, weights, all_weights, selected)

    def _weights(self, columns: Mapping[str, Any], events: int) -> NDArray[np.float64]:
        if self.weight is None:
            return np.ones(events)
        weights = np.asarray(self.weight.evaluate(columns, events), dtype=np.float64)
        if not np.isfinite(weights).all():
            entry = int(np.argmin(np.isfinite(weights)))
            way = ""
            if self.missing and np.isnan(weights[entry]):
                way = "; data.missing declares a value in it missing"
            raise EntryError(f"weight {self.weight.text!r} is {weights[entry]}; weights must be finite{way}", entry)
        return weights

    def _features(self, columns: Mapping[str, Any], events: int) -> list[NDArray[Any]]:
        """The features without sentinels; whole numbers and booleans become single precision."""
        features = [expression.evaluate(columns, events) for expression in self.features.values()]
        features = [column.astype(np.float32) if column.dtype.kind in "biu" else column for column in features]
        sentinels = self.sentinels
        return [
            replace_sentinels(column, sentinels.get(name, ()), name)
            for name, column in zip(self.features, features, strict=True)
        ]

    def _selected_entries(self, columns: Mapping[str, Any], events: int) -> NDArray[np.intp] | None:
        """The positions of the selected entries; None if all are selected."""
        selected = np.ones(events, dtype=bool)
        for selection in self.selections:
            passes = selection.evaluate(columns, events)
            if passes.dtype != bool:
                # A number selects unless it is 0 or NaN.
                passes = (passes != 0) & ~np.isnan(passes)
            selected &= passes
        return None if selected.all() else np.flatnonzero(selected)


class EntryError(ValueError):
    """A value that no event may have, and the entry of the chunk that has it."""

    def __init__(self, message: str, entry: int) -> None:
        super().__init__(message)
        self.entry = entry


def parse_quantities(
    features: Mapping[str, str],
    leading: Mapping[str, int | tuple[int, ...]],
    spectators: Mapping[str, str],
    weight: str | None,
    selections: tuple[str | None, ...],
    missing: Declared = Declared(),  # noqa: B008  # frozen
) -> Quantities:
    """The parsed expressions; `leading` adds the objects of a list as features name_0, or pixels as name_0_0."""
    objects: dict[str, str] = {}
    for name, sizes in leading.items():
        shape = (sizes,) if isinstance(sizes, int) else sizes
        if not shape or min(shape) < 1:
            raise ValueError(f"leading.{name} must be at least 1, not {sizes if shape else 'an empty list'}")
        column = name if name.isidentifier() else f"({name})"
        for place, indices in enumerate(np.ndindex(shape)):
            objects["_".join((name, *map(str, indices)))] = f"{column}[{place}]"
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
    """The first row that is infinite in single precision; a finite sum shows at once that there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.add.reduce(column, dtype=np.float32)):
            return None
        infinite = np.isinf(column.astype(np.float32))
    if not infinite.any():
        return None
    return int(np.argmax(infinite))

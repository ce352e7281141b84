"""Expressions: features, selections and weights as text, in a closed language that can run no code.

The text is cut into known words and signs, read by Python's own grammar (`ast.parse`), and translated node by node into
functions of arrays (hepclf/data/language). A node, a name or a function that is not listed is refused, and the text is
never compiled or run. docs/expressions.md is the page for users.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.language import grammar
from hepclf.data.language.columns import as_column, event_blocks, with_shared_offsets
from hepclf.data.language.grammar import Built
from hepclf.data.language.jagged import Jagged, Value
from hepclf.data.language.words import ExpressionText
from hepclf.nearest import nearest


@dataclass(frozen=True)
class Expression:
    """One parsed expression: it is parsed once, checked against the columns, and evaluated chunk by chunk.

    text     as it was written
    columns  the names it needs, in the order in which they first appear
    """

    text: str
    columns: tuple[str, ...] = field(compare=False)
    _built: Built = field(repr=False, compare=False)

    @property
    def is_column(self) -> bool:
        """Whether it consists of one column alone."""
        return self._built.is_column

    def evaluate(self, columns: Mapping[str, Any], events: int) -> NDArray[Any]:
        """Its value for each event [events]: float64, or bool for a condition.

        A plain column comes back uncopied, with its own dtype. Counts stay integers; so do whole numbers under % and //
        by a whole number.
        """
        check_columns(self, columns)
        table = self._table(columns, events)
        pieces = [table] if self._built.is_column else event_blocks(table, events)
        with np.errstate(all="ignore"):
            values = [self._built.step(piece) for piece in pieces]
        if isinstance(values[0], Jagged):
            raise ExpressionText(self.text).error(
                0, "it gives a list an event; reduce it, as in max(...) or count(...), or take one element, as in x[0]"
            )
        if values[0].ndim == 0:
            is_condition = values[0].dtype == np.bool_
            return np.full(events, values[0], dtype=np.bool_ if is_condition else np.float64)
        return values[0] if len(values) == 1 else np.concatenate(values)

    def _table(self, columns: Mapping[str, Any], events: int) -> dict[str, Value]:
        table: dict[str, Value] = {}
        for name, place in self._built.places.items():
            try:
                table[name] = with_shared_offsets(as_column(columns[name], events), table.values())
            except ValueError as wrong:
                raise ExpressionText(self.text).error(place, f"column {name!r} {wrong}") from None
        return table

    def __reduce__(self) -> tuple[Callable[[str], Expression], tuple[str]]:
        return parse, (self.text,)


def parse(text: str) -> Expression:
    """The expression that the text spells, or a ValueError that says what is wrong with it and where."""
    if not isinstance(text, str):
        raise ValueError(f"an expression must be text, not {text!r}")
    built = grammar.build_expression(text)
    return Expression(text, tuple(built.places), built)


def check_columns(expression: Expression, columns: Collection[str]) -> None:
    """Refuse an expression that names an unknown column."""
    text = ExpressionText(expression.text)
    for name, place in expression._built.places.items():
        if name not in columns:
            raise text.error(place, f"column {name!r} is not there{nearest(name, columns)}")
    for name, place in expression._built.constants.items():
        if name in columns:
            raise text.error(place, f"{name!r} is a constant and a column as well; write `{name}` for the column")

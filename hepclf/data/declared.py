"""Declared: the values that stand for a missing one in files, from a loader's setting `missing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.cell import parse_number
from hepclf.data.delimited import EXACT
from hepclf.data.expressions import Expression
from hepclf.data.language.jagged import Jagged, elements
from hepclf.events import Sentinels, single_precision
from hepclf.nearest import nearest

Setting = tuple[str | float, ...] | Mapping[str, tuple[str | float, ...]]  # of all columns, or by feature or column


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Sentinels such as -999, for all columns or for those that are named.

    everywhere  in every column and feature
    named       feature or column -> its sentinels

    A feature has its own sentinels and those of the columns in its expression. NaN is always missing.
    """

    everywhere: tuple[float, ...] = ()
    named: Sentinels = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.everywhere or self.named)

    def column_sentinels(self, name: str, features: Mapping[str, Expression]) -> tuple[float, ...]:
        """The sentinels of a column: its own, and those of a feature that consists of this column alone."""
        plain = (values for feature, values in self.named.items() if _is_column(features.get(feature), name))
        return _union(self.everywhere, self.named.get(name, ()), *plain)

    def feature_sentinels(self, features: Mapping[str, Expression]) -> dict[str, tuple[float, ...]]:
        """The sentinels of each feature that has any."""
        sentinels = {}
        for name, expression in features.items():
            inherited = (self.column_sentinels(column, features) for column in expression.columns)
            sentinels[name] = _union(self.everywhere, self.named.get(name, ()), *inherited)
        return {name: values for name, values in sentinels.items() if values}

    def check(self, names: tuple[str, ...]) -> None:
        """Refuse a name that is neither a feature nor a column that is read."""
        for name in self.named:
            if name not in names:
                raise ValueError(
                    f"missing names {name!r}, which is neither a feature nor a column of one{nearest(name, names)}"
                )

    def replace_sentinels(self, columns: Mapping[str, Any], features: Mapping[str, Expression]) -> dict[str, Any]:
        """The columns with NaN in place of sentinels, also inside lists; booleans stay as they are."""
        return {
            name: replace_sentinels(column, self.column_sentinels(name, features), name)
            for name, column in columns.items()
        }


def declared(setting: Setting, *, has_text: bool = False) -> Declared:
    """The sentinels of a setting. Text that is not a number is accepted for text files alone."""
    if isinstance(setting, Mapping):
        named = {name: _numbers(values, f"missing.{name}", has_text) for name, values in setting.items()}
        return Declared(named=named)
    return Declared(everywhere=_numbers(setting, "missing", has_text))


def cells(setting: Setting, names: tuple[str, ...]) -> tuple[str | float, ...]:
    """The cells of a text file that mean a missing value: those for all columns, and those for these names."""
    if isinstance(setting, Mapping):
        return tuple(value for name in names for value in setting.get(name, ()))
    return setting


def replace_sentinels(column: Any, sentinels: tuple[float, ...], name: str) -> Any:
    """A column with NaN in place of sentinels, also inside lists; booleans stay as they are."""
    if isinstance(column, Jagged):
        return Jagged(column.offsets, replace_sentinels(column.content, sentinels, name))
    if not sentinels or not isinstance(column, np.ndarray) or column.dtype.kind not in "iuf":
        return column
    is_sentinel = _is_sentinel(column, sentinels)
    if not is_sentinel.any():
        return column
    if holds_integers(column) and (large := max(int(column.max()), int(column.min()), key=abs)) and abs(large) > EXACT:
        raise ValueError(
            f"column {name!r} holds {large}, beyond 2^53, and misses other values, which no one type holds exactly; "
            "declare sentinels by feature, as in missing={NAME: [...]}"
        )
    return np.where(is_sentinel, np.nan, column)


def holds_integers(column: Any) -> bool:
    """Whether a column holds whole numbers, one per event or a list of them."""
    values = elements(column)
    return isinstance(values, np.ndarray) and values.dtype.kind in "iu"


def _is_sentinel(column: NDArray[Any], sentinels: tuple[float, ...]) -> NDArray[np.bool_]:
    """Where a column holds sentinels. Whole numbers are compared exactly, others in single precision, as features are.

    A sentinel beyond single precision is compared exactly; in single precision it is infinite, as all
    larger values are.
    """
    is_sentinel = np.zeros(column.shape, dtype=bool)
    if holds_integers(column):
        limits = np.iinfo(column.dtype)
        for integer in (int(value) for value in sentinels if float(value).is_integer()):
            if limits.min <= integer <= limits.max:
                is_sentinel |= column == integer
        return is_sentinel
    with np.errstate(over="ignore"):
        rounded = column.astype(np.float32, copy=False)
    for value in sentinels:
        (near,) = single_precision((value,))
        if np.isinf(near) and column.dtype.itemsize > 4:
            is_sentinel |= column == value
        else:
            is_sentinel |= rounded == np.float32(near)
    return is_sentinel


def _numbers(values: tuple[str | float, ...], path: str, has_text: bool) -> tuple[float, ...]:
    """These sentinels as numbers; NaN is left out, as it is always missing."""
    numbers = {value: parse_number(str(value)) for value in values}
    for value, converted in numbers.items():
        if np.isnan(converted) and str(value).strip().lower() != "nan" and not has_text:
            raise ValueError(f"{path} must be numbers, as these files hold no text, not {value!r}; drop it")
        if converted and single_precision((converted,)) == [0]:
            raise ValueError(
                f"{path} must be numbers that features hold in single precision, not {converted:g}, which is 0 there; "
                "put another value into the files"
            )
    return _union(tuple(value for value in numbers.values() if not np.isnan(value)))


def _union(*parts: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(value for part in parts for value in part))


def _is_column(expression: Expression | None, column: str) -> bool:
    return expression is not None and expression.is_column and expression.columns == (column,)

"""The columns of a chunk, as expressions use them: arrays of numbers or booleans, one per event or a list per event.

An array with a shape per event, such as an image, is the list of its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.language.jagged import Jagged, Value, elements, lift

BLOCK = 2**16


def event_blocks(table: Mapping[str, Value], events: int) -> Iterator[Mapping[str, Value]]:
    """The table in blocks whose intermediate arrays fit the processor's cache; at least one block, maybe empty."""
    if events <= BLOCK:
        yield table
        return
    for start in range(0, events, BLOCK):
        yield {name: _piece(value, start, start + BLOCK) for name, value in table.items()}


def _piece(value: Value, start: int, stop: int) -> Value:
    if not isinstance(value, Jagged):
        return value[start:stop]
    offsets = value.offsets[start : stop + 1]
    return Jagged(offsets - offsets[0], value.content[offsets[0] : offsets[-1]])


def converted_columns(columns: Mapping[str, Any], events: int) -> dict[str, Any]:
    """The columns in the form that expressions use; each is converted once, even if many expressions name it.

    A column that no expression could use stays as it is: the expression that names it reports the error with its place.
    """
    values_by_name: dict[str, Any] = {}
    for name, values in columns.items():
        try:
            values_by_name[name] = with_shared_offsets(as_column(values, events), values_by_name.values())
        except ValueError:
            values_by_name[name] = values
    return values_by_name


def with_shared_offsets(value: Value, columns: Collection[Value]) -> Value:
    """The value with the offsets object of an equal column, so that later comparisons are by identity."""
    if isinstance(value, Jagged):
        if any(isinstance(column, Jagged) and column.offsets is value.offsets for column in columns):
            return value
        for column in columns:
            alike = isinstance(column, Jagged) and column.offsets[-1] == value.offsets[-1]
            if alike and np.array_equal(column.offsets, value.offsets):
                return Jagged(column.offsets, value.content)
    return value


def select_events(values: Any, rows: NDArray[np.intp]) -> Any:
    """The values of a column in these events."""
    if not isinstance(values, Jagged):
        return values[rows]
    counts = values.counts[rows]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    places = np.repeat(values.offsets[:-1][rows] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Jagged(offsets, values.content[places])


def as_column(values: Any, events: int) -> Value:
    """A column as an array [events] or as lists; only numbers and booleans are accepted."""
    value: Value
    if type(values).__module__.partition(".")[0] == "awkward":  # by name: the import takes long
        value = _from_awkward(values)
    elif isinstance(values, Jagged):
        value = values
    else:
        value = np.asarray(values)
    if isinstance(value, np.ndarray) and value.ndim > 1:
        value = Jagged(np.arange(len(value) + 1) * math.prod(value.shape[1:]), value.reshape(-1))
    flat = elements(value)
    if flat.ndim != 1:
        raise ValueError(f"holds {flat.ndim}-dimensional values; one value or one list an event can be used")
    if flat.dtype.kind not in "biuf":
        kind = {"U": "text", "S": "text", "O": "objects"}.get(flat.dtype.kind, str(flat.dtype))
        raise ValueError(f"holds {kind}; numbers and booleans can be used")
    length = len(value.offsets) - 1 if isinstance(value, Jagged) else len(value)
    if length != events:
        raise ValueError(f"must hold {events} events, not {length}")
    if flat.dtype.itemsize > 8:
        return lift(lambda content: content.astype(np.float64), value)
    return value


def _from_awkward(array: Any) -> Value:
    import awkward as ak

    if ak.fields(array):
        raise ValueError(f"holds records of {', '.join(ak.fields(array)[:5])}; name one of their columns")
    if array.ndim > 2 and "var" in str(array.type):
        raise ValueError("holds lists of lists; one value or one list an event can be used")
    try:
        if array.ndim == 1:
            return _filled(array)
        for _ in range(array.ndim - 2):
            array = ak.flatten(array, axis=2)
        array = ak.from_regular(ak.fill_none(array, [], axis=0))
        offsets = np.asarray(ak.to_packed(array).layout.offsets, dtype=np.int64)
        return Jagged(offsets, _filled(ak.flatten(array)))
    except (TypeError, ValueError, NotImplementedError):
        raise ValueError(f"holds {array.type.content}; numbers and booleans can be used") from None


def _filled(array: Any) -> NDArray[Any]:
    """As numpy, with NaN for a missing value."""
    import awkward as ak

    return np.asarray(ak.to_numpy(ak.fill_none(array, np.nan)))

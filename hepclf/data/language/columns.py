"""The columns of a chunk as expressions see them: arrays of numbers or booleans, one or a list of them an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.language.jagged import Jagged, Value, jagged, lift


class Table(NamedTuple):
    """The columns of one chunk; each is looked at once."""

    columns: Mapping[str, Any]
    events: int
    seen: dict[str, Value]

    def value(self, name: str) -> Value:
        """The column of this name."""
        if name not in self.seen:
            value = column(self.columns[name], self.events)
            self.seen[name] = self._aligned(value) if isinstance(value, Jagged) else value
        return self.seen[name]

    def _aligned(self, lists: Jagged) -> Jagged:
        """With the very offsets of a column seen before, where they are equal: they need no comparison later."""
        for other in self.seen.values():
            if isinstance(other, Jagged) and np.array_equal(other.offsets, lists.offsets):
                return Jagged(other.offsets, lists.content)
        return lists


def column(values: Any, events: int) -> Value:
    """A column as an array [events] or as lists; numbers and booleans alone are taken."""
    lists = type(values).__module__.partition(".")[0] == "awkward"
    value: Value = _from_awkward(values) if lists else np.asarray(values)
    if isinstance(value, np.ndarray) and value.ndim == 2:
        value = jagged(np.full(len(value), value.shape[1]), value.reshape(-1))
    flat = value.content if isinstance(value, Jagged) else value
    if flat.ndim != 1:
        raise ValueError(f"holds {flat.ndim}-dimensional values; one value or one list an event can be used")
    if flat.dtype.kind not in "biuf":
        kind = {"U": "text", "S": "text", "O": "objects"}.get(flat.dtype.kind, str(flat.dtype))
        raise ValueError(f"holds {kind}; numbers and booleans can be used")
    length = len(value.offsets) - 1 if isinstance(value, Jagged) else len(value)
    if length != events:
        raise ValueError(f"holds {length} events, however {events} are due")
    if flat.dtype.itemsize > 8:
        return lift(lambda content: content.astype(np.float64), value)
    return value


def _from_awkward(array: Any) -> Value:
    import awkward as ak

    if ak.fields(array):
        raise ValueError(f"holds records of {', '.join(ak.fields(array)[:5])}; name one of their columns")
    if array.ndim > 2:
        raise ValueError("holds lists of lists; one value or one list an event can be used")
    try:
        if array.ndim == 1:
            return _filled(array)
        array = ak.fill_none(array, [], axis=0)
        return jagged(ak.to_numpy(ak.num(array)), _filled(ak.flatten(array)))
    except (TypeError, ValueError, NotImplementedError):
        raise ValueError(f"holds {array.type.content}; numbers and booleans can be used") from None


def _filled(array: Any) -> NDArray[Any]:
    """As numpy, NaN where a value is missing."""
    import awkward as ak

    filled = ak.to_numpy(ak.fill_none(array, np.nan) if "?" in str(array.type) else array)
    return np.asarray(filled)

"""The values of one feature in ascending order, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 16  # events; arrays of this length fit into the processor's cache
PLACE = np.uint64(0xFFFFFFFF)
SIGN, REST = np.uint32(1 << 31), np.uint32((1 << 31) - 1)


class SortedChunk(NamedTuple):
    """Neighbours in the order: their values, the indices of their events, and the end of each distinct value."""

    values: NDArray[np.float64]
    places: NDArray[np.intp]
    ends: NDArray[np.intp]


class Ascending:
    """The finite values of a float32 column, sorted once; ties stay together.

    A value and the index of its event are packed into one 64-bit number. Sorting these is twice as fast as an argsort,
    and needs 8 bytes an event.
    """

    def __init__(self, column: NDArray[np.float32]) -> None:
        if len(column) > int(PLACE):
            raise ValueError(f"{len(column):,} events are more than the {int(PLACE):,} that can be sorted; read fewer")
        places = np.flatnonzero(np.isfinite(column)).astype(np.uint64)
        bits = (column[places] + np.float32(0)).view(np.uint32)  # -0.0 is 0.0
        # These keys sort as the floats do: negative numbers have all bits flipped, others the sign bit alone.
        keys = np.where(bits & SIGN, ~bits, bits | SIGN)
        self._sorted = (keys.astype(np.uint64) << np.uint64(32)) | places
        self._sorted.sort()

    def __len__(self) -> int:
        return len(self._sorted)

    def value(self, rank: int) -> float:
        """The value of this rank, 0 for the lowest."""
        return float(_values(self._sorted[rank : rank + 1])[0])

    def chunks(self) -> Iterator[SortedChunk]:
        """All values in ascending order; equal values are in one chunk."""
        start = 0
        while start < len(self):
            stop = self._after_tie(min(start + CHUNK, len(self)) - 1)
            part = self._sorted[start:stop]
            values = _values(part)
            ends = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)
            yield SortedChunk(values, (part & PLACE).astype(np.intp), ends)
            start = stop

    def _after_tie(self, rank: int) -> int:
        """The rank after the last event of the value that this rank has."""
        return int(np.searchsorted(self._sorted, self._sorted[rank] | PLACE, side="right"))


def _values(packed: NDArray[np.uint64]) -> NDArray[np.float64]:
    keys = (packed >> np.uint64(32)).astype(np.uint32)
    return np.where(keys & SIGN, keys & REST, ~keys).view(np.float32).astype(np.float64)

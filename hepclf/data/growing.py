"""Tables that grow chunk by chunk, in memory or in files, so that nothing is held twice."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.data.cache import unwritable
from hepclf.data.table import Chunk

GROWTH = 1.25
ROWS = 1 << 12
FEATURES, WEIGHTS, SPECTATOR = "features", "weights", "spectator "


class Growing(Protocol):
    """A table of features, weights and spectators that takes chunks."""

    rows: int

    def append(self, chunk: Chunk) -> None:
        """Add these events at the end."""
        ...

    def cut(self, rows: int) -> None:
        """Drop all events after the first `rows`."""
        ...

    def finish(self) -> dict[str, NDArray[Any]]:
        """The arrays: FEATURES [n, d], WEIGHTS [n], and each spectator [n]."""
        ...

    def close(self) -> None:
        """Release what the arrays do not need."""
        ...


class InMemory:
    """A table in memory that grows in place."""

    def __init__(self, features: int, spectators: Mapping[str, np.dtype[Any]], expected: int) -> None:
        self.rows = 0
        self._columns: dict[str, NDArray[Any]] = {
            FEATURES: np.empty((expected, features), dtype=np.float32),
            WEIGHTS: np.empty(expected),
            **{SPECTATOR + name: np.empty(expected, dtype=dtype) for name, dtype in spectators.items()},
        }

    def append(self, chunk: Chunk) -> None:
        """Add these events at the end."""
        start, stop = self.rows, self.rows + len(chunk.weights)
        if stop > len(self._columns[WEIGHTS]):
            self._resize(max(stop, int(len(self._columns[WEIGHTS]) * GROWTH)))
        _fill(self._columns[FEATURES][start:stop], chunk)
        self._columns[WEIGHTS][start:stop] = chunk.weights
        for name, column in chunk.spectators.items():
            self._columns[SPECTATOR + name][start:stop] = column
        self.rows = stop

    def cut(self, rows: int) -> None:
        """Drop all events after the first `rows`."""
        self.rows = rows

    def finish(self) -> dict[str, NDArray[Any]]:
        """The arrays, without the unused memory."""
        self._resize(self.rows)
        return self._columns

    def close(self) -> None:
        """Nothing to release."""

    def _resize(self, rows: int) -> None:
        """In place, by moving pages where the system can; no other object refers to these arrays yet."""
        for column in self._columns.values():
            column.resize((rows, *column.shape[1:]), refcheck=False)


class InFiles:
    """A table in the files 0.bin, 1.bin... of a folder, one per column, features first; `finish` maps them."""

    def __init__(self, features: int, spectators: Mapping[str, np.dtype[Any]], folder: Path) -> None:
        self.rows = 0
        self._kinds: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
            FEATURES: (np.dtype(np.float32), (features,)),
            WEIGHTS: (np.dtype(np.float64), ()),
            **{SPECTATOR + name: (dtype, ()) for name, dtype in spectators.items()},
        }
        with unwritable(folder.parent), ExitStack() as stack:
            self._files: dict[str, IO[bytes]] = {
                name: stack.enter_context((folder / f"{place}.bin").open("wb"))
                for place, name in enumerate(self._kinds)
            }
            self._open = stack.pop_all()
        self._folder = folder

    def append(self, chunk: Chunk) -> None:
        """Add these events at the end."""
        features = np.empty((len(chunk.weights), *self._kinds[FEATURES][1]), dtype=np.float32)
        _fill(features, chunk)
        spectators = {SPECTATOR + name: column for name, column in chunk.spectators.items()}
        with unwritable(self._folder.parent):
            for name, column in {FEATURES: features, WEIGHTS: chunk.weights, **spectators}.items():
                values = np.ascontiguousarray(column, dtype=self._kinds[name][0])
                # An empty array has no buffer to cast.
                if values.size:
                    self._files[name].write(values.data.cast("B"))
        self.rows += len(chunk.weights)

    def cut(self, rows: int) -> None:
        """Drop all events after the first `rows`."""
        self.rows = rows
        for name, file in self._files.items():
            file.seek(rows * self._width(name))
            file.truncate()

    def finish(self) -> dict[str, NDArray[Any]]:
        """Memory maps of the files; without events, empty arrays."""
        self.close()
        return {name: self._map(name) for name in self._kinds}

    def close(self) -> None:
        """Close the files."""
        with unwritable(self._folder.parent):
            self._open.close()

    def _map(self, name: str) -> NDArray[Any]:
        dtype, shape = self._kinds[name][0], (self.rows, *self._kinds[name][1])
        if not self.rows * self._width(name):
            return np.empty(shape, dtype=dtype)
        return np.memmap(self._files[name].name, dtype=dtype, mode="r", shape=shape)

    def _width(self, name: str) -> int:
        dtype, shape = self._kinds[name]
        return dtype.itemsize * int(np.prod(shape))


def _fill(rows: NDArray[np.float32], chunk: Chunk) -> None:
    """Copy the features of a chunk column by column, in blocks of rows that stay in the processor's cache."""
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        for index, column in enumerate(chunk.features):
            part[:, index] = column[start : start + ROWS]

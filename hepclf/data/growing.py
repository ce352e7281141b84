"""Tables that grow a chunk at a time, in memory or in files, such that nothing is held twice."""

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
        """Forget what was added after so many events."""
        ...

    def finish(self) -> dict[str, NDArray[Any]]:
        """The arrays: FEATURES [n, d], WEIGHTS [n], and each spectator [n]."""
        ...

    def close(self) -> None:
        """Let go of what is not needed for the arrays."""
        ...


class InMemory:
    """A table in memory, that grows in place."""

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
        """Forget what was added after so many events."""
        self.rows = rows

    def finish(self) -> dict[str, NDArray[Any]]:
        """The arrays, without the memory that was not needed."""
        self._resize(self.rows)
        return self._columns

    def close(self) -> None:
        """There is nothing to let go."""

    def _resize(self, rows: int) -> None:
        """In place, by moving pages where the system can; nobody else holds these arrays yet."""
        for column in self._columns.values():
            column.resize((rows, *column.shape[1:]), refcheck=False)


class InFiles:
    """A table in the files 0.bin, 1.bin... of a folder, one a column, features first; what it makes are their maps."""

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
                self._files[name].write(values.data.cast("B") if values.size else b"")
        self.rows += len(chunk.weights)

    def cut(self, rows: int) -> None:
        """Forget what was added after so many events."""
        self.rows = rows
        for name, file in self._files.items():
            file.seek(rows * self._width(name))
            file.truncate()

    def finish(self) -> dict[str, NDArray[Any]]:
        """The maps of the files; of no events, empty arrays."""
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
    """The features of a chunk, column by column for so few rows at a time that these stay in the processor's cache."""
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        for index, column in enumerate(chunk.features):
            part[:, index] = column[start : start + ROWS]

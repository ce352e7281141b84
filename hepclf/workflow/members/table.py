"""Events in files that several processes map, so that all of them share one table in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.disk import mapped
from hepclf.events import Events
from hepclf.workflow.members.sets import FoldSets
from hepclf.workflow.prepare import Prepared

SPECTATOR = "spectator "


class StoredArray(NamedTuple):
    """Where an array is: the file, the place in it, its type and its shape."""

    path: str
    offset: int
    dtype: str
    shape: tuple[int, ...]

    def read(self) -> NDArray[Any]:
        """The array, mapped."""
        return np.memmap(self.path, dtype=self.dtype, mode="r", offset=self.offset, shape=self.shape)


class StoredTable(NamedTuple):
    """Prepared events in files: their arrays by name, all that is not an array, and the number of folds."""

    arrays: dict[str, StoredArray]
    facts: dict[str, Any]
    members: int

    def read(self) -> Prepared:
        """The events and their folds, mapped from the files."""
        columns: dict[str, Any] = {name: array.read() for name, array in self.arrays.items()}
        folds = FoldSets(count=self.members, folds=columns.pop("folds"), validators=columns.pop("validators"))
        names = [name for name in columns if name.startswith(SPECTATOR)]
        spectators = {name.removeprefix(SPECTATOR): columns.pop(name) for name in names}
        events = Events(spectators=spectators, **columns, **self.facts)
        return Prepared(events=events, split=folds.split(0), folds=folds)


def stored_table(prepared: Prepared, folder: Path) -> StoredTable:
    """Write events and folds into a folder; a table that is a map of a whole file already stays where it is."""
    events, folds = prepared.events, prepared.folds
    if folds is None:
        raise ValueError("these events are not in folds")
    columns: dict[str, NDArray[Any]] = {
        "features": events.features,
        "labels": events.labels,
        "weights": events.weights,
        "processes": events.processes,
        "folds": folds.folds,
        "validators": folds.validators,
        **{SPECTATOR + name: column for name, column in events.spectators.items() if column.dtype.kind in "biufU"},
    }
    arrays = {name: _stored(column, folder / f"{place}.npy") for place, (name, column) in enumerate(columns.items())}
    facts = {name: getattr(events, name) for name in ("names", "classes", "process_names", "sentinels")}
    return StoredTable(arrays, facts, folds.count)


def _stored(array: NDArray[Any], path: Path) -> StoredArray:
    source = _map_of_whole_file(array)
    if source is not None and Path(str(source.filename)).is_file():
        return StoredArray(str(source.filename), source.offset, array.dtype.str, array.shape)
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        offset = file.tell() - array.nbytes
    return StoredArray(str(path.absolute()), offset, array.dtype.str, array.shape)


def _map_of_whole_file(array: NDArray[Any]) -> np.memmap[Any, Any] | None:
    """The memory map that this array shows from its first to its last byte; None for a part of one, or none."""
    source = mapped(array)
    while source is not None and isinstance(source.base, np.memmap):
        source = source.base
    if source is None or not array.flags.c_contiguous:
        return None
    is_whole = source.nbytes == array.nbytes and source.ctypes.data == array.ctypes.data
    return source if is_whole else None

"""Tables that are larger than memory: the memory of this process, and parts of tables that stay on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.files import temporary_path

SHARE = 4  # a table that needs more than 1/SHARE of the memory stays on disk
BLOCK = 1 << 26  # bytes of a table that are in memory at a time

CGROUPS = Path("/sys/fs/cgroup")


def mapped(array: NDArray[Any]) -> np.memmap[Any, Any] | None:
    """The memory map that this array is a view of, or None if it lies in memory."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.filename is not None:
            return base
        base = base.base
    return None


def fits(size: int) -> bool:
    """Whether a table of this many bytes may be held in memory. The answer is always the same."""
    return size * SHARE <= memory()


def memory() -> int:
    """The bytes that this process may use: those of the machine, or fewer by its control group or limits."""
    if os.name == "nt":
        return sys.maxsize  # Windows has no such limits; tables are then held in memory
    import resource

    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits()]
    for name in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft = resource.getrlimit(name)[0]
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)


def _cgroup_limits() -> Iterator[int]:
    """The limits of the control groups of this process and of their parents, for both versions."""
    memberships = Path("/proc/self/cgroup")
    if not memberships.is_file():
        return
    for line in memberships.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, name = CGROUPS, "memory.max"
        if controllers == "memory":  # version 1 has a tree of its own for each controller
            root, name = CGROUPS / "memory", "memory.limit_in_bytes"
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            limit = folder / name
            if folder.is_relative_to(root) and limit.is_file() and (text := limit.read_text().strip()).isdigit():
                yield int(text)


def row_blocks(table: NDArray[Any], count: int | None = None) -> Iterator[slice]:
    """Slices of the rows of a table (or of `count` such rows), in order, of at most BLOCK bytes each."""
    rows = len(table) if count is None else count
    size = max(1, BLOCK // max(1, table[:1].nbytes))
    for start in range(0, rows, size):
        yield slice(start, start + size)


def take_rows(table: NDArray[Any], index: NDArray[Any]) -> NDArray[Any]:
    """These rows of a table (or those where a mask holds), in this order.

    Rows of a memory map that are too large for memory become a memory map of a temporary file beside it.
    """
    source = mapped(table)
    positions = np.flatnonzero(index) if index.dtype == bool else index
    if source is None or fits(len(positions) * table[:1].nbytes):
        selected: NDArray[Any] = table[index]
        return selected
    parts = (table[positions[block]] for block in row_blocks(table, len(positions)))
    return _written(parts, _folder(source), table.dtype, (len(positions), *table.shape[1:]))


def spilled(table: NDArray[Any]) -> NDArray[Any]:
    """A table of the memory as a memory map of a temporary file."""
    parts = (table[block] for block in row_blocks(table))
    return _written(parts, Path(gettempdir()), table.dtype, table.shape)


def _written(
    parts: Iterable[NDArray[Any]], folder: Path, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.memmap[Any, Any]:
    """A memory map of these parts, in a file that loses its name at once, so that it vanishes with the process."""
    path = temporary_path(folder / "rows")
    with open(str(path), "xb+") as file:  # noqa: PTH123  # numpy names a map after its file only where that is a text
        path.unlink()
        for part in parts:  # written, not mapped, so that a full disk is an error and does not kill the process
            file.write(np.ascontiguousarray(part).data)
        file.flush()
        return np.memmap(file, dtype=dtype, mode="r", shape=shape)


def _folder(source: np.memmap[Any, Any]) -> Path:
    """The folder of a memory map, or the nearest parent that exists if it was renamed or removed."""
    return next(folder for folder in Path(str(source.filename)).parents if folder.is_dir())

"""Tables that are larger than memory: how much there is, and what of a table stays on disk."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARE = 4  # a table that takes more than one such part of the memory stays on disk
BLOCK = 1 << 26  # bytes of a table that are looked at together

CGROUPS = Path("/sys/fs/cgroup")


def mapped(array: NDArray[Any]) -> np.memmap[Any, Any] | None:
    """The memory map that this array is a view of, or None where it lies in memory."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.filename is not None:
            return base
        base = base.base
    return None


def fits(size: int) -> bool:
    """Whether a table of so many bytes may be held in memory. The same on each call, so that a seed decides alone."""
    return size * SHARE <= memory()


def memory() -> int:
    """The bytes that this process may use: the machine's, or what its control group or limits leave of them."""
    if os.name == "nt":
        return sys.maxsize  # Windows tells neither in this way; tables are then held in memory
    import resource

    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits()]
    for name in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft = resource.getrlimit(name)[0]
        limits += [] if soft == resource.RLIM_INFINITY else [soft]
    return min(limits)


def _cgroup_limits() -> Iterator[int]:
    """The limits of the control groups of this process and of those above, of both versions."""
    memberships = Path("/proc/self/cgroup")
    for line in memberships.read_text().splitlines() if memberships.is_file() else []:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, name = (CGROUPS, "memory.max") if controllers == "" else (CGROUPS / "memory", "memory.limit_in_bytes")
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            limit = folder / name
            if folder.is_relative_to(root) and limit.is_file() and (text := limit.read_text().strip()).isdigit():
                yield int(text)


def blocks(table: NDArray[Any], count: int | None = None) -> Iterator[slice]:
    """Stretches of the rows of a table (or of so many like them), in order, that are small enough to hold together."""
    rows = max(1, BLOCK // max(1, table[:1].nbytes))
    for start in range(0, len(table) if count is None else count, rows):
        yield slice(start, start + rows)


def rows(table: NDArray[Any], index: NDArray[Any]) -> NDArray[Any]:
    """These rows of a table (or those where a mask holds), in this order.

    Of a memory map they are one again where they are too many for memory: in a file beside it.
    """
    source = mapped(table)
    places = np.flatnonzero(index) if index.dtype == bool else index
    if source is None or fits(len(places) * table[:1].nbytes):
        found: NDArray[Any] = table[index]
        return found
    # Without a name from the start, so that nothing is left of it, however the process ends; and written, not mapped:
    # a full disk is then an error, and not the end of the process.
    with tempfile.NamedTemporaryFile(dir=_folder(source), prefix=".rows-", delete=False) as file:
        Path(file.name).unlink()
        for part in blocks(table, len(places)):
            file.write(np.ascontiguousarray(table[places[part]]).data)
        file.flush()
        return np.memmap(file, dtype=table.dtype, mode="r", shape=(len(places), *table.shape[1:]))


def _folder(source: np.memmap[Any, Any]) -> Path:
    """The folder of a map, or what is left above it where it was renamed or removed."""
    return next(folder for folder in Path(str(source.filename)).parents if folder.is_dir())

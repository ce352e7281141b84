"""Parts: the files of samples in any format, and how their entries are read into one table."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from hepclf.data.expressions import check_columns
from hepclf.data.growing import Growing
from hepclf.data.loader import Tell
from hepclf.data.samples import SumOfWeights
from hepclf.data.table import Chunk, EntryError, Quantities

AHEAD = 2  # chunks that are read while one is evaluated
KEPT_OPEN = 100  # files, between the inspection of their columns and the reading of their entries
T = TypeVar("T")


class FileError(ValueError):
    """A file that cannot be read; the message names it."""


class File(Protocol):
    """A file of entries with named columns, opened at first use; a part that cannot be read raises a FileError."""

    name: str

    @property
    def entries(self) -> int:
        """Number of entries."""
        ...

    @property
    def columns(self) -> Collection[str]:
        """The names of its columns."""
        ...

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:
        """Where the chunks begin, and where the last one ends, so that little is decompressed twice."""
        ...

    def read(self, columns: tuple[str, ...], start: int, stop: int) -> Mapping[str, Any]:
        """These columns of these entries: flat ones as numpy arrays, jagged ones as awkward arrays."""
        ...

    def stored(self, location: SumOfWeights) -> float:
        """The sum of weights that the file stores at this location."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(kw_only=True, eq=False)
class Part:
    """A file of a sample: the quantities to compute from it, and the counts of what was read so far."""

    process: int
    file: File
    quantities: Quantities
    columns: frozenset[str] = frozenset()  # that the file has
    cuts: list[int] = field(default_factory=list)
    dtypes: Mapping[str, np.dtype[Any]] = field(default_factory=dict)  # of the spectators
    stored: float = 0.0  # the sum of weights that the file keeps
    size: int = 0  # entries there are
    first: int = 0  # entry to read
    entries: int = 0  # to read
    fraction: float = 1.0  # of the file's entries that these are
    rows: int = 0
    total: float = 0.0  # sum of weights of the entries read, before the selection
    bad: Exception | None = None

    @property
    def last(self) -> int:
        """The entry after the last one to read."""
        return self.first + self.entries


class ChunkResult(NamedTuple):
    """The events read from these entries of a file, or the error if the file cannot be read."""

    part: Part
    start: int
    stop: int
    events: Chunk | Exception


def inspect_parts(
    parts: list[Part], readers: Executor, *, chunk: int, stored: Mapping[int, SumOfWeights], skip: bool
) -> None:
    """Check the names and types in every file before the first chunk is read.

    stored  process -> where its files store their sum of weights
    skip    a file that cannot be read is marked as bad; otherwise its error is raised
    """
    for part in ahead((partial(_inspect, part, chunk, stored.get(part.process), skip) for part in parts), readers):
        if len(parts) > KEPT_OPEN:
            part.file.close()


def _inspect(part: Part, chunk: int, stored: SumOfWeights | None, skip: bool) -> Part:
    try:
        with _locating_errors(part):
            with reading(part.file):
                part.columns = frozenset(part.file.columns)
            for expression in part.quantities.expressions:
                check_columns(expression, part.columns)
            with reading(part.file):
                part.size = part.file.entries
                part.cuts = part.file.cuts(part.quantities.columns, chunk)
                if stored is not None:
                    part.stored = part.file.stored(stored)
                no_rows = part.file.read(part.quantities.columns, 0, 0)
            nothing = part.quantities.evaluate(no_rows, 0)
            part.dtypes = {name: column.dtype for name, column in nothing.spectators.items()}
    except (FileError, FileNotFoundError) as error:
        _mark_bad(part, error, skip)
    return part


def assign_entries(parts: list[Part], rows: tuple[int, int] | None, limit: int | None) -> None:
    """Set the entries to read from each file: a range counted over all files, at most `limit` entries."""
    start, stop = rows or (0, sys.maxsize)
    if limit is not None:
        stop = min(stop, start + limit)
    preceding = 0
    for part in parts:
        if part.bad is None:
            part.first = min(max(start - preceding, 0), part.size)
            part.entries = min(max(stop - preceding, 0), part.size) - part.first
            # An empty file inside the range counts as read completely: its stored sum of weights must be added.
            part.fraction = float(start <= preceding < stop)
            if part.size:
                part.fraction = part.entries / part.size
            preceding += part.size


def read_parts(parts: list[Part], readers: Executor, table: Growing, *, skip: bool, tell: Tell) -> None:
    """Append the selected events of all parts to a table in their order, and count them in each part."""
    entries, done = sum(part.entries for part in parts), 0
    tasks = (
        partial(_read_chunk, part, max(start, part.first), min(stop, part.last))
        for part in parts
        for start, stop in pairwise(part.cuts)
        if start < part.last and stop > part.first and part.bad is None
    )
    for part, start, stop, events in ahead(tasks, readers):
        done += stop - start
        tell(done, entries)
        if part.bad is not None:
            continue
        if isinstance(events, Exception):
            _mark_bad(part, events, skip)
            table.cut(table.rows - part.rows)
            continue
        part.total += float(events.all_weights.sum())
        part.rows += len(events.weights)
        table.append(events)
        if stop == part.last:
            part.file.close()


def _read_chunk(part: Part, start: int, stop: int) -> ChunkResult:
    try:
        with _locating_errors(part, start):
            with reading(part.file):
                columns = part.file.read(part.quantities.columns, start, stop)
            return ChunkResult(part, start, stop, part.quantities.evaluate(columns, stop - start))
    except (FileError, FileNotFoundError) as error:
        return ChunkResult(part, start, stop, error)


def _mark_bad(part: Part, error: Exception, skip: bool) -> None:
    if not skip:
        raise error
    part.bad = error


@contextmanager
def reading(file: File) -> Iterator[None]:
    """What a library raises on damaged bytes in this block is a FileError; errors in the settings pass unchanged."""
    try:
        yield
    except (ValueError, FileNotFoundError):
        raise
    except MemoryError as error:
        raise MemoryError(f"{file.name}: {error}; it may be damaged, or chunk too large") from error
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{file.name} cannot be read: {message}") from error


@contextmanager
def _locating_errors(part: Part, start: int = 0) -> Iterator[None]:
    """Errors in this block begin with the file and, if one entry is at fault, its number in the file."""
    try:
        yield
    except FileError:
        raise
    except EntryError as error:
        raise ValueError(f"{part.file.name}, entry {start + error.entry}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{part.file.name}: {error}") from error


def ahead(tasks: Iterable[Callable[[], T]], readers: Executor) -> Iterator[T]:
    """The results of these tasks in their order; a few tasks always run ahead."""
    waiting: deque[Future[T]] = deque()
    try:
        for task in tasks:
            waiting.append(readers.submit(task))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def spectator_dtypes(parts: list[Part]) -> dict[str, np.dtype[Any]]:
    """The type of each spectator that holds its values exactly in all files."""
    dtypes: dict[str, np.dtype[Any]] = {}
    for part in parts:
        for name, dtype in part.dtypes.items():
            common = np.result_type(dtypes.get(name, dtype), dtype)
            if common.kind == "f" and dtype.kind in "iu" and dtypes[name].kind in "iu":
                raise ValueError(
                    f"spectator {name!r} is {dtype} in {part.file.name} and {dtypes[name]} before, which no one type "
                    "holds exactly; read these files on their own"
                )
            dtypes[name] = common
    return dtypes

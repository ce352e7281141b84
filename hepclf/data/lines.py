"""Lines: a delimited text file as a file of entries, read block by block."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, chain, islice, pairwise
from threading import Lock
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data import delimited, frames
from hepclf.data.cell import Missing, is_integer
from hepclf.data.delimited import EXACT, TextLayout
from hepclf.data.parts import FileError
from hepclf.data.samples import Source, SumOfWeights, missing_file


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a delimited text file is written.

    names    of the columns, if the file has no header; by default c0, c1...
    missing  texts of a missing value, besides the empty cell and NaN
    """

    delimiter: str = ","
    header: bool = True
    names: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class TextBlock(NamedTuple):
    """Some rows of a file: the number of lines above them, their bytes, and their number."""

    above: int
    text: bytes
    rows: int


class DelimitedFile:
    """A delimited text file, plain or compressed; it is opened at first use.

    It is read from its beginning, as a compressed file must be; blocks that are requested in order are read once.
    A column is int64 if it holds whole numbers in the full file, otherwise float64.
    """

    def __init__(self, source: Source, dialect: Dialect, chunk: int) -> None:
        self.path, self.dialect, self.chunk = source.path, dialect, chunk
        self.name = str(source.path)
        self._lock = Lock()
        self._layout: TextLayout | None = None
        self._cuts: list[int] = []
        self._kinds: dict[str, np.dtype[Any]] = {}
        self._stream: Generator[TextBlock, None, None] | None = None
        self._next = 0  # block of the stream
        self._waiting: dict[int, TextBlock] = {}  # blocks that another thread asks for

    @property
    def entries(self) -> int:
        """Number of rows."""
        return self._block_starts()[-1]

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(self._opened().names)

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:  # noqa: ARG002
        """About a chunk of lines apart; the chunk was set when the file was created."""
        return list(self._block_starts())

    def read(self, columns: tuple[str, ...], start: int, stop: int) -> Mapping[str, NDArray[Any]]:
        """These columns of the entries from start to stop."""
        layout, kinds = self._opened(), self._column_types(columns)
        parts = [
            (self._columns(layout, self._block(index), columns), slice(max(start - low, 0), stop - low))
            for index, (low, high) in enumerate(pairwise(self._block_starts()))
            if low < stop and high > start
        ]
        arrays: dict[str, NDArray[Any]] = {}
        for name in columns:
            values = [_cast(part[name][rows], kinds[name]) for part, rows in parts]
            arrays[name] = np.concatenate(values) if values else np.empty(0, kinds[name])
        return arrays

    def stored(self, location: SumOfWeights) -> float:  # noqa: ARG002
        """A text file stores no sum of weights."""
        raise ValueError("sum_of_weights of a CSV file must be a number or events, as the file keeps none")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rewind()

    def _opened(self) -> TextLayout:
        with self._lock:
            if self._layout is None:
                if not self.path.is_file():
                    raise missing_file(self.path)
                settings = self.dialect
                with self._guarded():
                    self._layout = delimited.read_layout(
                        self.path,
                        delimiter=settings.delimiter,
                        header=settings.header,
                        columns=settings.names,
                        rows_needed=False,
                        way="set header=false, and names=[...] for the columns",
                    )
            return self._layout

    def _block_starts(self) -> list[int]:
        """Where the blocks begin, from one pass over the bytes."""
        layout = self._opened()
        with self._lock, self._guarded():
            if not self._cuts:
                self._cuts = [0, *accumulate(block.rows for block in text_blocks(layout, self.chunk))]
            return self._cuts

    def _column_types(self, columns: tuple[str, ...]) -> dict[str, np.dtype[Any]]:
        """The type of each column in the full file; a column that begins with an integer is read twice to decide it."""
        layout = self._opened()
        with self._lock, self._guarded():
            first = dict(zip(layout.names, layout.first_row, strict=False))
            unknown = [name for name in columns if name not in self._kinds]
            self._kinds |= {name: np.dtype(np.float64) for name in unknown}
            integers = [name for name in unknown if is_integer(first.get(name, ""))]
            kinds: dict[str, np.dtype[Any]] = {name: np.dtype(np.int64) for name in integers}
            with closing(text_blocks(layout, self.chunk)) as stream:
                while kinds and (block := next(stream, None)) is not None:
                    values = self._columns(layout, block, tuple(kinds))
                    joined = {name: _joined(kinds[name], values[name]) for name in kinds} if block.rows else kinds
                    kinds = {name: kind for name, kind in joined.items() if kind.kind in "iu"}
            self._kinds |= kinds
            return self._kinds

    def _columns(self, layout: TextLayout, block: TextBlock, columns: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        if not block.rows or not columns:
            return {name: np.empty(0) for name in columns}
        absent = Missing(("", "NaN", *self.dialect.missing))
        cells = {name: frames.number_cells(absent, single=False, feature=False) for name in columns}
        with self._guarded():
            return frames.read_columns(replace(layout, above=block.above, block=block.text), cells, None)

    def _block(self, number: int) -> TextBlock:
        """A block of the file; blocks before it are kept for the threads that will request them."""
        layout = self._opened()
        with self._lock, self._guarded():
            if number < self._next and number not in self._waiting:
                self._rewind()
            if self._stream is None:
                self._stream = text_blocks(layout, self.chunk)
            while number >= self._next:
                if (block := next(self._stream, None)) is None:
                    raise FileError(f"{self.path} changed while it was read; run again when it is whole")
                self._waiting[self._next] = block
                self._next += 1
            return self._waiting.pop(number)

    def _rewind(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._next, self._waiting = None, 0, {}

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn any error of the file into a FileError, in the words of the settings that this loader has."""
        try:
            yield
        except (MemoryError, FileError):
            raise
        except delimited.UNREADABLE as error:
            text = str(error).replace("data.columns has", "names has").replace("declare it in data.missing, ", "")
            text = text.replace(", or declare it in data.missing", "")
            if str(self.path) not in text:
                text = f"{self.path} cannot be read: {text}"
            raise FileError(text) from error


def text_blocks(layout: TextLayout, lines: int) -> Generator[TextBlock, None, None]:
    """The rows of a file in blocks of so many lines; a row is never split, and empty lines do not count as rows."""
    above = layout.above
    with layout.open() as file:
        while part := list(islice(file, lines)):
            rows = len(part) - part.count(b"\n") - part.count(b"\r\n")
            block = b"".join(part)
            if b'"' in block:  # a quoted cell may hold a line break
                part, rows = _completed(part, file, layout.delimiter)
                block = b"".join(part)
            yield TextBlock(above, block, rows)
            above += len(part)


def _completed(part: list[bytes], file: IO[bytes], delimiter: str) -> tuple[list[bytes], int]:
    """These lines with the lines that complete their last row, and the number of rows that are not empty."""
    lines: list[bytes] = []

    def texts() -> Iterator[str]:
        for line in chain(part, file):
            lines.append(line)
            yield line.decode("utf-8", "replace")

    rows = 0
    for row in csv.reader(texts(), delimiter=delimiter):
        rows += bool(row)
        if len(lines) >= len(part):
            break
    return lines, rows


def _joined(kind: np.dtype[Any], values: NDArray[Any]) -> np.dtype[Any]:
    """The type of a column whose values so far have this one: uint64 from 2^63 on, float64 for what is no integer."""
    if kind == values.dtype or values.dtype.kind == "f":
        return values.dtype
    return np.dtype(np.uint64) if values.min() >= 0 else np.dtype(np.float64)


def _cast(values: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """The values in the type of the full file, which must hold them exactly."""
    if kind == np.uint64 and len(values) and values.min() < 0:
        raise ValueError("all values of a column must be 64-bit integers of at least 0 where one is from 2^63 on")
    if values.dtype.kind in "iu" and kind == np.float64 and len(values):
        large = max(int(values.max()), int(values.min()), key=abs)
        if abs(large) > EXACT:
            raise ValueError(
                f"all values of a column must be 64-bit integers where one is beyond 2^53, as {large} is, but some are "
                "missing or fractions; mend or remove those rows"
            )
    return values.astype(kind, copy=False)

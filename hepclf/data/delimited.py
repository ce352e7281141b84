"""Delimited text files: what they hold, whether they are regular, and where they are not.

A fast reader is lenient: it fills rows that are too short and drops cells that are too many. So `has_regular_rows`
checks the bytes beside it; if they look wrong, `first_problem` finds the place with the csv module.
"""

from __future__ import annotations

import csv
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import isnan
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.cell import Check, is_integer, parse_number
from hepclf.data.samples import Source, missing_file
from hepclf.words import first_repeated

BLOCK = 1 << 20
NEWLINE, RETURN = ord("\n"), ord("\r")
EXACT = 2**53  # beyond it, float64 holds not every whole number
COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
UNREADABLE = (ValueError, OverflowError, OSError, EOFError, csv.Error, zlib.error, lzma.LZMAError)
HEADERLESS = "set data.header=false, and data.columns=[...] for names"


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """What the head of a file says: its columns, the number of lines above its first row, and the cells of that row.

    reference  what tells the number of columns, in errors
    block      the bytes of some of its rows; None stands for all rows
    """

    path: Path
    delimiter: str
    names: tuple[str, ...]
    above: int
    first_row: tuple[str, ...]
    reference: str = "the header"
    block: bytes | None = None

    @property
    def is_compressed(self) -> bool:
        """Whether the rows must be decompressed while they are read."""
        return self.block is None and self.path.suffix in COMPRESSED

    def open(self) -> IO[bytes]:
        """The rows, opened at the first one."""
        if self.block is not None:
            return io.BytesIO(self.block)
        file: IO[bytes] = _open(self.path, "rb")
        for _ in range(self.above):
            file.readline()
        return file

    def index(self, name: str) -> int:
        """Position of the column of this name."""
        return self._positions[name]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}


def check_delimiter(delimiter: str) -> None:
    """Refuse a character that cannot separate cells."""
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise ValueError(f"delimiter must be one ASCII character, not {delimiter!r}")


def find_paths(files: str | tuple[str, ...]) -> list[Path]:
    """The files that these paths and patterns name, patterns in alphabetical order."""
    paths: list[Path] = []
    for text in (files,) if isinstance(files, str) else files:
        path = Source(text, None).path.expanduser()  # refuses a URL
        if path.is_file():
            paths.append(path)
        elif path.is_dir():
            raise ValueError(f"file '{text}' is a folder; name files in it, such as '{path / '*.csv'}'")
        elif any(sign in text for sign in "*?["):
            matches = sorted(match for match in path.parent.glob(path.name) if match.is_file())
            if not matches:
                raise FileNotFoundError(f"no file matches '{text}'")
            paths += matches
        else:
            raise missing_file(path, text)
    if not paths:
        raise ValueError("files must name at least one file, not none")
    if repeated := next((path for path in paths if paths.count(path) > 1), None):
        raise ValueError(f"file '{repeated}' is named twice; its events would count double")
    return paths


def read_layout(
    path: Path,
    *,
    delimiter: str,
    header: bool,
    columns: tuple[str, ...] = (),
    rows_needed: bool = True,
    label: int | None = None,
    way: str = HEADERLESS,
) -> TextLayout:
    """The layout of a file; `columns` names the columns of a file without a header, by default c0, c1...

    label  the position of a column of classes, which may be texts
    way    the way out where the header is an event
    """
    above = 0
    names: tuple[str, ...] = ()
    reference = "the header" if header else "the first row"
    if columns:
        reference = "data.columns"
    for above_next, row in _rows(path, delimiter):
        if header and not names:
            names, above = tuple(cell.strip() for cell in row), above_next[1]
            check_header(path, names, label, way)
            continue
        names = names or columns or tuple(f"c{i}" for i in range(len(row)))
        if len(row) != len(names):
            raise ValueError(
                f"{path}, row {above_next[0]} must have {len(names)} columns, as {reference} has, not {len(row)}; "
                "check the header, the delimiter and the row"
            )
        if repeated := first_repeated(names):
            raise ValueError(f"{path}: column {repeated!r} is named twice; column names must differ")
        return TextLayout(
            path=path, delimiter=delimiter, names=names, above=above, first_row=tuple(row), reference=reference
        )
    if names and not rows_needed:
        return TextLayout(path=path, delimiter=delimiter, names=names, above=above, first_row=())
    content = "a header and no rows" if names else "nothing: it is empty"
    raise ValueError(f"{path} holds {content}")


def check_header(path: Path, names: tuple[str, ...], label: int | None, way: str) -> None:
    """Refuse names that are numbers, as the first row of a file without header holds.

    The names 0, 1, 2... are those that pandas writes for columns without names.
    """
    places = () if label is None else (label, len(names) + label)
    features = [name for place, name in enumerate(names) if place not in places and name.lower() not in ("", "nan")]
    counted = [str(index) for index in range(len(names))]
    is_counted = any(texts == counted[: len(texts)] for texts in (features, [name for name in names if name]))
    if not is_counted and not any(isnan(parse_number(name)) for name in features):
        raise ValueError(f"the first row of {path} must hold the names of the columns, not only numbers; {way}")


def has_balanced_rows(layout: TextLayout) -> bool:
    """Whether the file has as many delimiters as its rows need in total, without quotes and empty lines.

    pandas refuses a row that is longer than the first; if the total is right, no row can be shorter either.
    """
    rows = delimiters = 0
    last = b"\n"
    with layout.open() as file:
        while block := file.read(BLOCK):
            if b'"' in block:
                return False
            cells = np.frombuffer(block, dtype=np.uint8)
            rows += int(np.count_nonzero(cells == NEWLINE))
            delimiters += int(np.count_nonzero(cells == ord(layout.delimiter)))
            last = block[-1:]
    return delimiters == (rows + (last != b"\n")) * (len(layout.names) - 1)


def has_regular_rows(layout: TextLayout, rows: int | None) -> bool:
    """Whether each row (of the first `rows`) has as many delimiters as the columns need, in one pass over the bytes.

    Empty lines do not count as rows. A row with quoted cells may fail this test and still be valid.
    """
    seen = 0
    with layout.open() as file:
        while block := file.read(BLOCK) + file.readline():
            cells = np.frombuffer(block, dtype=np.uint8)
            starts = _starts(cells)
            delimiters = (cells == ord(layout.delimiter)).view(np.uint8)
            counts = np.add.reduceat(delimiters, starts, dtype=np.uint32)
            if rows is not None:
                counts = counts[: rows - seen]
            if (counts != len(layout.names) - 1).any():
                return False
            seen += len(counts)
            if seen == rows:
                break
    return True


def _starts(cells: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Where the non-empty lines start in a block of whole lines."""
    stops = np.flatnonzero(cells == NEWLINE)
    starts = np.concatenate(([0], stops[stops < len(cells) - 1] + 1))
    ends = np.append(stops, len(cells))[: len(starts)]
    empty = (ends == starts) | (ends == starts + 1) & (cells[starts] == RETURN)
    return starts[~empty] if empty.any() else starts


def first_problem(layout: TextLayout, checks: Mapping[int, Check], rows: int | None) -> str:
    """What is wrong with the first faulty row: file, row and column; empty if nothing is."""
    for count, ((line, _), row) in enumerate(
        _rows(layout.path, layout.delimiter, above=layout.above, block=layout.block)
    ):
        if count == rows:
            break
        if len(row) != len(layout.names):
            location = f"{layout.path}, row {line}"
            rule = f"{len(layout.names)} columns, as {layout.reference} has"
            return f"{location} must have {rule}, not {len(row)}; mend or remove the row"
        for index, check in checks.items():
            if problem := check(row[index]):
                return f"{layout.path}, row {line}, column {layout.names[index]!r}: {problem}"
    return ""


def line_number(layout: TextLayout, entry: int) -> int:
    """The line of the file, counted from 1, at which this row begins."""
    rows = _rows(layout.path, layout.delimiter, above=layout.above, block=layout.block)
    return next(islice(rows, entry, None))[0][0]


def exact_integers(values: NDArray[np.float64], first: str, texts: Callable[[], NDArray[np.str_]]) -> NDArray[Any]:
    """The values as int64 if all are integers and the first is written as one, otherwise unchanged; never rounded.

    Where one is from 2^63 on and none is negative they are uint64. `texts` reads the column as text; this is needed
    where a value is beyond 2^53 and float64 may have rounded it.
    """
    missing = bool(np.isnan(values).any())
    large = np.abs(values) >= EXACT
    if not large.any():
        integers = not missing and is_integer(first) and (values == np.rint(values)).all()
        return values.astype(np.int64) if integers else values
    cells = texts()
    if not missing:
        with suppress(ValueError, OverflowError):
            return cells.astype(np.int64)
        if values.min() >= 0 and all(map(is_integer, cells.tolist())):
            with suppress(ValueError, OverflowError):
                return cells.astype(np.uint64)
    pairs = zip(cells[large].tolist(), values[large].tolist(), strict=True)
    lossy = next((text for text, value in pairs if is_integer(text) and int(text) != value), None)
    if lossy is None:
        return values
    invalid = next((text for text in cells.tolist() if not is_integer(text) or not -(2**63) <= int(text) < 2**63), "")
    reason = "some are missing" if missing else f"{invalid!r} is not"
    raise ValueError(
        f"all values must be 64-bit integers where one is beyond 2^53, as {lossy} is, but {reason}; "
        "mend or remove those rows, or ignore the column"
    )


def _open(path: Path, mode: str, **settings: Any) -> Any:
    from importlib import import_module

    if path.suffix in COMPRESSED:
        return import_module(COMPRESSED[path.suffix]).open(path, mode, **settings)
    return path.open(mode, **settings)


def _rows(
    path: Path, delimiter: str, *, above: int = 0, block: bytes | None = None
) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """The non-empty rows below so many lines, each with the numbers of its first and last line.

    block  the bytes of these rows, if they are in memory already
    """
    settings: dict[str, Any] = {"newline": "", "encoding": "utf-8-sig", "errors": "replace"}
    opened = _open(path, "rt", **settings) if block is None else io.TextIOWrapper(io.BytesIO(block), **settings)
    with opened as file:
        if block is None:
            for _ in range(above):
                file.readline()
        reader = csv.reader(file, delimiter=delimiter)
        start = above + 1
        try:
            for row in reader:
                stop = above + reader.line_num
                if row:
                    yield (start, stop), row
                start = stop + 1
        except UNREADABLE as error:
            raise ValueError(f"{path}, row {start}: {error}; is it whole, and delimited text?") from error

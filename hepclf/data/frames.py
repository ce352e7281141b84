"""Frames: columns of a delimited text file, by pandas, or a ValueError that names the cell at fault."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data import delimited
from hepclf.data.delimited import Check, Missing, TextLayout

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = float(np.finfo(np.float32).max)


class Cells(NamedTuple):
    """What the cells of a column are read as, what is wrong with one of them, and the texts of a missing value.

    integers  whole numbers are to be int64
    """

    dtype: Any
    check: Check | None = None
    missing: tuple[str, ...] = ()
    integers: bool = False

    @property
    def is_text(self) -> bool:
        """Whether they are no numbers."""
        return self.dtype in ("str", "category")


def number_cells(missing: Missing | None, *, single: bool, feature: bool) -> Cells:
    """Cells of finite numbers: in single precision for what is a feature and nothing else, else as exact as can be."""
    check = delimited.numeric(missing, largest=LARGEST if feature else math.inf)
    texts = () if missing is None else tuple(missing.texts)
    return Cells(np.float32 if single else np.float64, check, texts, integers=missing is not None and not single)


def read_columns(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> dict[str, Any]:
    """These columns by name: numbers as arrays, text as arrays of text, categories as pandas has them."""
    frame = _read_frame(layout, cells, rows)
    columns: dict[str, Any] = {}
    for name, cell in cells.items():
        values = frame[layout.index(name)]
        if cell.dtype == "str":
            columns[name] = values.fillna("").to_numpy().astype(np.str_)
        elif cell.integers:
            columns[name] = _as_integers(layout, name, values.to_numpy(), rows)
        else:
            columns[name] = values if cell.dtype == "category" else values.to_numpy()
    if any(column.dtype.kind == "f" and np.isinf(column).any() for column in columns.values()):
        raise ValueError(cell_problem(layout, cells, rows) or f"{layout.path} holds infinite values")
    return columns


def cell_problem(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> str:
    """What is wrong with the first faulty row or cell; empty if there is none."""
    checks = {layout.index(name): cell.check for name, cell in cells.items() if cell.check is not None}
    return delimited.first_problem(layout, checks, rows)


def _read_frame(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> DataFrame:
    """The columns, by position, while a second thread checks that all rows have the same length."""
    failure: Exception | None = None
    try:
        if (frame := _read_every_column(layout, cells, rows)) is not None:
            return frame
        with ThreadPoolExecutor(1) as pool:
            regular = pool.submit(delimited.has_regular_rows, layout, rows)
            frame = _parse(layout, cells, rows, every_column=not _unread(layout, cells))
        if regular.result():
            return frame
    except delimited.UNREADABLE as error:
        failure = error
    if problem := cell_problem(layout, cells, rows):
        raise ValueError(problem) from failure
    if failure is not None or frame is None:
        raise ValueError(f"{layout.path} cannot be read: {str(failure).strip().splitlines()[0]}") from failure
    return frame


def _read_every_column(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> DataFrame | None:
    """Every column is read, as pandas is faster and stricter with full rows.

    None where a column that nobody needs holds text, or where single rows must be checked.
    """
    unread = _unread(layout, cells)
    numeric = not any(math.isnan(delimited.parse_number(layout.first_row[index])) for index in unread)
    if not numeric or rows is not None or layout.is_compressed:
        return None
    with suppress(*delimited.UNREADABLE), ThreadPoolExecutor(1) as pool:
        balanced = pool.submit(delimited.has_balanced_rows, layout)
        frame = _parse(layout, cells, rows, every_column=True)
        return frame if balanced.result() else None
    return None


def _unread(layout: TextLayout, cells: Mapping[str, Cells]) -> list[int]:
    """The positions of the columns that nobody needs."""
    positions = {layout.index(name) for name in cells}
    return [index for index in range(len(layout.names)) if index not in positions]


def _parse(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None, *, every_column: bool) -> DataFrame:
    """These columns read by pandas, alone or together with every other column as numbers."""
    import pandas as pd

    dtypes = {layout.index(name): cell.dtype for name, cell in cells.items()}
    sentinels: Any = {layout.index(name): [*cell.missing] for name, cell in cells.items() if cell.missing}
    unread_dtypes = dict.fromkeys(_unread(layout, cells), np.float32) if every_column else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a number too large for float32: found as infinite
        return pd.read_csv(
            layout.path if layout.block is None else io.BytesIO(layout.block),
            header=None,
            skiprows=layout.above if layout.block is None else 0,
            delimiter=layout.delimiter,
            dtype={**dtypes, **unread_dtypes},
            usecols=None if every_column else sorted(dtypes),
            nrows=rows,
            keep_default_na=False,
            na_values=sentinels,
            na_filter=bool(sentinels),
            encoding_errors="replace",
        )


def _as_integers(layout: TextLayout, name: str, values: NDArray[np.float64], rows: int | None) -> NDArray[Any]:
    """As int64 where the column holds integers: event numbers are identities, and one lost bit joins two."""

    def read_texts() -> NDArray[np.str_]:
        frame = _parse(layout, {name: Cells("str")}, rows, every_column=False)
        texts: NDArray[np.str_] = frame[layout.index(name)].to_numpy().astype(np.str_)
        return texts

    try:
        return delimited.exact_integers(values, layout.first_row[layout.index(name)], read_texts)
    except ValueError as error:
        raise ValueError(f"{layout.path}, column {name!r}: {error}") from None


def append_rows(file: IO[str], columns: Mapping[str, NDArray[Any]], *, header: bool) -> None:
    """Add rows to a CSV file, each number with the digits that give it back; booleans as 0 and 1, as numbers are."""
    import pandas as pd

    plain = {name: values.astype(np.uint8) if values.dtype == np.bool_ else values for name, values in columns.items()}
    pd.DataFrame(plain).to_csv(file, index=False, header=header, na_rep="nan", lineterminator="\n")


def joined_column(name: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """The values of a column in several files; whole numbers must not be rounded by what other files hold."""
    joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    for values in arrays if joined.dtype == np.float64 else []:
        if values.dtype != np.int64 or len(values) == 0:
            continue
        if abs(large := max(int(values.max()), int(values.min()), key=abs)) > delimited.EXACT:
            raise ValueError(
                f"column {name!r} must be 64-bit integers in all files where one value is beyond 2^53, as {large} is, "
                "but some are missing or fractions; mend or remove those rows, or ignore the column"
            )
    return joined

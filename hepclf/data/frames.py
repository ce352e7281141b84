"""Frames: columns of a delimited text file, read by pandas; an error names the cell at fault."""

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
from hepclf.data.cell import Check, Missing, numeric, parse_number
from hepclf.data.delimited import TextLayout

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = float(np.finfo(np.float32).max)


class Cells(NamedTuple):
    """How the cells of a column are read: their dtype, a check of a single cell, and the texts of a missing value.

    integers  whole numbers become int64
    """

    dtype: Any
    check: Check | None = None
    missing: tuple[str, ...] = ()
    integers: bool = False

    @property
    def is_text(self) -> bool:
        """Whether they are read as text."""
        return self.dtype in ("str", "category")


def number_cells(missing: Missing | None, *, single: bool, feature: bool) -> Cells:
    """Cells of finite numbers: single precision for a column that is only a feature, otherwise as exact as possible."""
    check = numeric(missing, largest=LARGEST if feature else math.inf)
    texts = () if missing is None else tuple(missing.texts)
    dtype = np.float32 if single else np.float64
    return Cells(dtype, check, texts, integers=missing is not None and not single)


def read_columns(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> dict[str, Any]:
    """These columns by name: numbers and text as arrays, categories as pandas stores them."""
    frame = _read_frame(layout, cells, rows)
    columns: dict[str, Any] = {}
    for name, cell in cells.items():
        values = frame[layout.index(name)]
        if cell.dtype == "str":
            columns[name] = values.fillna("").to_numpy().astype(np.str_)
        elif cell.integers:
            columns[name] = _as_integers(layout, name, values.to_numpy(), rows)
        elif cell.dtype == "category":
            columns[name] = values
        else:
            columns[name] = values.to_numpy()
    if any(column.dtype.kind == "f" and np.isinf(column).any() for column in columns.values()):
        raise ValueError(cell_problem(layout, cells, rows) or f"{layout.path} holds infinite values")
    return columns


def cell_problem(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> str:
    """What is wrong with the first faulty row or cell; empty if nothing is."""
    checks = {layout.index(name): cell.check for name, cell in cells.items() if cell.check is not None}
    return delimited.first_problem(layout, checks, rows)


def _read_frame(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None) -> DataFrame:
    """The columns, by position; a second thread checks meanwhile that all rows have the same length."""
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
    """The frame with all columns: pandas then reads faster and checks the length of rows more strictly.

    None where an unneeded column holds text, or where each row must be checked.
    """
    unread = _unread(layout, cells)
    is_numeric = not any(math.isnan(parse_number(layout.first_row[index])) for index in unread)
    if not is_numeric or rows is not None or layout.is_compressed:
        return None
    with suppress(*delimited.UNREADABLE), ThreadPoolExecutor(1) as pool:
        balanced = pool.submit(delimited.has_balanced_rows, layout)
        frame = _parse(layout, cells, rows, every_column=True)
        return frame if balanced.result() else None
    return None


def _unread(layout: TextLayout, cells: Mapping[str, Cells]) -> list[int]:
    """The positions of the columns that are not needed."""
    positions = {layout.index(name) for name in cells}
    return [index for index in range(len(layout.names)) if index not in positions]


def _parse(layout: TextLayout, cells: Mapping[str, Cells], rows: int | None, *, every_column: bool) -> DataFrame:
    """These columns as pandas reads them, alone or with all other columns as numbers."""
    import pandas as pd

    dtypes = {layout.index(name): cell.dtype for name, cell in cells.items()}
    sentinels: Any = {layout.index(name): [*cell.missing] for name, cell in cells.items() if cell.missing}
    unread_dtypes = dict.fromkeys(_unread(layout, cells), np.float32) if every_column else {}
    source, above = (layout.path, layout.above) if layout.block is None else (io.BytesIO(layout.block), 0)
    with warnings.catch_warnings():
        # A number too large for float32 becomes infinite; read_columns reports it with its row.
        warnings.simplefilter("ignore", RuntimeWarning)
        return pd.read_csv(
            source,
            header=None,
            skiprows=above,
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
    """As int64 if the column holds integers: an event number identifies an event, and one lost bit makes two equal."""

    def read_texts() -> NDArray[np.str_]:
        frame = _parse(layout, {name: Cells("str")}, rows, every_column=False)
        texts: NDArray[np.str_] = frame[layout.index(name)].to_numpy().astype(np.str_)
        return texts

    try:
        return delimited.exact_integers(values, layout.first_row[layout.index(name)], read_texts)
    except ValueError as error:
        raise ValueError(f"{layout.path}, column {name!r}: {error}") from None


def append_rows(file: IO[str], columns: Mapping[str, NDArray[Any]], *, header: bool) -> None:
    """Add rows to a CSV file, each number with as many digits as give it back; booleans become 0 and 1."""
    import pandas as pd

    booleans = {name: values.astype(np.uint8) for name, values in columns.items() if values.dtype == np.bool_}
    plain = pd.DataFrame({**columns, **booleans})
    plain.to_csv(file, index=False, header=header, na_rep="nan", lineterminator="\n")


def joined_column(name: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """The values of a column in several files; if one file holds fractions, large whole numbers would be rounded."""
    dtypes = {values.dtype for values in arrays}
    if dtypes == {np.dtype(np.int64), np.dtype(np.uint64)} and min(values.min(initial=0) for values in arrays) >= 0:
        arrays = [values.astype(np.uint64) for values in arrays]
    joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    if joined.dtype != np.float64:
        return joined
    for values in arrays:
        if values.dtype.kind not in "iu" or len(values) == 0:
            continue
        if abs(large := max(int(values.max()), int(values.min()), key=abs)) > delimited.EXACT:
            raise ValueError(
                f"column {name!r} must be 64-bit integers in all files where one value is beyond 2^53, as {large} is, "
                "but some are missing or fractions; mend or remove those rows, or ignore the column"
            )
    return joined

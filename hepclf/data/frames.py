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
from hepclf.data.delimited import Check, Layout, Missing

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


def numbers(missing: Missing | None, *, single: bool, feature: bool) -> Cells:
    """Cells of finite numbers: in single precision for what is a feature and nothing else, else as exact as can be."""
    check = delimited.numeric(missing, largest=LARGEST if feature else math.inf)
    texts = () if missing is None else tuple(missing.texts)
    return Cells(np.float32 if single else np.float64, check, texts, integers=missing is not None and not single)


def read(layout: Layout, cells: Mapping[str, Cells], rows: int | None) -> dict[str, Any]:
    """These columns by name: numbers as arrays, text as arrays of text, categories as pandas has them."""
    found = _checked(layout, cells, rows)
    columns: dict[str, Any] = {}
    for name, cell in cells.items():
        values = found[layout.index(name)]
        if cell.dtype == "str":
            columns[name] = values.fillna("").to_numpy().astype(np.str_)
        elif cell.integers:
            columns[name] = _whole(layout, name, values.to_numpy(), rows)
        else:
            columns[name] = values if cell.dtype == "category" else values.to_numpy()
    if any(column.dtype.kind == "f" and np.isinf(column).any() for column in columns.values()):
        raise ValueError(complaint(layout, cells, rows) or f"{layout.path} holds infinite values")
    return columns


def complaint(layout: Layout, cells: Mapping[str, Cells], rows: int | None) -> str:
    """What is wrong with the first cell that is not well, nothing if all are."""
    checks = {layout.index(name): cell.check for name, cell in cells.items() if cell.check is not None}
    return delimited.complaint(layout, checks, rows)


def _checked(layout: Layout, cells: Mapping[str, Cells], rows: int | None) -> DataFrame:
    """The columns, by position, while a second thread checks that all rows have the same length."""
    failure: Exception | None = None
    try:
        if (frame := _whole_rows(layout, cells, rows)) is not None:
            return frame
        with ThreadPoolExecutor(1) as pool:
            regular = pool.submit(delimited.regular, layout, rows)
            frame = _parse(layout, cells, rows, whole=not _others(layout, cells))
        if regular.result():
            return frame
    except delimited.UNREADABLE as error:
        failure = error
    if says := complaint(layout, cells, rows):
        raise ValueError(says) from failure
    if failure is not None or frame is None:
        raise ValueError(f"{layout.path} cannot be read: {str(failure).strip().splitlines()[0]}") from failure
    return frame


def _whole_rows(layout: Layout, cells: Mapping[str, Cells], rows: int | None) -> DataFrame | None:
    """The columns read with all others of numbers, as pandas is faster and stricter with whole rows.

    None where that cannot be, or where a look at single rows is needed.
    """
    others = _others(layout, cells)
    numbers = not any(math.isnan(delimited.number(layout.first[index])) for index in others)
    if not numbers or rows is not None or layout.is_compressed:
        return None
    with suppress(*delimited.UNREADABLE), ThreadPoolExecutor(1) as pool:
        balanced = pool.submit(delimited.balanced, layout)
        frame = _parse(layout, cells, rows, whole=True)
        return frame if balanced.result() else None
    return None


def _others(layout: Layout, cells: Mapping[str, Cells]) -> list[int]:
    """The positions of the columns that are not asked for."""
    wanted = {layout.index(name) for name in cells}
    return [index for index in range(len(layout.names)) if index not in wanted]


def _parse(layout: Layout, cells: Mapping[str, Cells], rows: int | None, *, whole: bool) -> DataFrame:
    """By pandas: these columns alone, or with all others as numbers."""
    import pandas as pd

    dtypes = {layout.index(name): cell.dtype for name, cell in cells.items()}
    sentinels: Any = {layout.index(name): [*cell.missing] for name, cell in cells.items() if cell.missing}
    more = dict.fromkeys(_others(layout, cells), np.float32) if whole else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a number too large for float32: found as infinite
        return pd.read_csv(
            layout.path if layout.block is None else io.BytesIO(layout.block),
            header=None,
            skiprows=layout.above if layout.block is None else 0,
            delimiter=layout.delimiter,
            dtype={**dtypes, **more},
            usecols=None if whole else sorted(dtypes),
            nrows=rows,
            keep_default_na=False,
            na_values=sentinels,
            na_filter=bool(sentinels),
            encoding_errors="replace",
        )


def _whole(layout: Layout, name: str, values: NDArray[np.float64], rows: int | None) -> NDArray[Any]:
    """As int64 where the column holds whole numbers: event numbers are identities, and one lost bit joins two."""

    def texts() -> NDArray[np.str_]:
        return _parse(layout, {name: Cells("str")}, rows, whole=False)[layout.index(name)].to_numpy().astype(np.str_)

    try:
        return delimited.whole(values, layout.first[layout.index(name)], texts)
    except ValueError as error:
        raise ValueError(f"{layout.path}, column {name!r}: {error}") from None


def write(file: IO[str], columns: Mapping[str, NDArray[Any]], *, header: bool) -> None:
    """Add rows to a CSV file, each number with the digits that give it back; booleans as 0 and 1, as numbers are."""
    import pandas as pd

    plain = {name: values.astype(np.uint8) if values.dtype == np.bool_ else values for name, values in columns.items()}
    pd.DataFrame(plain).to_csv(file, index=False, header=header, na_rep="nan", lineterminator="\n")


def join(name: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """The values of a column in several files; whole numbers must not be rounded by what other files hold."""
    joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    for each in arrays if joined.dtype == np.float64 else []:
        if each.dtype != np.int64 or len(each) == 0:
            continue
        if abs(large := max(int(each.max()), int(each.min()), key=abs)) > delimited.EXACT:
            raise ValueError(
                f"{name!r} holds {large}, beyond 2^53, so that it must be 64-bit integers in all files, "
                "however some are missing or fractions; mend or remove those rows, or ignore the column"
            )
    return joined

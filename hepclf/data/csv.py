"""CSV: events from delimited text files, each column of them a number or named for what else it is."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data import delimited
from hepclf.data.delimited import Check, Layout, Missing
from hepclf.data.labels import Label, Labels
from hepclf.data.split import Split
from hepclf.events import Events, nearest
from hepclf.recipe import recipe

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS = 1 << 12  # copied at once: so few that the part of the matrix they go to stays in cache
LARGEST = float(np.finfo(np.float32).max)


class Columns(NamedTuple):
    """Which columns of the files are what, by name."""

    label: str | None
    features: tuple[str, ...]
    weight: str | None
    spectators: tuple[str, ...]


@recipe
class CSV:
    """Events from delimited text files, plain or compressed (.gz, .bz2, .xz), one or several read as one table.

    files        paths and patterns, ~ for home
    label        the label column, by name or by position, -1 being the last
    labels_file  labels in a file of their own instead, row for row
    classes      class name -> label value, background first; compared as numbers where both are, as text otherwise;
                 several values of a class are its processes
    features     all (but label, weight, spectators and ignored), a group, or names of columns and groups
    missing      sentinels of a missing value, such as -999, NaN or the empty cell ""; in features and spectators
    rows         read so many rows in all
    spectators   whole numbers as int64 (float64 where some are missing), other numbers as float64, else text

    Whatever is not a number and was not declared is refused with its file, row and column.
    """

    files: str | tuple[str, ...]
    label: str | int = "label"
    labels_file: str | None = None
    classes: Mapping[str, Label | tuple[Label, ...]] = field(default_factory=lambda: {"background": 0, "signal": 1})
    header: bool = True
    columns: tuple[str, ...] = ()
    features: str | tuple[str, ...] = "all"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weight: str | None = None
    spectators: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    missing: tuple[str | float, ...] = ()
    delimiter: str = ","
    rows: int | None = None
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        Labels(self.classes)  # refuses those that cannot be told apart
        if self.rows is not None and self.rows < 1:
            raise ValueError(f"rows must be at least 1, however rows={self.rows}")
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n':
            raise ValueError(f"delimiter must be one ASCII character, however delimiter={self.delimiter!r}")
        if self.header and self.columns:
            raise ValueError("columns are the names of a file without header; set header=false, or drop columns")

    def load(self) -> Events:
        """All events of the files, in their order."""
        layouts = [self._layout(path) for path in delimited.find(self.files)]
        for other in layouts[1:]:
            _same(layouts[0], other)
        columns = self._columns(layouts[0])
        tables: list[dict[str, NDArray[Any]]] = []
        for each in layouts:
            left = None if self.rows is None else self.rows - sum(len(table["features"]) for table in tables)
            if left != 0:
                tables.append(self._table(each, columns, left))
        whole = {key: _join(key.removeprefix("spectator "), [table[key] for table in tables]) for key in tables[0]}
        if self.labels_file is not None:
            whole["label"] = self._separate_labels(len(whole["features"]))
        return Events(
            features=whole["features"],
            labels=self._labels.of(whole["label"]),
            names=columns.features,
            weights=whole.get("weight"),  # type: ignore[arg-type]
            classes=tuple(self.classes),
            processes=whole["label"],
            process_names=self._labels.process_names,
            spectators={name: whole[f"spectator {name}"] for name in columns.spectators},
        )

    def _layout(self, path: Path) -> Layout:
        return delimited.layout(path, delimiter=self.delimiter, header=self.header, columns=self.columns)

    def _columns(self, first: Layout) -> Columns:
        known = first.names
        label = None if self.labels_file is not None else self._label(first)
        for name in (*([self.weight] if self.weight else []), *self.spectators, *self.ignore):
            _known(name, known, first)
        taken = {"label": (label,), "weight": (self.weight,), "spectators": self.spectators, "ignore": self.ignore}
        if self.features == "all":
            others = {name for names in taken.values() for name in names}
            features = tuple(name for name in known if name not in others)
        else:
            wanted = (self.features,) if isinstance(self.features, str) else self.features
            features = tuple(name for each in wanted for name in self.groups.get(each, (each,)))
        for name in features:
            _known(name, known, first, groups=tuple(self.groups))
            if role := next((role for role, names in taken.items() if name in names), None):
                raise ValueError(f"column {name!r} cannot be a feature, as data.{role} names it; drop one of the two")
        return Columns(label, features, self.weight, self.spectators)

    def _label(self, first: Layout) -> str:
        if isinstance(self.label, str):
            return _known(self.label, first.names, first, way="; set data.label, a name or a position")
        if not -len(first.names) <= self.label < len(first.names):
            raise ValueError(f"{first.path} has {len(first.names)} columns, however label={self.label}")
        return first.names[self.label]

    def _table(self, layout: Layout, columns: Columns, rows: int | None) -> dict[str, NDArray[Any]]:
        """The columns of one file as arrays; those that cannot be are found again with the place at fault."""
        missing = Missing(self.missing)
        dtypes: dict[int, Any] = {}
        checks: dict[int, Check] = {}
        for name in columns.features:
            checks[layout.index(name)] = delimited.numeric(missing, largest=LARGEST)
            dtypes[layout.index(name)] = np.float32
        for name in columns.spectators:
            cell = layout.first[layout.index(name)]
            a_number = cell in missing or not math.isnan(delimited.number(cell))
            dtypes[layout.index(name)] = np.float64 if a_number else "str"
            if a_number:
                checks[layout.index(name)] = delimited.numeric(missing)
        may_miss = list(dtypes)
        if columns.weight is not None:
            checks[layout.index(columns.weight)] = delimited.numeric()
            dtypes[layout.index(columns.weight)] = np.float64
        if columns.label is not None:
            checks[layout.index(columns.label)] = self._labels.complaint
            dtypes[layout.index(columns.label)] = self._labels.dtype
        frame = _read(layout, dtypes, dict.fromkeys(may_miss, missing.texts), checks, rows)
        table = self._arrays(layout, columns, frame)
        for name in columns.spectators:
            if frame[layout.index(name)].dtype == np.float64:
                table[f"spectator {name}"] = _whole(layout, name, table[f"spectator {name}"], rows)
        sound = not any(np.isinf(column).any() for column in table.values() if column.dtype.kind == "f")
        if not sound or ("label" in table and table["label"].min() < 0):
            raise ValueError(delimited.complaint(layout, checks, rows) or f"{layout.path} holds infinite values")
        return table

    def _arrays(self, layout: Layout, columns: Columns, frame: DataFrame) -> dict[str, NDArray[Any]]:
        features = np.empty((len(frame), len(columns.features)), dtype=np.float32)
        each = [frame[layout.index(name)].to_numpy() for name in columns.features]
        for start in range(0, len(frame), ROWS):
            for position, column in enumerate(each):
                features[start : start + ROWS, position] = column[start : start + ROWS]
        table: dict[str, NDArray[Any]] = {"features": features}
        for name in columns.spectators:
            values = frame[layout.index(name)]
            text = values.dtype != np.float64
            table[f"spectator {name}"] = values.fillna("").to_numpy().astype(np.str_) if text else values.to_numpy()
        if columns.weight is not None:
            table["weight"] = frame[layout.index(columns.weight)].to_numpy()
        if columns.label is not None:
            table["label"] = self._labels.processes(frame[layout.index(columns.label)])
        return table

    def _separate_labels(self, events: int) -> NDArray[np.int64]:
        path = delimited.find(str(self.labels_file))[0]
        each = delimited.layout(path, delimiter=self.delimiter, header=self.header)
        if len(each.names) != 1:
            raise ValueError(f"labels_file '{path}' must have one column, however it has {len(each.names)}")
        checks: dict[int, Check] = {0: self._labels.complaint}
        labels = self._labels.processes(_read(each, {0: self._labels.dtype}, {}, checks, self.rows)[0])
        if labels.min() < 0:
            raise ValueError(delimited.complaint(each, checks, self.rows))
        if len(labels) != events:
            raise ValueError(f"labels_file '{path}' holds {len(labels)} labels, however the data {events} rows")
        return labels

    @property
    def _labels(self) -> Labels:
        return Labels(self.classes)


def _known(name: str, known: tuple[str, ...], first: Layout, groups: tuple[str, ...] = (), way: str = "") -> str:
    if name not in known:
        raise ValueError(f"column {name!r} is not in {first.path}{nearest(name, (*groups, *known))}{way}")
    return name


def _same(first: Layout, other: Layout) -> None:
    if len(first.names) != len(other.names):
        raise ValueError(
            f"{other.path} has {len(other.names)} columns, however {first.path} has {len(first.names)}; "
            "read files of different columns on their own"
        )
    if lacking := next((name for name in first.names if name not in other.names), None):
        raise ValueError(f"column {lacking!r} of {first.path} is not in {other.path}{nearest(lacking, other.names)}")


def _whole(layout: Layout, name: str, values: NDArray[np.float64], rows: int | None) -> NDArray[Any]:
    """As int64 where the column holds whole numbers: event numbers are identities, and one lost bit joins two."""
    index = layout.index(name)

    def texts() -> NDArray[np.str_]:
        return _parse(layout, {index: "str"}, {}, rows)[index].to_numpy().astype(np.str_)

    try:
        return delimited.whole(values, layout.first[index], texts)
    except ValueError as error:
        raise ValueError(f"{layout.path}, column {name!r}: {error}") from None


def _join(key: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    for each in arrays if joined.dtype == np.float64 else []:
        if each.dtype == np.int64 and abs(large := max(int(each.max()), int(each.min()), key=abs)) > delimited.EXACT:
            raise ValueError(
                f"{key!r} holds {large}, beyond 2^53, so that it must be 64-bit integers in all files, "
                "however some are missing or fractions; mend or remove those rows, or ignore the column"
            )
    return joined


def _read(
    layout: Layout,
    dtypes: Mapping[int, Any],
    may_miss: Mapping[int, list[str]],
    checks: Mapping[int, Check],
    rows: int | None,
) -> DataFrame:
    """These columns, by position, while a second thread checks that all rows have the same length."""
    failure: Exception | None = None
    with ThreadPoolExecutor(1) as pool:
        regular = pool.submit(delimited.regular, layout, rows)
        try:
            frame = _parse(layout, dtypes, may_miss, rows)
        except delimited.UNREADABLE as error:
            failure = error
    if failure is None and regular.exception() is None and regular.result():
        return frame
    if says := delimited.complaint(layout, checks, rows):
        raise ValueError(says) from failure
    if failure is not None:
        raise ValueError(f"{layout.path} cannot be read: {str(failure).strip().splitlines()[0]}") from failure
    return frame


def _parse(layout: Layout, dtypes: Mapping[int, Any], may_miss: Mapping[int, list[str]], rows: int | None) -> DataFrame:
    """By pandas, which reads in parallel only where it reads whole rows: so other columns of numbers are read too."""
    import pandas as pd

    sentinels: Any = dict(may_miss)

    def parse(every: Mapping[int, Any], usecols: list[int] | None) -> DataFrame:
        return pd.read_csv(
            layout.path,
            header=None,
            skiprows=layout.above,
            delimiter=layout.delimiter,
            dtype=dict(every),
            usecols=usecols,
            nrows=rows,
            keep_default_na=False,
            na_values=sentinels,
            na_filter=any(may_miss.values()),
            encoding_errors="replace",
        )

    others = {index: np.float32 for index in range(len(layout.names)) if index not in dtypes}
    numbers = not any(math.isnan(delimited.number(layout.first[index])) for index in others)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a number too large for float32: found as infinite
        if not others:
            return parse(dtypes, None)
        if numbers and rows is None and layout.path.suffix not in delimited.COMPRESSED:
            with suppress(*delimited.UNREADABLE):
                return parse({**dtypes, **others}, None)
        return parse(dtypes, sorted(dtypes))

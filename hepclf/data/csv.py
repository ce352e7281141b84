"""CSV: events from delimited text files; a column that holds anything but numbers must have a role of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data import delimited, frames
from hepclf.data.cache import Reading, check_cache_size, open_cache, read_through
from hepclf.data.cell import Missing, parse_number
from hepclf.data.declared import Setting, cells, declared
from hepclf.data.delimited import TextLayout
from hepclf.data.frames import Cells, joined_column
from hepclf.data.growing import FEATURES, SPECTATOR, WEIGHTS, InMemory
from hepclf.data.identity import identity
from hepclf.data.labels import Label, Labels
from hepclf.data.loader import Outline
from hepclf.data.roles import ALL, Roles
from hepclf.data.samples import rooted
from hepclf.data.split import Split
from hepclf.data.table import Chunk, EntryError, Quantities
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.nearest import nearest
from hepclf.recipe import describe, recipe

LABEL = "label"
# The table does not depend on these settings.
IRRELEVANT_SETTINGS = {"cache", "cache_gb", "check", "labels", "split", "root"}


class FileTable(NamedTuple):
    """The selected events of one file as arrays by name, the number of rows read, and which rows are selected."""

    arrays: dict[str, NDArray[Any]]
    rows: int
    selected: NDArray[np.intp] | slice


@recipe
class CSV:
    """Events from delimited text files, plain or compressed (.gz, .bz2, .xz), one or several read as one table.

    files        paths and patterns, ~ for home
    label        the label column, by name or by position, -1 being the last; null: there is none, as in observed data
    labels_file  labels in a file of their own instead, row for row
    classes      class name -> label value, background first; compared as numbers where both are, as text otherwise;
                 several values of a class are its processes
    features     all (but what label, weight, spectators and ignored name), a group, or a list of columns, groups and
                 expressions of columns, or name -> expression
    weight       a column or an expression
    selection    an expression of the rows to keep
    missing      sentinels of a missing value, such as -999, NaN or the empty cell "", in all columns but labels and
                 weights; or feature or column -> its sentinels
    max_events   read so many rows in all, before the selection
    root         the folder that relative names of files start from; by default the one that the program runs in
    spectators   whole numbers as int64 (float64 where some are missing), other numbers as float64, else text; or
                 expressions
    cache        keeps the table on disk for the next time: in the user's cache folder, another, or not at all
    cache_gb     what that folder may hold; what was used longest ago goes
    check        a training warns of what looks wrong in the events
    labels       feature or spectator -> its title, or its title and unit, in pictures

    Whatever is not a number and was not declared is refused with its file, row and column.
    """

    files: str | tuple[str, ...]
    label: str | int | None = "label"
    labels_file: str | None = None
    classes: Mapping[str, Label | tuple[Label, ...]] = field(default_factory=lambda: {"background": 0, "signal": 1})
    header: bool = True
    columns: tuple[str, ...] = ()
    features: str | tuple[str, ...] | Mapping[str, str] = "all"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weight: str | None = None
    selection: str | None = None
    spectators: tuple[str, ...] | Mapping[str, str] = ()
    ignore: tuple[str, ...] = ()
    missing: Setting = ()
    delimiter: str = ","
    max_events: int | None = None
    root: str | None = None
    cache: bool | str = True
    cache_gb: float = 20.0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    RENAMED: ClassVar[Mapping[str, str]] = {"rows": "max_events"}  # settings of stored runs

    def __post_init__(self) -> None:
        Labels(self.classes)  # refuses those that cannot be told apart
        declared(self.missing, has_text=True)
        if self.max_events is not None and self.max_events < 1:
            raise ValueError(f"max_events must be at least 1, not {self.max_events}")
        delimited.check_delimiter(self.delimiter)
        if self.header and self.columns:
            raise ValueError("columns are the names of a file without header; set header=false, or drop columns")
        check_cache_size(self.cache_gb)

    def load(self) -> Events:
        """All selected events of the files, in their order."""
        layouts = [self._layout(path) for path in self._paths(self.files)]
        for layout in layouts[1:]:
            _check_same_columns(layouts[0], layout)
        roles = self._roles(layouts[0])
        quantities = replace(roles.quantities(), missing=declared(self.missing, has_text=True))
        quantities.check_missing()
        cache, holds = open_cache(self.cache, self.cache_gb), ", ".join(layout.path.name for layout in layouts)
        table = read_through(cache, self._content, holds, lambda _: self._read(layouts, roles, quantities)).arrays
        return Events(
            features=table[FEATURES],
            labels=self._labels.class_indices(table[LABEL]),
            names=tuple(quantities.features),
            weights=table[WEIGHTS],
            classes=tuple(self.classes),
            processes=table[LABEL],
            process_names=self._labels.process_names,
            spectators={name: table[SPECTATOR + name] for name in quantities.spectators},
            sentinels=quantities.sentinels,
        )

    def outline(self) -> Outline:
        """Its classes, and the names of features and spectators if the settings list them."""
        features: tuple[str, ...] | None = None
        if isinstance(self.features, Mapping):
            features = tuple(self.features)
        elif self.features != ALL:
            names = (self.features,) if isinstance(self.features, str) else self.features
            features = tuple(text for name in names for text in self.groups.get(name, (name,)))
        return Outline(
            classes=tuple(self.classes),
            processes=self._labels.process_names,
            features=features,
            spectators=tuple(self.spectators),
        )

    def _content(self) -> Any:
        """All that the table depends on: the files in their present state, and what is read from them."""
        content = {key: value for key, value in describe(self).items() if key not in IRRELEVANT_SETTINGS}
        paths = self._paths(self.files)
        if self.labels_file is not None:
            paths += self._paths(self.labels_file)
        return content | {"classes": list(content["classes"].items()), "files": [identity(path) for path in paths]}

    def _read(self, layouts: list[TextLayout], roles: Roles, quantities: Quantities) -> Reading:
        """The arrays of all files, by name."""
        pieces: list[FileTable] = []
        limit = self.max_events
        for layout in layouts:
            if limit != 0:
                pieces.append(self._piece(layout, roles, quantities, limit))
            if limit:
                limit -= pieces[-1].rows
        names = pieces[0].arrays
        table = {
            key: joined_column(key.removeprefix(SPECTATOR), [piece.arrays[key] for piece in pieces]) for key in names
        }
        if self.labels_file is not None:
            table[LABEL] = self._separate_labels(pieces)
        elif self.label is None:
            table[LABEL] = np.zeros(len(table[WEIGHTS]), dtype=np.int64)
        if not len(table[LABEL]):
            rows = sum(piece.rows for piece in pieces)
            raise ValueError(f"the selection '{self.selection}' keeps none of the {rows:,} rows")
        return Reading(table, [])

    def _paths(self, files: str | tuple[str, ...]) -> list[Path]:
        return delimited.find_paths(rooted(files, self.root))

    def _layout(self, path: Path) -> TextLayout:
        label = self.label if isinstance(self.label, int) else None
        return delimited.read_layout(
            path, delimiter=self.delimiter, header=self.header, columns=self.columns, label=label
        )

    def _roles(self, first: TextLayout) -> Roles:
        roles = Roles(
            path=first.path,
            columns=first.names,
            groups=self.groups,
            label=None,
            features=self.features,
            weight=self.weight,
            spectators=self.spectators,
            selection=self.selection,
            ignore=self.ignore,
        )
        if self.labels_file is not None or self.label is None:
            return roles
        if isinstance(self.label, str):
            return replace(roles, label=roles.column(self.label, "; set data.label, a name or a position"))
        if not -len(first.names) <= self.label < len(first.names):
            raise ValueError(
                f"label must be a position below {len(first.names)}, the number of columns of {first.path}, "
                f"not {self.label}"
            )
        return replace(roles, label=first.names[self.label])

    def _piece(self, layout: TextLayout, roles: Roles, quantities: Quantities, rows: int | None) -> FileTable:
        """The selected events of one file."""
        cells = self._cells(layout, roles, quantities)
        columns = frames.read_columns(layout, cells, rows)
        labels = None if roles.label is None else self._labels.processes(columns[roles.label])
        if labels is not None and labels.min() < 0:
            raise ValueError(frames.cell_problem(layout, cells, rows))
        count = len(next(iter(columns.values())))
        texts = {
            name: expression.text
            for name, expression in quantities.spectators.items()
            if expression.text in cells and cells[expression.text].is_text
        }
        numeric = {name: expression for name, expression in quantities.spectators.items() if name not in texts}
        try:
            chunk = replace(quantities, spectators=numeric).evaluate(columns, count)
        except EntryError as error:
            line = delimited.line_number(layout, error.entry)
            problem = frames.cell_problem(layout, cells, rows)
            raise ValueError(problem or f"{layout.path}, row {line}: {error}") from error
        except ValueError as error:
            raise ValueError(f"{layout.path}: {error}") from error
        selected = slice(None) if chunk.selected is None else chunk.selected
        arrays = _table(chunk)
        for name, text in texts.items():
            arrays[SPECTATOR + name] = np.asarray(columns[text]).astype(np.str_)[selected]
        if labels is not None:
            arrays[LABEL] = labels[selected]
        return FileTable(arrays, count, selected)

    def _cells(self, layout: TextLayout, roles: Roles, quantities: Quantities) -> dict[str, Cells]:
        """How pandas reads each column that is needed."""
        missing = self._missing(quantities)
        plain = {expression.text for expression in quantities.features.values() if roles.is_column(expression)}
        formulas = [expression for expression in quantities.expressions if expression.text not in plain]
        single = plain - {name for expression in formulas for name in expression.columns}
        cells = {
            name: frames.number_cells(absent, single=name in single, feature=name in plain)
            for name, absent in missing.items()
        }
        for expression in quantities.spectators.values():
            if roles.is_column(expression):
                first = layout.first_row[layout.index(expression.text)]
                absent = missing[expression.text]
                if first not in absent and math.isnan(parse_number(first)):
                    cells[expression.text] = Cells("str", missing=tuple(absent.texts))
        if self.weight in layout.names:
            cells[str(self.weight)] = frames.number_cells(None, single=False, feature=False)
        if roles.label is not None:
            cells[roles.label] = Cells(self._labels.dtype, self._labels.problem)
        return cells

    def _missing(self, quantities: Quantities) -> dict[str, Missing]:
        """The texts that stand for a missing value in each column: of the column, and of features that equal it."""
        features: dict[str, list[str]] = {}
        for name, expression in quantities.features.items():
            features.setdefault(expression.text, []).append(name)
        synonyms = {column: (column, *features.get(column, ())) for column in quantities.columns}
        return {column: Missing(cells(self.missing, tuple(dict.fromkeys(names)))) for column, names in synonyms.items()}

    def _separate_labels(self, pieces: list[FileTable]) -> NDArray[np.int64]:
        path = self._paths(str(self.labels_file))[0]
        way = "both files must have a header, or neither"
        layout = delimited.read_layout(path, delimiter=self.delimiter, header=self.header, way=way)
        if len(layout.names) != 1:
            raise ValueError(f"labels_file '{path}' must have one column, not {len(layout.names)}")
        cells = {layout.names[0]: Cells(self._labels.dtype, self._labels.problem)}
        labels = self._labels.processes(frames.read_columns(layout, cells, self.max_events)[layout.names[0]])
        if labels.min() < 0:
            raise ValueError(frames.cell_problem(layout, cells, self.max_events))
        rows = [piece.rows for piece in pieces]
        if len(labels) != sum(rows):
            raise ValueError(
                f"labels_file '{path}' must hold {sum(rows)} labels, one a row of the data, not {len(labels)}"
            )
        parts = zip(np.split(labels, np.cumsum(rows)[:-1]), pieces, strict=True)
        return np.concatenate([part[piece.selected] for part, piece in parts])

    @property
    def _labels(self) -> Labels:
        return Labels(self.classes)


def _check_same_columns(reference: TextLayout, layout: TextLayout) -> None:
    if len(reference.names) != len(layout.names):
        raise ValueError(
            f"{layout.path} must have {len(reference.names)} columns, as {reference.path} has, "
            f"not {len(layout.names)}; read files of different columns on their own"
        )
    if missing_column := next(iter(dict.fromkeys(reference.names).keys() - layout.names), None):
        hint = nearest(missing_column, layout.names)
        raise ValueError(f"column {missing_column!r} of {reference.path} is not in {layout.path}{hint}")


def _table(chunk: Chunk) -> dict[str, NDArray[Any]]:
    dtypes = {name: column.dtype for name, column in chunk.spectators.items()}
    table = InMemory(len(chunk.features), dtypes, len(chunk.weights))
    table.append(chunk)
    return table.finish()

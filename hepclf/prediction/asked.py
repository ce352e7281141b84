"""Asked: what is asked of each entry of a new file, as the run that trained the tagger spelled it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.data.declared import Declared, Setting, declared
from hepclf.data.delimited import parse_number
from hepclf.data.expressions import parse
from hepclf.data.lines import Dialect
from hepclf.data.table import Chunk, Quantities, parse_quantities
from hepclf.recipe import TARGET, convert

CSV, NPZ = "hepclf.data.csv.CSV", "hepclf.data.npz.NPZ"
AS_TRAINED = "as trained"  # two words, so that no column or expression is called so


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The tagger's inputs, a selection, and columns to carry along.

    inputs   of the tagger, each with its expression
    plain    the run read a table whose columns have these names: one that a file has is read as it is
    missing  the values that the run declared missing
    loader   of the files that the run was trained on, and the tree that it read
    dialect  of text files; without delimiter, the end of the name says it
    names    of the columns of a matrix
    """

    inputs: Mapping[str, str]
    selection: str | None
    carried: Mapping[str, str]
    plain: bool
    missing: Declared
    loader: str
    tree: str | None
    dialect: Dialect
    names: tuple[str, ...]

    def dialect_of(self, name: str) -> Dialect:
        """How a text file of this name is written."""
        tabs = any(suffix.lower() == ".tsv" for suffix in Path(name).suffixes)
        return replace(self.dialect, delimiter=self.dialect.delimiter or ("\t" if tabs else ","))

    def of(self, columns: Collection[str]) -> Quantities:
        """The parsed expressions, for a file that has these columns; what is carried along are its spectators."""
        inputs = {name: f"`{text}`" if self.plain and text in columns else text for name, text in self.inputs.items()}
        return parse_quantities(
            features=inputs,
            leading={},
            spectators=self.carried,
            weight=None,
            selections=(self.selection,),
            missing=self.missing,
        )

    def chunk(self, question: Quantities, columns: Mapping[str, Any], entries: int) -> Chunk:
        """The inputs of the selected entries, and what is carried along of all entries."""
        carried = {name: each.evaluate(columns, entries) for name, each in question.spectators.items()}
        return replace(question, spectators={}).evaluate(columns, entries)._replace(spectators=carried)


class Table(NamedTuple):
    """What is said of files that do not tell it themselves; None: as the run's data says."""

    delimiter: str | None
    header: bool | None
    names: tuple[str, ...]


def asked(data: Any, inputs: tuple[str, ...], selection: str | None, carried: Mapping[str, str], table: Table) -> Asked:
    """What a run's stored data recipe, as plain values, says of the inputs of its tagger."""
    stored = data if isinstance(data, Mapping) else {}
    features = stored.get("features")
    leading = convert(Mapping[str, int], stored.get("leading") or {}, "data.leading")
    objects = parse_quantities(features={}, leading=leading, spectators={}, weight=None, selections=()).features
    texts = {name: each.text for name, each in objects.items()}
    if isinstance(features, Mapping):
        texts |= convert(Mapping[str, str], features, "data.features")
    if selection == AS_TRAINED:
        selection = convert(str | None, stored.get("selection"), "data.selection")
    if selection is not None:
        parse(selection)
    return Asked(
        inputs={name: texts.get(name, name) for name in inputs},
        selection=selection,
        carried=carried,
        plain="samples" not in stored,
        missing=_missing(stored),
        loader=str(stored.get(TARGET)),
        tree=_tree(stored),
        dialect=_dialect(stored, table),
        names=table.names or _texts(stored.get("columns") if stored.get(TARGET) == NPZ else ()),
    )


def _dialect(stored: Mapping[str, Any], table: Table) -> Dialect:
    """How text files are written: as told, or else as those of the run, where it read such files."""
    before = stored if stored.get(TARGET) == CSV else {}
    delimiter = convert(str, before.get("delimiter", ""), "data.delimiter")
    header = table.header
    if header is None:
        header = not table.names and convert(bool, before.get("header", True), "data.header")
    names = () if header else table.names or _texts(before.get("columns"))
    absent = before.get("missing") or ()
    if isinstance(absent, Mapping):
        absent = [value for values in absent.values() for value in (values if isinstance(values, list) else [values])]
    texts = tuple(str(value) for value in absent if not math.isfinite(parse_number(str(value))))
    return Dialect(delimiter=table.delimiter or delimiter, header=header, names=names, missing=texts)


def _texts(values: Any) -> tuple[str, ...]:
    texts: tuple[str, ...] = convert(tuple[str, ...], values or (), "data.columns")
    return texts


def _missing(stored: Mapping[str, Any]) -> Declared:
    """The declared missing values; a loader of the user's own may mean something else by this word."""
    try:
        return declared(convert(Setting, stored.get("missing") or (), "data.missing"), has_text=True)
    except ValueError:
        if str(stored.get(TARGET)).startswith("hepclf."):
            raise
        return Declared()


def _tree(stored: Mapping[str, Any]) -> str | None:
    """The tree of the run's samples, where they share one."""
    named = stored.get("tree")
    trees = {sample.get("tree") or named for sample in stored.get("samples") or () if isinstance(sample, Mapping)}
    return str(tree) if len(trees) == 1 and (tree := trees.pop()) is not None else None

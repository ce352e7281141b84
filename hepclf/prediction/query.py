"""Query: what is evaluated for each entry of a new file, as the run that trained the tagger spelled it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.data.cell import parse_number
from hepclf.data.declared import Declared, Setting, declared
from hepclf.data.expressions import parse
from hepclf.data.lines import Dialect
from hepclf.data.table import Chunk, Quantities, parse_quantities
from hepclf.nearest import nearest
from hepclf.recipe import TARGET, convert

CSV, NPZ = "hepclf.data.csv.CSV", "hepclf.data.npz.NPZ"
KEY = "key "  # before the name of a key, which may also be that of a carried column
AS_TRAINED = "as trained"  # two words, which no column or expression can be


@dataclass(frozen=True, kw_only=True)
class Query:
    """The tagger's inputs, a selection, and columns to carry along.

    inputs   of the tagger, each with its expression
    keys     the columns of whole numbers that choose the member of a tagger trained in folds, each with its expression
    carried  name and expression of each column to carry along
    plain    the run read a table whose columns have these names; a file's column of such a name is read as it is
    missing  the values that the run declared missing
    loader   of the files that the run was trained on, and the tree that it read
    dialect  of text files; without a delimiter, the end of the file's name decides
    names    of the columns of a matrix
    """

    inputs: Mapping[str, str]
    keys: Mapping[str, str]
    selection: str | None
    carried: Mapping[str, str]
    plain: bool
    missing: Declared
    loader: str
    tree: str | None
    dialect: Dialect
    names: tuple[str, ...]

    def dialect_of(self, file_name: str) -> Dialect:
        """How a text file of this name is written."""
        is_tsv = any(suffix.lower() == ".tsv" for suffix in Path(file_name).suffixes)
        by_suffix = "\t" if is_tsv else ","
        return replace(self.dialect, delimiter=self.dialect.delimiter or by_suffix)

    def expressions(self, columns: Collection[str]) -> Quantities:
        """The parsed expressions, for a file that has these columns; carried columns and keys are the spectators."""
        quantities = parse_quantities(
            features=self._spelled(self.inputs, columns),
            leading={},
            spectators={**self.carried, **self._spelled(self._prefixed_keys, columns)},
            weight=None,
            selections=(self.selection,),
            missing=self.missing,
        )
        for name in self.keys:
            if absent := [column for column in quantities.spectators[KEY + name].columns if column not in columns]:
                raise ValueError(
                    f"column {absent[0]!r} must be there, as it tells which member of the tagger has not seen an event"
                    f"{nearest(absent[0], columns)}; with rule=mean the score is the mean of the members, for samples "
                    "that none of them can have seen"
                )
        return quantities

    @property
    def _prefixed_keys(self) -> dict[str, str]:
        return {KEY + name: text for name, text in self.keys.items()}

    def _spelled(self, texts: Mapping[str, str], columns: Collection[str]) -> dict[str, str]:
        """These expressions; in backticks a text is the name of a column, whatever signs it holds."""
        if not self.plain:
            return dict(texts)
        return {name: f"`{text}`" if text in columns else text for name, text in texts.items()}

    def chunk(self, expressions: Quantities, columns: Mapping[str, Any], entries: int) -> Chunk:
        """The inputs of the selected entries, and the carried columns and keys of all entries."""
        carried = {name: column.evaluate(columns, entries) for name, column in expressions.spectators.items()}
        return replace(expressions, spectators={}).evaluate(columns, entries)._replace(spectators=carried)


class TableFormat(NamedTuple):
    """Settings for files that do not describe themselves; None: as in the data recipe of the run."""

    delimiter: str | None
    header: bool | None
    names: tuple[str, ...]


def tagger_query(
    data: Any,
    inputs: tuple[str, ...],
    keys: tuple[str, ...],
    selection: str | None,
    carried: Mapping[str, str],
    table: TableFormat,
) -> Query:
    """The query for the inputs and keys of a tagger, from the data recipe (plain values) that its run stored."""
    stored = data if isinstance(data, Mapping) else {}
    features = stored.get("features")
    leading = convert(Mapping[str, int | tuple[int, ...]], stored.get("leading") or {}, "data.leading")
    objects = parse_quantities(features={}, leading=leading, spectators={}, weight=None, selections=()).features
    texts = {name: expression.text for name, expression in objects.items()}
    if isinstance(features, Mapping):
        texts |= convert(Mapping[str, str], features, "data.features")
    if selection == AS_TRAINED:
        selection = convert(str | None, stored.get("selection"), "data.selection")
    if selection is not None:
        parse(selection)
    names = table.names
    if not names and stored.get(TARGET) == NPZ:
        names = _texts(stored.get("columns"))
    return Query(
        inputs={name: texts.get(name, name) for name in inputs},
        keys=_key_texts(stored.get("spectators"), keys),
        selection=selection,
        carried=carried,
        plain="samples" not in stored,
        missing=_missing(stored),
        loader=str(stored.get(TARGET)),
        tree=_tree(stored),
        dialect=_dialect(stored, table),
        names=names,
    )


def _key_texts(spectators: Any, keys: tuple[str, ...]) -> dict[str, str]:
    """The expression of each key, as the run's spectators spelled it."""
    named = convert(Mapping[str, str], spectators, "data.spectators") if isinstance(spectators, Mapping) else {}
    return {name: named.get(name, name) for name in keys}


def _dialect(stored: Mapping[str, Any], table: TableFormat) -> Dialect:
    """How text files are written: as the settings say, or else as the text files of the run, if it read any."""
    csv_recipe = stored if stored.get(TARGET) == CSV else {}
    delimiter = convert(str, csv_recipe.get("delimiter", ""), "data.delimiter")
    header = table.header
    if header is None:
        header = not table.names and convert(bool, csv_recipe.get("header", True), "data.header")
    names: tuple[str, ...] = ()
    if not header:
        names = table.names or _texts(csv_recipe.get("columns"))
    missing = csv_recipe.get("missing") or ()
    if isinstance(missing, Mapping):
        lists = [values if isinstance(values, list) else [values] for values in missing.values()]
        missing = [value for values in lists for value in values]
    texts = tuple(str(value) for value in missing if not math.isfinite(parse_number(str(value))))
    return Dialect(delimiter=table.delimiter or delimiter, header=header, names=names, missing=texts)


def _texts(values: Any) -> tuple[str, ...]:
    texts: tuple[str, ...] = convert(tuple[str, ...], values or (), "data.columns")
    return texts


def _missing(stored: Mapping[str, Any]) -> Declared:
    """The declared missing values; a user's own loader may use this word for something else."""
    try:
        return declared(convert(Setting, stored.get("missing") or (), "data.missing"), has_text=True)
    except ValueError:
        if str(stored.get(TARGET)).startswith("hepclf."):
            raise
        return Declared()


def _tree(stored: Mapping[str, Any]) -> str | None:
    """The tree that all samples of the run share; None if they differ or name none."""
    default = stored.get("tree")
    trees = {sample.get("tree") or default for sample in stored.get("samples") or () if isinstance(sample, Mapping)}
    if len(trees) != 1:
        return None
    (tree,) = trees
    return None if tree is None else str(tree)

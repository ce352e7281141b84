"""Prediction: which files are scored, and what is written for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from hepclf.data.delimited import check_delimiter
from hepclf.data.expressions import parse
from hepclf.prediction.plan import Kind, shard_slice
from hepclf.prediction.query import AS_TRAINED
from hepclf.recipe import recipe


@recipe
class Prediction:
    """Which files are scored, what is written for each, and where.

    files      paths, patterns (~ for home), file.root:tree, and .txt files that list such names
    tree       of files whose names say none; by default that of the run, or the only one
    output     friend: a ROOT file with a tree of as many entries; copy: all branches of the tree, and the scores;
               parquet, npz, csv: the scores as columns. By default a friend of a tree, else the format of the input
               (npz of HDF5)
    out        folder; files lie in it as deep as below the folder that all inputs have in common
    selection  by default the one common to all samples of the run; null: every entry is scored
    fill       the score of entries that are not selected
    rule       of a tagger with members: fold, by which the member that has not seen an event scores it, or mean of the
               members, for events that none of them can have seen
    delimiter, header  of CSV files, by default as in the files of the run, or a comma (tab: .tsv) and true
    names      of the columns of a CSV file without header or of an .npy matrix; by default as the run's data says
    columns    carried along for all entries: expressions, or name -> expression
    branch     what the score is called; with more than two classes, branch_<class> each
    friend     what the friend tree is called
    drop       patterns of branches that a copy leaves out
    chunk      entries that are read at a time; at least as many as the file stores together
    workers    processes, each of which scores one file after another
    shard      i/N: every N-th file from the i-th, for the i-th of N jobs
    overwrite  score again what is there already
    on_bad_file  skip: a file that cannot be read is left out, and reported
    """

    files: str | tuple[str, ...]
    tree: str | None = None
    output: Kind | None = None
    out: str | None = None
    selection: str | None = AS_TRAINED
    fill: float = -1.0
    rule: Literal["fold", "mean"] = "fold"
    delimiter: str | None = None
    header: bool | None = None
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] | Mapping[str, str] = ()
    branch: str = "score"
    friend: str = "scores"
    drop: tuple[str, ...] = ()
    chunk: int = 100_000
    device: str = "auto"
    workers: int = 1
    shard: str | None = None
    overwrite: bool = False
    on_bad_file: Literal["error", "skip"] = "error"

    def __post_init__(self) -> None:
        shard_slice(self.shard)
        if self.delimiter is not None:
            check_delimiter(self.delimiter)
        if self.header and self.names:
            raise ValueError("names are those of a file without header; drop header=true, or names")
        for name in ("chunk", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name, text in self.carried.items():
            _check_name(name, "columns", f'give it one, as in columns={{mine: "{text}"}}')
            parse(text)
        _check_name(self.branch, "branch", "choose another, as in branch=mva")
        _check_name(self.friend, "friend", "choose another, as in friend=scores")

    @property
    def carried(self) -> dict[str, str]:
        """The name and expression of each column that is carried along."""
        if isinstance(self.columns, Mapping):
            return dict(self.columns)
        return {text: text for text in self.columns}


def _check_name(name: str, setting: str, way: str) -> None:
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"{setting} must name branches with letters, digits and _, not {name!r}; {way}")

"""Formats: which files can be scored, by the suffixes of their names, and what is written for each by default."""

from __future__ import annotations

from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path

from hepclf.data.lines import DelimitedFile
from hepclf.data.npz import open_arrays
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File
from hepclf.data.samples import Sample, Source
from hepclf.prediction.plan import Kind
from hepclf.prediction.query import CSV, NPZ, Query

ROOT = "hepclf.data.root.Root"
LOADERS = {
    ".root": ROOT,
    ".parquet": "hepclf.data.parquet.Parquet",
    ".pq": "hepclf.data.parquet.Parquet",
    ".h5": "hepclf.data.hdf5.HDF5",
    ".hdf5": "hepclf.data.hdf5.HDF5",
    ".npz": NPZ,
    ".npy": NPZ,
    ".csv": CSV,
    ".tsv": CSV,
}
# Only a tree can have a friend tree. Users of HDF5 read arrays.
DEFAULT_OUTPUTS: dict[str, Kind] = {
    ROOT: "friend",
    "hepclf.data.parquet.Parquet": "parquet",
    "hepclf.data.hdf5.HDF5": "npz",
    NPZ: "npz",
    CSV: "csv",
}


def loader(file_name: str, run_loader: str | None = None) -> str:
    """The loader of a file, by the suffix of its name. A file without a known suffix is CSV if the run read CSV."""
    loaders = [LOADERS[suffix.lower()] for suffix in Path(file_name).suffixes if suffix.lower() in LOADERS]
    if loaders:
        return loaders[-1]  # also of file.root.1
    if run_loader == CSV:
        return CSV
    raise ValueError(f"file '{file_name}' is of no format that can be scored; there are: {', '.join(LOADERS)}")


def output_kind(source: Source, query: Query, setting: Kind | None) -> Kind:
    """The kind of output for a file: that of the settings, or else the default for the format of the file."""
    return setting or DEFAULT_OUTPUTS[loader(source.name, query.loader)]


def is_tree(file_name: str) -> bool:
    """Whether a file of this name holds a tree, which may have friends."""
    return any(LOADERS.get(suffix.lower()) == ROOT for suffix in Path(file_name).suffixes)


def tree_name(source: Source, query: Query, setting: str | None) -> str | None:
    """The tree to read: that of the file's name, or of the settings, or of the run if it read files of this format."""
    tree = source.tree or setting
    if tree is None and loader(source.name, query.loader) == query.loader:
        tree = query.tree
    return tree


def open_file(source: Source, tree: str | None, query: Query, chunk: int, pool: Executor) -> File:
    """A file to score, opened by the loader of its format."""
    target = loader(source.name, query.loader)
    if target == CSV:
        return DelimitedFile(source, query.dialect_of(source.name), chunk)
    if target == NPZ:
        return open_arrays(source, tree, query.names)
    module, _, class_name = target.rpartition(".")
    loader_class: type[Ntuples] = getattr(import_module(module), class_name)
    any_sample = Sample(name="new", class_="any", files=source.name)
    return loader_class(samples=(any_sample,)).open(source, tree, pool)

"""Formats: which files can be scored, by the ends of their names, and what is written for each by default."""

from __future__ import annotations

from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path

from hepclf.data.lines import DelimitedFile
from hepclf.data.npz import open_arrays
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File
from hepclf.data.samples import Sample, Source
from hepclf.prediction.asked import CSV, NPZ, Asked
from hepclf.prediction.plan import Kind

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
# A friend tree is of use beside a tree alone; h5py's users read arrays.
OUTPUTS: dict[str, Kind] = {
    ROOT: "friend",
    "hepclf.data.parquet.Parquet": "parquet",
    "hepclf.data.hdf5.HDF5": "npz",
    NPZ: "npz",
    CSV: "csv",
}


def loader(name: str, trained: str | None = None) -> str:
    """The loader of a file, by the end of its name; a name that says nothing is a table where the run read tables."""
    known = [LOADERS[suffix.lower()] for suffix in Path(name).suffixes if suffix.lower() in LOADERS]
    if known:
        return known[-1]  # also of file.root.1
    if trained == CSV:
        return CSV
    raise ValueError(f"file '{name}' is of no format that can be scored; there are: {', '.join(LOADERS)}")


def output(source: Source, asked: Asked, chosen: Kind | None) -> Kind:
    """What is written for a file: as chosen, or else in its own format."""
    return chosen or OUTPUTS[loader(source.name, asked.loader)]


def is_tree(name: str) -> bool:
    """Whether a file of this name holds a tree, which may have friends."""
    return any(LOADERS.get(suffix.lower()) == ROOT for suffix in Path(name).suffixes)


def tree(source: Source, asked: Asked, chosen: str | None) -> str | None:
    """The tree to read: that of the file's name, or of the settings, or of the run where it read such files."""
    return source.tree or chosen or (asked.tree if loader(source.name, asked.loader) == asked.loader else None)


def opened(source: Source, tree: str | None, asked: Asked, chunk: int, pool: Executor) -> File:
    """A file that can be scored."""
    target = loader(source.name, asked.loader)
    if target == CSV:
        return DelimitedFile(source, asked.dialect_of(source.name), chunk)
    if target == NPZ:
        return open_arrays(source, tree, asked.names)
    module, _, name = target.rpartition(".")
    kind: type[Ntuples] = getattr(import_module(module), name)
    any_sample = Sample(name="new", class_="any", files=source.name)
    return kind(samples=(any_sample,)).open(source, tree, pool)

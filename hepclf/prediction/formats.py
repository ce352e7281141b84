"""Formats: which files can be scored, by the ends of their names."""

from __future__ import annotations

from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path

from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File
from hepclf.data.samples import Sample, Source
from hepclf.prediction.asked import Asked

LOADERS = {
    ".root": "hepclf.data.root.Root",
    ".parquet": "hepclf.data.parquet.Parquet",
    ".pq": "hepclf.data.parquet.Parquet",
    ".h5": "hepclf.data.hdf5.HDF5",
    ".hdf5": "hepclf.data.hdf5.HDF5",
    ".npz": "hepclf.data.npz.NPZ",
}


def loader(name: str) -> str:
    """The loader of a file, by the end of its name."""
    known = [LOADERS[suffix.lower()] for suffix in Path(name).suffixes if suffix.lower() in LOADERS]
    if not known:
        raise ValueError(f"file '{name}' is of no format that can be scored; there are: {', '.join(LOADERS)}")
    return known[-1]  # also of file.root.1


def tree(source: Source, asked: Asked, chosen: str | None) -> str | None:
    """The tree to read: that of the file's name, or of the settings, or of the run where it read such files."""
    return source.tree or chosen or (asked.tree if loader(source.name) == asked.loader else None)


def opened(source: Source, tree: str | None, pool: Executor) -> File:
    """A file that can be scored."""
    module, _, name = loader(source.name).rpartition(".")
    kind: type[Ntuples] = getattr(import_module(module), name)
    any_sample = Sample(name="new", class_="any", files=source.name)
    return kind(samples=(any_sample,)).open(source, tree, pool)

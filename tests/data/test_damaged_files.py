"""Flipped bytes in a file of any format: it is read, or a FileError names it, so that on_bad_file=skip goes on."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf.data.hdf5 import Datasets
from hepclf.data.npz import open_arrays
from hepclf.data.parquet import ParquetTable
from hepclf.data.parts import FileError, reading
from hepclf.data.root import RootTree
from hepclf.data.samples import Source

ROWS = 300
FLIPS = 40


def columns():
    rng = np.random.default_rng(0)
    return {"x": rng.normal(size=ROWS), "k": rng.integers(0, 9, ROWS)}


def write_rntuple(path):
    with uproot.recreate(path) as file:
        tree = file.mkrntuple("t", {name: column[:0] for name, column in columns().items()})
        for start in range(0, ROWS, 100):
            tree.extend({name: column[start : start + 100] for name, column in columns().items()})


def write_ttree(path):
    with uproot.recreate(path) as file:
        file.mktree("t", {name: column.dtype for name, column in columns().items()}).extend(columns())


def write_parquet(path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table(columns()), path, row_group_size=100, write_page_checksum=True)


def write_hdf5(path):
    with pytest.importorskip("h5py").File(path, "w") as file:
        for name, column in columns().items():
            file.create_dataset(name, data=column, chunks=(100,), compression="gzip")


FORMATS = {
    "rntuple.root": (write_rntuple, lambda source, pool: RootTree(source, None, pool)),
    "ttree.root": (write_ttree, lambda source, pool: RootTree(source, None, pool)),
    "table.parquet": (write_parquet, ParquetTable),
    "table.h5": (write_hdf5, lambda source, _: Datasets(source, None)),
    "table.npz": (lambda path: np.savez_compressed(path, **columns()), lambda source, _: open_arrays(source, None, ())),
}


def read(name, pool):
    with closing(FORMATS[name][1](Source(name, None), pool)) as file, reading(file):
        assert file.columns
        cuts = [0, file.entries, *file.cuts(("x", "k"), 100)]
        for start, stop in pairwise(sorted(set(cuts))):
            file.read(("x", "k"), start, stop)


@pytest.mark.parametrize("name", FORMATS)
def test_each_error_of_a_damaged_file_names_it(name):
    FORMATS[name][0](name)
    good, rng = Path(name).read_bytes(), random.Random(1)
    messages = []
    with ThreadPoolExecutor(1) as pool:
        read(name, pool)
        for _ in range(FLIPS):
            damaged = bytearray(good)
            for _ in range(rng.choice((1, 3))):
                damaged[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
            Path(name).write_bytes(damaged)
            try:
                read(name, pool)
            except FileError as error:
                messages.append(str(error))
    assert len(messages) > 3
    assert all(name in message for message in messages)

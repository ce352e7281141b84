"""Files of events: ROOT, RNTuple, Parquet, HDF5, npz, npy and CSV, damaged or made to mislead."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from damage import TEXTS, damaged, reworded

SUFFIXES = {
    "root": "root",
    "rntuple": "root",
    "parquet": "parquet",
    "hdf5": "h5",
    "npz": "npz",
    "npy": "npy",
    "csv": "csv",
}
HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (50,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': [('x', '<f8', (1000000000,))], 'fortran_order': False, 'shape': (3,), }",
    "__import__('os').system('true')",
    "{'descr': '<U999999999', 'fortran_order': False, 'shape': (), }",
)


def prepare(base: Path) -> None:
    """The same small table in every format."""
    import awkward as ak
    import h5py
    import pyarrow as pa
    import pyarrow.parquet as pq
    import uproot

    rng = np.random.default_rng(1)
    x, counts = rng.normal(size=60), rng.integers(0, 4, 60)
    flat = {"x": x, "n": np.arange(60, dtype=np.int32), "w": np.ones(60, dtype=np.float32), "label": np.arange(60) % 2}
    jets = ak.unflatten(rng.exponential(40, counts.sum()), counts)
    base.mkdir(exist_ok=True)
    with uproot.recreate(base / "table-root.root") as file:
        tree = file.mktree("t", {**{name: array.dtype for name, array in flat.items()}, "pt": jets.type.content})
        tree.extend({**flat, "pt": jets})
    with uproot.recreate(base / "table-rntuple.root") as file:
        file.mkrntuple("t", {**flat, "pt": jets})
    table = pa.table({**flat, "pt": ak.to_arrow(jets, extensionarray=False)})
    pq.write_table(table, base / "table-parquet.parquet", row_group_size=20)
    with h5py.File(base / "table-hdf5.h5", "w") as file:
        for name, array in flat.items():
            file.create_dataset(name, data=array, chunks=(20,), compression="gzip")
        file["pt"] = np.zeros((60, 3), dtype=[("pt", "f4"), ("valid", "?")])
    np.savez_compressed(base / "table-npz.npz", **flat)
    np.save(base / "table-npy.npy", np.stack([flat["x"], flat["w"]], axis=1))
    lines = (",".join(str(array[i]) for array in flat.values()) for i in range(60))
    (base / "table-csv.csv").write_text(",".join(flat) + "\n" + "\n".join(lines) + "\n")


def make(kind: str, rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """Two files of a signal and a background, one of them damaged, which are read as a table."""
    suffix = SUFFIXES[kind]
    intact, attacked = folder / f"b.{suffix}", folder / f"s.{suffix}"
    for path in (intact, attacked):
        shutil.copy(base / f"table-{kind}.{suffix}", path)
    data = attacked.read_bytes()
    if kind in MISLEADING and rng.random() < 0.6:
        MISLEADING[kind](rng, attacked)
    else:
        attacked.write_bytes(damaged(rng, data))
    skips = rng.random() < 0.3
    return partial(_load, kind, intact, attacked, skips=skips)


def _load(kind: str, intact: Path, attacked: Path, *, skips: bool) -> None:
    events = _recipe(kind, intact, attacked, skips=skips).load()
    if not np.isfinite(events.weights).all():
        raise AssertionError("weights must be finite")


def _recipe(kind: str, intact: Path, attacked: Path, *, skips: bool):
    from hepclf.data.csv import CSV
    from hepclf.data.hdf5 import HDF5
    from hepclf.data.npz import NPZ
    from hepclf.data.parquet import Parquet
    from hepclf.data.root import Root

    if kind == "csv":
        return CSV(files=(str(attacked), str(intact)), features=("x", "n"), weight="w", cache=False)
    loader = {"root": Root, "rntuple": Root, "parquet": Parquet, "hdf5": HDF5, "npz": NPZ, "npy": NPZ}[kind]
    samples = [{"name": path.stem, "class": path.stem, "files": str(path)} for path in (intact, attacked)]
    features = ("c0", "c1") if kind == "npy" else ("x", "n * 2", "sum(pt)")
    if kind == "npz":
        features = ("x", "n * 2")
    if kind == "hdf5":
        features = ("x", "n * 2")
    return loader(samples=samples, features=features, cache=False, threads=1, on_bad_file="skip" if skips else "error")


def _csv(rng: Random, path: Path) -> None:
    text = path.read_text()
    if rng.random() < 0.2:
        text = text.replace("x,n", rng.choice(("x,x", "x,", "x" * 9999 + ",n", '"x,n', "\x00,n", "é😀,n")), 1)
    path.write_bytes(reworded(rng, text).encode(errors="replace"))


def _npy(rng: Random, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(_other_header(rng, data))


def _other_header(rng: Random, data: bytes) -> bytes:
    """The bytes of an array below a header that declares another one."""
    length = struct.unpack("<H", data[8:10])[0]
    head = rng.choice(HEADERS)
    if rng.random() < 0.5:
        head = reworded(rng, data[10 : 10 + length].decode("latin-1"))
    text = head.encode(errors="replace") + b"\n"
    return data[:8] + struct.pack("<H", min(len(text), 65535)) + text[:65535] + data[10 + length :]


def _npz(rng: Random, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(members))
    members[name] = _other_header(rng, members[name])
    if rng.random() < 0.2:
        members[rng.choice(("../out.npy", "/tmp/out.npy", "x.npy", "a" * 3000, "pickle.pkl"))] = members[name]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    path.write_bytes(stream.getvalue())


def _hdf5(rng: Random, path: Path) -> None:
    """Datasets that lead elsewhere, declare more than they hold, or have types of no use."""
    import h5py

    with h5py.File(path, "r+") as file:
        name = rng.choice(("x", "n", "w"))
        del file[name]
        choice = rng.randrange(8)
        if choice == 0:
            file[name] = h5py.ExternalLink(rng.choice(("b.h5", "/etc/passwd", "../base/table-hdf5.h5")), "/x")
        elif choice == 1:
            file.create_dataset(name, (60,), dtype="f8", external=[("/etc/hostname", 0, 480)])
        elif choice == 2:
            shape = rng.choice(((10**9,), (10**12,), (2**62,), (60, 10**9)))
            file.create_dataset(name, shape, dtype="f8", chunks=True)
        elif choice == 3:
            file[name] = h5py.SoftLink(rng.choice((f"/{name}", "/", "/no", "/pt")))
        elif choice == 4:
            file[name] = np.array(rng.choices(TEXTS[:3], k=60), dtype="S8")
        elif choice == 5:
            file[name] = np.full(60, rng.choice((np.nan, np.inf, 1e308, -1.0)))
        elif choice == 6:
            file.create_dataset(name, (rng.choice((0, 1, 59, 61)),), dtype=rng.choice(("f2", ">i8", "?", "c8")))
        else:
            file[f"{name}/deeper"] = np.ones(60)


MISLEADING: dict[str, Callable[[Random, Path], None]] = {"csv": _csv, "npy": _npy, "npz": _npz, "hdf5": _hdf5}
KINDS = {kind: partial(make, kind) for kind in SUFFIXES}

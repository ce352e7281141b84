"""Reading ROOT and CSV files against uproot and pandas by hand, and the cache against the first reading."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import awkward as ak
import numpy as np
import pandas as pd
import uproot
from turns import peak, ratio, rounds

from hepclf.data.csv import CSV
from hepclf.data.root import Root

EVENTS, FEATURES, JAGGED, ROWS = 2_000_000, 30, 500_000, 500_000
FLAT = tuple(f"x{i}" for i in range(FEATURES))
OF_JETS = ("count(Jet_pt)", "sum(Jet_pt)", "max(Jet_eta)", "Jet_pt[0]", "Jet_pt[1]", "Jet_eta[0]", "met")


def run() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        _flat_file(folder / "flat.root")
        _jagged_file(folder / "jagged.root")
        _csv_file(folder / "table.csv")
        print("| what | ours, s | ours against | speed of it | peak over the table, ours; theirs |")
        print("|---|---|---|---|---|")
        _root("2 M x 30, zstd", folder / "flat.root", FLAT, FLAT, EVENTS * (4 * FEATURES + 8))
        _root("500 k jagged", folder / "jagged.root", OF_JETS, ("Jet_pt", "Jet_eta", "met"), JAGGED * (4 * 7 + 8))
        _csv(folder / "table.csv")
    finally:
        shutil.rmtree(folder)


def _root(what: str, path: Path, features: tuple[str, ...], branches: tuple[str, ...], size: int) -> None:
    """Ours without cache, the first time with it, and from it, against bare arrays with as many threads."""
    cache = path.with_suffix(".cache")

    def ours(*, kept: bool, fresh: bool = False) -> Callable[[], None]:
        def read() -> None:
            if fresh:
                shutil.rmtree(cache, ignore_errors=True)
            _loader(path, features, str(cache) if kept else False).load()

        return read

    def bare() -> None:
        with uproot.open(path, num_workers=2) as file:
            file["t"].arrays(list(branches), library="ak" if "Jet" in branches[0] else "np", **_threads())

    def stacked() -> None:
        """What a careful person writes by hand for the flat file: the same, as one matrix."""
        with uproot.open(path, num_workers=2) as file:
            found = file["t"].arrays(list(branches), library="np", **_threads())
        np.stack([found[name] for name in branches], axis=1, dtype=np.float32)

    def by_awkward() -> None:
        """What a careful person writes by hand for the jagged file: the same features, as one matrix."""
        with uproot.open(path, num_workers=2) as file:
            found = file["t"].arrays(list(branches), library="ak", **_threads())
        pt, eta = found.Jet_pt, found.Jet_eta
        leading = [ak.fill_none(ak.pad_none(each, 2)[:, :2], np.nan) for each in (pt, eta)]
        columns = [ak.num(pt), ak.sum(pt, axis=1), ak.fill_none(ak.max(eta, axis=1), np.nan)]
        columns += [leading[0][:, 0], leading[0][:, 1], leading[1][:, 0], found.met]
        np.stack([ak.to_numpy(column) for column in columns], axis=1, dtype=np.float32, casting="same_kind")

    hand_made = stacked if branches == features else by_awkward
    plain, hand, first, again, matrix = rounds(
        ours(kept=False), bare, ours(kept=True, fresh=True), ours(kept=True), hand_made
    )
    mine = peak(OURS, str(path), *features) / (size / 2**20)
    theirs = peak(BARE, str(path), *branches) / (size / 2**20)
    _row(what, plain, "bare `uproot.arrays`, as many threads", ratio(hand, plain), f"{mine:.2f}; {theirs:.2f}")
    _row(what, plain, "the same and one table by hand (numpy, awkward)", ratio(matrix, plain), "")
    _row(f"{what}, cache filled", first, "bare `uproot.arrays`, as many threads", ratio(hand, first), "")
    _row(f"{what}, from the cache", again, "the first time", ratio(first, again), "")


def _csv(path: Path) -> None:
    cache = path.with_suffix(".cache")
    loader, kept = (CSV(files=str(path), label="label", cache=each) for each in (False, str(cache)))
    plain, hand = rounds(lambda: loader.load() and None, lambda: pd.read_csv(path, dtype=np.float32) is None)
    _row("CSV, 500 k x 19", plain, "`pandas.read_csv` as float32", ratio(hand, plain), "")

    def first() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        kept.load()

    filled, again = rounds(first, lambda: kept.load() and None)
    _row("CSV, from the cache", again, "the first time", ratio(filled, again), "")


def _row(what: str, times: list[float], against: str, speed: str, memory: str) -> None:
    print(f"| {what} | {statistics.median(times):.3f} | {against} | {speed} | {memory} |", flush=True)


def _threads() -> dict[str, object]:
    pool = ThreadPoolExecutor(2)
    return {"decompression_executor": pool, "interpretation_executor": pool}


def _loader(path: Path, features: tuple[str, ...], cache: str | bool) -> Root:
    sample = {"name": "a", "class": "a", "files": str(path)}
    return Root(samples=[sample], features=features, cache=cache)  # type: ignore[arg-type]


OURS = """
from hepclf.data.root import Root
import awkward, uproot
begin()
Root(samples=[{"name": "a", "class": "a", "files": sys.argv[1]}], features=sys.argv[2:], cache=False).load()
"""
BARE = """
import awkward, uproot
begin()
uproot.open(sys.argv[1])["t"].arrays(sys.argv[2:], library="ak" if "Jet" in sys.argv[2] else "np")
"""


def _flat_file(path: Path) -> None:
    rng = np.random.default_rng(0)
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        tree = file.mktree("t", dict.fromkeys(FLAT, np.dtype(np.float32)))
        for _ in range(20):
            tree.extend({name: rng.normal(size=EVENTS // 20).astype(np.float32).round(3) for name in FLAT})


def _jagged_file(path: Path) -> None:
    rng = np.random.default_rng(0)
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        tree = file.mktree("t", {"Jet_pt": "var * float32", "Jet_eta": "var * float32", "met": "float32"})
        for _ in range(10):
            counts = rng.poisson(4, JAGGED // 10)
            jets = [rng.exponential(40, counts.sum()), rng.normal(size=counts.sum())]
            pt, eta = (ak.unflatten(each.astype(np.float32), counts) for each in jets)
            tree.extend({"Jet_pt": pt, "Jet_eta": eta, "met": rng.exponential(30, JAGGED // 10).astype(np.float32)})


def _csv_file(path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(ROWS, 19)).astype(np.float32), columns=[*FLAT[:18], "label"])
    table["label"] = rng.integers(0, 2, ROWS).astype(float)
    table.to_csv(path, index=False)

"""`predict` against reading, the network and writing by hand, and its memory for few and for many entries."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import uproot
from turns import peak, ratio, rounds

from hepclf import Evaluation, PlainMLP, Prediction, Trainer, predict, train
from hepclf.data.root import Root

FEATURES = 30
NAMES = tuple(f"x{i}" for i in range(FEATURES))
MANY, FEW = 2_000_000, 500_000


def run() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        for name, entries in (("few", FEW), ("many", MANY), ("s", 2000), ("b", 2000)):
            _file(folder / f"{name}.root", entries)
        samples = [{"name": name, "class": name, "files": str(folder / f"{name}.root")} for name in "bs"]
        data = Root(samples=samples, features=NAMES, cache=False)  # type: ignore[arg-type]
        train(data, PlainMLP(), Trainer(epochs=1), Evaluation(plots=False), folder=folder / "run")
        ours, hand = rounds(_ours(folder), _by_hand(folder), count=5)
        print("| what | ours, s | speed against the same by hand | peak for 0.5 M and for 2 M entries, MiB |")
        print("|---|---|---|---|")
        memory = "; ".join(
            f"{peak(PREDICT, str(folder / 'run'), str(folder / f'{n}.root')):.0f}" for n in ("few", "many")
        )
        print(f"| predict, 2 M x 30, zstd | {statistics.median(ours):.2f} | {ratio(hand, ours)} | {memory} |")
    finally:
        shutil.rmtree(folder)


def _ours(folder: Path) -> Callable[[], None]:
    asked = Prediction(files=str(folder / "many.root"), out=str(folder / "friends"), overwrite=True)
    return lambda: predict(folder / "run", asked) and None


def _by_hand(folder: Path) -> Callable[[], None]:
    """All into memory, one matrix, the network in batches, one tree."""
    from hepclf import load_tagger

    module = load_tagger(folder / "run" / "tagger")._module

    def score() -> None:
        with uproot.open(folder / "many.root") as file:
            columns = file["t"].arrays(list(NAMES), library="np")
        table = torch.from_numpy(np.stack([columns[name] for name in NAMES], axis=1))
        with torch.inference_mode():
            logits = torch.cat([module(part) for part in table.split(1 << 14)])
        scores = torch.sigmoid(logits.double()).numpy()
        with uproot.recreate(folder / "by_hand.root", compression=uproot.LZ4(1)) as file:
            file.mktree("scores", {"score": scores.dtype}).extend({"score": scores})

    return score


PREDICT = """
import tempfile, torch, uproot
from hepclf import Prediction, predict
begin()
predict(sys.argv[1], Prediction(files=sys.argv[2], out=tempfile.mkdtemp()))
"""


def _file(path: Path, entries: int) -> None:
    rng = np.random.default_rng(entries)
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        tree = file.mktree("t", dict.fromkeys(NAMES, np.dtype(np.float32)))
        for start in range(0, entries, 100_000):
            size = min(100_000, entries - start)
            shift = 0.3 * (path.stem == "s")
            tree.extend({name: (rng.normal(size=size) + shift).astype(np.float32).round(3) for name in NAMES})

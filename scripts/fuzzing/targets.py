"""The kinds of targets: how their whole files are made, and how a case is drawn and run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import runs
import tables
import taggers
import texts

Task = Callable[[], object]
# From a random generator, the folder of the whole files and the folder of the case: what the case does.
Make = Callable[[Random, Path, Path], Task]

KINDS: dict[str, Make] = {**taggers.KINDS, **tables.KINDS, **texts.KINDS, **runs.KINDS}


def prepare(base: Path) -> None:
    """Write the whole files of every kind, once."""
    for module in (taggers, tables, runs):
        module.prepare(base)


def attack(kind: str, seed: int, base: Path, folder: Path) -> Task:
    """Write the files of a case into its folder, and return what reads them."""
    return KINDS[kind](Random(f"{kind}:{seed}"), base, folder)


def import_all() -> None:
    """Import what the cases need, once for all workers."""
    import awkward
    import h5py
    import lightgbm
    import pyarrow.parquet
    import sklearn.svm
    import torch
    import uproot
    import xgboost

    import hepclf.cli.config
    import hepclf.cli.errors
    import hepclf.comparison.entry
    import hepclf.models.loading
    import hepclf.workflow.sweep_row

    torch.set_num_threads(1)
    hepclf.models.loading.load_tagger(taggers.GOLDEN / "mlp")  # torch imports a part of itself at its first use
    for module in (awkward, h5py, lightgbm, pyarrow.parquet, sklearn.svm, uproot, xgboost, hepclf):
        assert module.__name__

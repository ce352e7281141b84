"""Run folders, checkpoints and entries of the cache, with damaged records."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from damage import changed, damaged, written

KEY = "0" * 32


def prepare(base: Path) -> None:
    """A run, a checkpoint and an entry of a cache."""
    import numpy as np
    import torch

    from hepclf import Evaluation, Logistic, Mixture, Trainer, train
    from hepclf.data.cache import Cache, Reading
    from hepclf.training.checkpoint import write_checkpoint

    studies = {name: None for name in vars(Evaluation()) if hasattr(getattr(Evaluation(), name), "study")}
    evaluation = Evaluation(plots=False, report=False, **studies)
    train(Mixture(events=300), Logistic(), Trainer(epochs=1), evaluation, folder=base / "run")
    state = {"epoch": 3, "net": {"weight": torch.ones(3, 2), "bias": torch.zeros(3)}, "history": [[1, 0.5], [2, 0.4]]}
    for _ in range(2):
        write_checkpoint(base / "checkpoint", state)
    cache = Cache(base / "cache", 1.0)
    with cache.draft(KEY) as draft:
        cache.keep(KEY, draft, Reading({"x": np.arange(50.0), "n": np.arange(50)}, {"names": ["x"]}), "a table")


def run_folder(rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """A run with one or two damaged files, read as `compare`, `evaluate` and `status` do."""
    run = folder / "run"
    shutil.copytree(base / "run", run, symlinks=True)
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.stat().st_size)
    for path in rng.sample(paths, rng.randint(1, 2)):
        _damage(rng, path, structured=0.7)
    return partial(_read_run, run)


def _damage(rng: Random, path: Path, *, structured: float) -> None:
    """Damage a file in place; this fraction of the JSON files stays JSON and holds other values."""
    data = path.read_bytes()
    if path.suffix == ".json" and rng.random() < structured:
        path.write_bytes(written(changed(rng, json.loads(data))))
    else:
        path.write_bytes(damaged(rng, data))


def _read_run(folder: Path) -> None:
    from hepclf.cli.errors import explain
    from hepclf.comparison.entry import run_entry
    from hepclf.evaluation.files.store import read_scores
    from hepclf.models.loading import load_tagger
    from hepclf.recipe import read_stored
    from hepclf.run import Run
    from hepclf.workflow.sweep_row import read_row

    run = Run.open(folder)
    readers = (
        run.status,
        partial(read_stored, run.config),
        partial(run_entry, run),
        partial(read_scores, run.scores),
        partial(load_tagger, run.tagger),
        partial(read_row, run, 1, {}, folder / "error.json"),
    )
    errors = []
    for read in readers:  # each of them, as an error of the first would hide the others
        try:
            read()
        except Exception as error:
            if isinstance(error, MemoryError) or explain(error)[0].startswith("unexpected"):
                raise
            errors.append(error)
    if errors:
        raise errors[0]


def checkpoint(rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """A checkpoint with damage that its digests show, or with other contents and digests that fit."""
    place = folder / "checkpoint"
    shutil.copytree(base / "checkpoint", place)
    path = rng.choice(sorted(place.iterdir()))
    if path.suffix == ".json" and rng.random() < 0.6:
        head = json.loads(path.read_bytes())
        contents = changed(rng, head["contents"])
        digest = hashlib.sha256(json.dumps(contents).encode()).hexdigest()
        path.write_bytes(written({"digest": digest, "contents": contents}))
    else:
        path.write_bytes(damaged(rng, path.read_bytes()))
    return partial(_read_checkpoint, place)


def _read_checkpoint(place: Path) -> None:
    from hepclf.training.checkpoint import read_checkpoint

    read_checkpoint(place)


def cache(rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """A damaged entry of the cache: it is read as it was or not at all."""
    place = folder / "cache"
    shutil.copytree(base / "cache", place)
    path = rng.choice(sorted(path for path in place.rglob("*") if path.is_file()))
    _damage(rng, path, structured=0.5)
    return partial(_read_cache, place)


def _read_cache(place: Path) -> None:
    import numpy as np

    from hepclf.data.cache import Cache

    store = Cache(place, 1.0)
    store.entries()
    entry = store.find(KEY)
    if entry is not None and not (
        np.array_equal(entry[0]["x"], np.arange(50.0)) and np.array_equal(entry[0]["n"], np.arange(50))
    ):
        raise AssertionError("the cache gives other values than were stored")


KINDS = {"run-folder": run_folder, "checkpoint": checkpoint, "cache": cache}

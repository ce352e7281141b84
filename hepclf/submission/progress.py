"""The progress of a training, from the files of its run, during the training or afterwards."""

from __future__ import annotations

import csv
from typing import NamedTuple

from hepclf.files import read_yaml
from hepclf.run import Run


class Advance(NamedTuple):
    """Epochs done, the best validation loss, seconds per epoch, and the seconds left, if known."""

    epochs: int
    loss: float | None = None
    seconds: float | None = None
    left_s: float | None = None


def advance(run: Run, *, is_running: bool) -> Advance:
    """The progress of a run from its history.csv; the number of epochs left is determined only for a running one."""
    try:
        with run.history.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        losses = [float(row["valid_loss"]) for row in rows]
        seconds = [float(row["seconds"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):  # there is none yet
        return Advance(0)
    if not rows:
        return Advance(0)
    mean_s = sum(seconds) / len(seconds)
    left_s = None
    if is_running and (total := _total(run)) is not None:
        left_s = mean_s * max(0, total - len(rows))
    return Advance(len(rows), min(losses), mean_s, left_s)


def _total(run: Run) -> int | None:
    """The maximum number of epochs, if the configuration states it."""
    try:
        trainer = read_yaml(run.config).get("trainer")
    except (OSError, ValueError):
        return None
    if not isinstance(trainer, dict):
        return None
    epochs, members = trainer.get("epochs"), _members(run)
    return epochs * members if type(epochs) is int else None


def _members(run: Run) -> int:
    """The number of trainings, whose epochs the history lists one after another: one, or that of the folds."""
    folds = read_yaml(run.config).get("folds")
    count = folds.get("count") if isinstance(folds, dict) else None
    return count if type(count) is int else 1

"""How far a training is, told from the files of its run while it works or afterwards."""

from __future__ import annotations

import csv
from typing import NamedTuple

from hepclf.files import read_yaml
from hepclf.run import Run


class Advance(NamedTuple):
    """Epochs done, the best validation loss, seconds an epoch, and the seconds that are left where they are known."""

    epochs: int
    loss: float | None = None
    seconds: float | None = None
    left_s: float | None = None


def advance(run: Run, *, is_running: bool) -> Advance:
    """The progress of a run by its history.csv; how many epochs are still to come is asked only of a running one."""
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
    total = _total(run) if is_running else None
    return Advance(len(rows), min(losses), mean_s, None if total is None else mean_s * max(0, total - len(rows)))


def _total(run: Run) -> int | None:
    """At most so many epochs come, where the configuration says it."""
    try:
        trainer = read_yaml(run.config).get("trainer")
    except (OSError, ValueError):
        return None
    epochs = trainer.get("epochs") if isinstance(trainer, dict) else None
    return epochs if type(epochs) is int else None

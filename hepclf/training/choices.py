"""What a training says in a line of the log about the settings that were chosen by rule, or against the usual."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from hepclf.training.table import Rows, Streamed
from hepclf.training.trainer import Trainer

notes = logging.getLogger("hepclf.notes")  # which the command line shows besides warnings


def announce(trainer: Trainer, train: Rows, rate: float) -> None:
    """Say them, if there are any; `rate` is the largest learning rate."""
    if words := ", ".join(_choices(trainer, train, rate)):
        notes.info("training: %s", words)


def _choices(trainer: Trainer, train: Rows, rate: float) -> Iterator[str]:
    if trainer.batch == "auto":
        yield f"batches of {trainer.batch_size(len(train.targets))} events, learning rate up to {rate:.2g}"
    if trainer.precision == "bf16":
        yield "matrix products in bf16"
    if isinstance(train, Streamed) or trainer.residency != "auto":
        yield f"{len(train.targets):,} rows {_home(train)}"


def _home(train: Rows) -> str:
    """Where the rows live."""
    device = train.targets.device
    if not isinstance(train, Streamed):
        return "in memory" if device.type == "cpu" else f"on {device}"
    if train.run > 1:
        return "on disk, read ahead in blocks"
    return f"in memory, copied ahead to {device} in blocks"

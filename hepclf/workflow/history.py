"""The epochs of a training in its history.csv."""

from __future__ import annotations

import csv
import logging
import time
from pathlib import Path
from typing import Any

from hepclf.files import write_csv
from hepclf.training.epoch import Epoch

MEMBER = "member"
COLUMNS = (MEMBER, *Epoch._fields)
EVERY_S = 1.0  # seconds between two writes of the history

log = logging.getLogger(__name__)


class History:
    """Keeps history.csv up to date during a training: call it with each epoch.

    In folds each epoch comes with the number of its training, and the file has a column `member`.
    """

    def __init__(self, path: Path, *, has_members: bool = False) -> None:
        self._path, self._first = path, 0 if has_members else 1
        self._epochs: list[tuple[Any, ...]] = []
        self._written = 0.0
        self._has_failed = False

    def __call__(self, epoch: Epoch, member: int = 0) -> None:
        """Add an epoch; write if the last write was a second ago. A full disk gives one warning."""
        self._epochs.append((member, *epoch))
        if time.monotonic() - self._written > EVERY_S:
            try:
                self.write()
            except OSError as error:
                if not self._has_failed:
                    log.warning("%s could not be written (%s); the training continues", self._path, error.strerror)
                self._has_failed = True

    def write(self, *, durable: bool = False) -> None:
        """Write all epochs so far."""
        rows = sorted(self._epochs, key=lambda row: row[:2])
        write_csv(self._path, COLUMNS[self._first :], [row[self._first :] for row in rows], durable=durable)
        self._written = time.monotonic()


def read_history(path: Path) -> tuple[Epoch, ...]:
    """The epochs of a history.csv, in folds one training after another."""
    return tuple(epoch for epochs in read_histories(path).values() for epoch in epochs)


def read_histories(path: Path) -> dict[int, tuple[Epoch, ...]]:
    """The epochs of each training in a history.csv; without folds there is one, of number 0."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    histories: dict[int, tuple[Epoch, ...]] = {}
    for row in rows:
        epoch = Epoch(int(row["epoch"]), *(float(row[name]) for name in Epoch._fields[1:]))
        member = int(row.get(MEMBER) or 0)
        histories[member] = (*histories.get(member, ()), epoch)
    return histories

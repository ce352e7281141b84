"""A request to stop a training, and the places between its stages where it takes effect."""

from __future__ import annotations

import time
from collections.abc import Callable

from hepclf.training.epoch import Epoch, Progress


class Stop:
    """Holds the reason why trainings must stop, or None. Signal handlers only set it; the training checks it.

    Create it when the process starts: `trainer.exit_after_s` counts from then.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._reason: str | None = None
        self.is_interrupt = False

    def ask(self, reason: str, *, is_interrupt: bool = False) -> None:
        """Request a stop; the first reason counts. `is_interrupt` marks Ctrl-C, unlike a batch system's signal."""
        if self._reason is None:
            self._reason, self.is_interrupt = reason, is_interrupt

    @property
    def reason(self) -> str | None:
        """Why to stop now; None: continue."""
        return self._reason

    @property
    def seconds(self) -> float:
        """Seconds since it was created."""
        return time.monotonic() - self._started


class Stoppable:
    """Progress that passes on each report; when a stage begins or data are read, it may also leave.

    `leave` raises if a stop is requested. Within the training the checkpoints stop it, at the next edge.
    """

    def __init__(self, progress: Progress, leave: Callable[[], None]) -> None:
        self._progress, self._leave = progress, leave

    def stage(self, name: str) -> None:
        """A new stage begins."""
        self._leave()
        self._progress.stage(name)

    def read(self, done: int, total: int) -> None:
        """A number of entries of the data was read."""
        self._leave()
        self._progress.read(done, total)

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """An epoch over this number of training events is done."""
        self._progress.epoch(epoch, total, events)

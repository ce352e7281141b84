"""A request to stop a training: by a signal, or because its time is up."""

from __future__ import annotations

import time
from collections.abc import Callable

from hepclf.training.epoch import Epoch, Progress


class Stop:
    """Holds the reason why a training is to stop, or None. Signal handlers only set it; the training asks for it.

    `exit_after_s` counts from `started`, a value of time.monotonic().
    """

    def __init__(self, exit_after_s: float | None = None, started: float | None = None) -> None:
        self.exit_after_s = exit_after_s
        self._started = time.monotonic() if started is None else started
        self._reason: str | None = None

    def ask(self, reason: str) -> None:
        """Ask for a stop; the first reason counts."""
        self._reason = self._reason or reason

    @property
    def reason(self) -> str | None:
        """Why to stop now; None: go on."""
        late = self.exit_after_s is not None and time.monotonic() - self._started >= self.exit_after_s
        return self._reason or (f"trainer.exit_after_s={self.exit_after_s:g}" if late else None)


class Stoppable:
    """Progress that passes on what it hears, and leaves where a stage begins or data are read if a stop is asked for.

    During the training it is the checkpoints that stop, at the next edge.
    """

    def __init__(self, progress: Progress, leave: Callable[[], None]) -> None:
        self._progress, self._leave = progress, leave

    def stage(self, what: str) -> None:
        """A new stage begins."""
        self._leave()
        self._progress.stage(what)

    def read(self, done: int, of: int) -> None:
        """So many of the entries of the data are read."""
        self._leave()
        self._progress.read(done, of)

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is done."""
        self._progress.epoch(epoch, of)

"""The epochs of a fit, when to stop, and who receives its progress. Nothing here needs PyTorch."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

Keep = Literal["best", "last"]

log = logging.getLogger(__name__)


class Epoch(NamedTuple):
    """One pass over the training set (or one boosting round, one Newton step), and its result."""

    epoch: int
    train_loss: float
    valid_loss: float
    learning_rate: float
    seconds: float


class Best:
    """The epoch that a fit keeps: the one with the lowest validation loss so far, or always the latest."""

    def __init__(self, keep: Keep = "best") -> None:
        self._keep = keep
        self.epoch, self.loss = 0, math.inf

    def take(self, epoch: int, valid_loss: float) -> bool:
        """Whether to keep this epoch from now on."""
        better = valid_loss < self.loss or self._keep == "last"
        if better:
            self.epoch, self.loss = epoch, valid_loss
        return better

    def state(self) -> dict[str, float]:
        """Its epoch and loss."""
        return {"epoch": self.epoch, "loss": self.loss}

    def restore(self, state: Mapping[str, float]) -> None:
        """Resume from a stored state."""
        self.epoch, self.loss = int(state["epoch"]), state["loss"]


class Stopping:
    """Says when the validation loss has not improved for `patience` epochs; with null it never stops."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._best = Best()
        self._epoch = 0

    def done(self, valid_loss: float) -> bool:
        """Whether to stop after this epoch."""
        self._epoch += 1
        self._best.take(self._epoch, valid_loss)
        return self._patience is not None and self._epoch - self._best.epoch >= self._patience


class Progress(Protocol):
    """Receives the progress of a workflow."""

    def stage(self, name: str) -> None:
        """A new stage begins."""
        ...

    def read(self, done: int, total: int) -> None:
        """A number of entries of the data was read."""
        ...

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """An epoch over so many training events is done; events=None: before the training was resumed."""
        ...


class Quiet:
    """Progress that is not shown: a line of the log per stage."""

    def stage(self, name: str) -> None:
        """A new stage begins."""
        log.info(name)

    def read(self, done: int, total: int) -> None:
        """A number of entries of the data was read."""
        log.debug("%d of %d entries are read", done, total)

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:  # noqa: ARG002
        """An epoch over so many training events is done."""
        log.info("epoch %d of %d: training loss %.5g, validation loss %.5g", epoch.epoch, total, *epoch[1:3])


class Timed:
    """Progress that passes on each report and measures how long each stage took: `seconds` by the stage's name."""

    def __init__(self, to: Progress) -> None:
        self._to = to
        self._stage: str | None = None
        self._began = 0.0
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> None:
        """A new stage begins; the last one ends."""
        self.close()
        self._stage, self._began = name, time.perf_counter()
        self._to.stage(name)

    def close(self) -> None:
        """The last stage ends."""
        if self._stage is not None:
            self.seconds[self._stage] = time.perf_counter() - self._began
        self._stage = None

    def read(self, done: int, total: int) -> None:
        """So many of the entries of the data are read."""
        self._to.read(done, total)

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """An epoch over so many training events is done."""
        self._to.epoch(epoch, total, events)

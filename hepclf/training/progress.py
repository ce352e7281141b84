"""Who hears what a training is doing."""

from __future__ import annotations

import logging
from typing import Protocol

from hepclf.training.trainer import Epoch

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Hears what a workflow is doing."""

    def stage(self, what: str) -> None:
        """A new stage begins."""
        ...

    def read(self, done: int, of: int) -> None:
        """So many of the entries of the data are read."""
        ...

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is done."""
        ...


class Quiet:
    """Progress for those who do not want to see it: a line of the log."""

    def stage(self, what: str) -> None:
        """A new stage begins."""
        log.info(what)

    def read(self, done: int, of: int) -> None:
        """So many of the entries of the data are read."""
        log.debug("%d of %d entries are read", done, of)

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is done."""
        log.info("epoch %d of %d: training loss %.5g, validation loss %.5g", epoch.epoch, of, *epoch[1:3])

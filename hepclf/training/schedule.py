"""Learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

ScheduleName = Literal["constant", "cosine", "one_cycle", "plateau"]

RISE = 0.3  # of all steps of one_cycle, over which the rate rises
START, END = 25.0, 1e4  # of one_cycle: the peak over the first rate, the first over the last
FACTOR, PATIENCE, IMPROVED = 0.3, 3, 1e-4  # of plateau: the cut in rate, the epochs it waits, what counts as better


class Schedule:
    """The learning rate in force: one_cycle moves it after each step, cosine and plateau after each epoch.

    The formulas, and their rounding, are those of torch's schedulers, which work only with torch's optimiser classes.
    """

    def __init__(self, kind: ScheduleName, rate: float, epochs: int, steps: int) -> None:
        self._kind, self._peak = kind, rate
        self._epochs, self._total = epochs, epochs * steps
        self._count = 0  # steps of one_cycle, epochs of the others
        self._best, self._waited = math.inf, 0
        self.rate = self._cycle(0) if kind == "one_cycle" else rate

    def after_step(self) -> None:
        """Tell the schedule that a batch is done."""
        if self._kind == "one_cycle":
            self._count += 1
            self.rate = self._cycle(self._count)

    def after_epoch(self, valid_loss: float) -> None:
        """Tell the schedule that an epoch is done, with its validation loss."""
        if self._kind == "cosine":
            self._count += 1
            before, after = (1 + math.cos(math.pi * epoch / self._epochs) for epoch in (self._count - 1, self._count))
            self.rate = after / before * self.rate
        if self._kind == "plateau":
            self._wait(valid_loss)

    def state(self) -> dict[str, float]:
        """The values on which the next rates depend."""
        return {"rate": self.rate, "count": self._count, "best": self._best, "waited": self._waited}

    def restore(self, state: Mapping[str, float]) -> None:
        """Resume from a stored state."""
        self.rate, self._best = state["rate"], state["best"]
        self._count, self._waited = int(state["count"]), int(state["waited"])

    def _cycle(self, step: int) -> float:
        """From a 25th of the peak up to it, and down to a 250,000th, each along half a cosine."""
        turn, last = RISE * self._total - 1, self._total - 1
        low = self._peak / START
        if step <= turn:
            return _between(low, self._peak, step / turn)
        return _between(self._peak, low / END, (step - turn) / (last - turn))

    def _wait(self, valid_loss: float) -> None:
        if valid_loss < self._best * (1 - IMPROVED):
            self._best, self._waited = valid_loss, 0
        else:
            self._waited += 1
        if self._waited > PATIENCE:
            self._waited = 0
            lower = self.rate * FACTOR
            if self.rate - lower > 1e-8:
                self.rate = lower


def _between(start: float, end: float, share: float) -> float:
    """Half a cosine from start to end."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)

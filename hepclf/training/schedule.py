"""Learning-rate schedules: torch's own, behind two calls."""

from __future__ import annotations

from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

ScheduleName = Literal["constant", "cosine", "one_cycle", "plateau"]


class Schedule:
    """Moves the optimiser's learning rate: one_cycle after each step, cosine and plateau after each epoch."""

    def __init__(self, kind: ScheduleName, optimiser: Optimizer, epochs: int, steps: int) -> None:
        rate = optimiser.param_groups[0]["lr"]
        self._optimiser = optimiser
        self._cycle: LRScheduler | None = None
        self._cosine: LRScheduler | None = None
        self._plateau: ReduceLROnPlateau | None = None
        if kind == "one_cycle":
            self._cycle = OneCycleLR(optimiser, max_lr=rate, total_steps=epochs * steps, cycle_momentum=False)
        elif kind == "cosine":
            self._cosine = CosineAnnealingLR(optimiser, T_max=epochs)
        elif kind == "plateau":
            self._plateau = ReduceLROnPlateau(optimiser, factor=0.3, patience=3)

    @property
    def rate(self) -> float:
        """The learning rate in force."""
        return float(self._optimiser.param_groups[0]["lr"])

    def after_step(self) -> None:
        """Tell the schedule that a batch is done."""
        if self._cycle is not None:
            self._cycle.step()

    def after_epoch(self, valid_loss: float) -> None:
        """Tell the schedule that an epoch is done, with its validation loss."""
        if self._cosine is not None:
            self._cosine.step()
        if self._plateau is not None:
            self._plateau.step(valid_loss)

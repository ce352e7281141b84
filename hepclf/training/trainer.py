"""The trainer: how a network's weights are found."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.recipe import recipe
from hepclf.training.decorrelate import MOST, Decorrelate
from hepclf.training.epoch import Keep
from hepclf.training.loss import POWER, Loss
from hepclf.training.optimiser import OptimiserName
from hepclf.training.planing import check_spectator, planed, spectator_values
from hepclf.training.precision import Precision
from hepclf.training.residency import Residency
from hepclf.training.schedule import ScheduleName
from hepclf.training.weights import Balance, NegativeWeights, training_weights

# Settings that the workflow uses, for any model.
FOR_ALL = frozenset({"calibrate", "checkpoint_s", "exit_after_s", "threads"})
RATE = 5e-3  # learning rate of a network that names no other
BATCH = 256  # events of a step, for which the networks' own rates were chosen
PER_STEP, LARGEST = 400, 8192  # batch=auto: at least so many steps an epoch, and the largest batch
WEIGHTING = frozenset({"balance", "negative_weights", "planing"})  # settings behind every weight in a loss


@recipe
class Trainer:
    """Gradient descent on the training set, evaluated after each epoch on the validation set.

    exit_after_s   stop after so many seconds with a checkpoint, for batch systems that kill without a signal
    checkpoint_s   seconds between checkpoints; null: none
    batch          auto: 256; from 204,800 training events on a larger power of two, at most 8192
    epochs         null: 30; from 13,000 training events on fewer, as many as come to 400,000 events; from 80,000 on 5
    learning_rate  null: the network's own, 0.005 but for model=logistic, times sqrt(batch / 256) with batch=auto
    find_rate      test growing rates before the training and suggest one; the training is the same as without
    precision      of matrix products (training/precision.py)
    residency      where the rows of the tables live (training/residency.py)
    power          p of loss=power, |s - y|^p; its best score has ln(s/(1 - s)) = ln(odds of the signal) / (p - 1)
    threads        of the processor, for every model; null: the cores by affinity mask, quota and OMP_NUM_THREADS
    devices        processes that share each batch, one a GPU; null: those that torchrun or srun started, else one
    """

    device: str = "auto"
    devices: int | None = None
    threads: int | None = None
    epochs: int | None = None
    batch: int | Literal["auto"] = BATCH
    optimiser: OptimiserName = "adamw"
    learning_rate: float | None = None
    find_rate: bool = False
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: ScheduleName = "cosine"
    loss: Loss = "cross_entropy"
    power: float = POWER
    clip: float | None = None
    balance: Balance = "classes"
    negative_weights: NegativeWeights = "error"
    planing: str | None = None
    decorrelate: Decorrelate | None = None
    patience: int | None = 10
    keep: Keep = "best"
    calibrate: Literal["none", "temperature", "isotonic"] = "none"
    checkpoint_s: float | None = 60.0
    exit_after_s: float | None = None
    precision: Precision = "auto"
    residency: Residency = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("devices", "threads", "epochs", "batch"):
            value = getattr(self, name)
            if value not in (None, "auto") and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive and finite, not {self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), not {self.momentum}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must be at least 0, not {self.weight_decay}")
        if not 1 < self.power < math.inf:
            raise ValueError(f"power must be above 1, not {self.power}; power 1 is trainer.loss=absolute")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be positive (or null for none), not {self.clip}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1 (or null for none), not {self.patience}")
        for name in ("checkpoint_s", "exit_after_s"):
            if (value := getattr(self, name)) is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} must be zero or more seconds (or null), not {value}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, not {self.seed}")
        if self.decorrelate is not None and self.batch != "auto" and self.batch > MOST:
            raise ValueError(
                f"batch must be at most {MOST} with decorrelate, not {self.batch}: "
                "all pairs of its events are compared in memory"
            )

    def check_ranks(self, count: int) -> None:
        """Refuse settings that do not work with several ranks, each of which sees a part of a batch."""
        if count > 1 and self.decorrelate is not None:
            raise ValueError(
                "trainer.devices must be 1 with trainer.decorrelate, which compares all pairs of a batch, "
                f"not {count}; use trainer.planing or trainer.devices=1"
            )
        if count > 1 and self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(
                f"trainer.device must be auto, cpu or cuda with trainer.devices={count}, not {self.device}; "
                "each process takes a GPU of its own"
            )

    def check(self, columns: tuple[str, ...] | None, classes: tuple[str, ...] | None) -> None:
        """Refuse spectators and classes that the data do not have; None if these are not known yet."""
        if self.planing is not None and columns is not None:
            check_spectator(self.planing, columns, "trainer.planing")
        if self.decorrelate is not None:
            self.decorrelate.check(columns, classes)

    def weights(self, events: Events) -> NDArray[np.float64]:
        """The weights [n] that these events have in the loss: negative_weights, then planing, then balance."""
        spectrum = None
        if self.planing is not None:
            values = spectator_values(events, self.planing, "trainer.planing")
            spectrum = partial(planed, labels=events.labels, values=values, classes=events.classes)
        return training_weights(
            events.labels, events.weights, events.classes, self.balance, self.negative_weights, spectrum
        )

    def weighing(self, events: Events) -> Events:
        """The events that have a weight in the loss; those of weight zero are left out."""
        weights = events.weights
        counting = weights != 0
        if self.negative_weights == "zero":
            counting = weights > 0
        return events if counting.all() else events.take(counting)

    def batch_size(self, events: int) -> int:
        """The events of a step, for this number of training events."""
        if self.batch != "auto":
            return self.batch
        largest = max(1, events // PER_STEP)
        return min(LARGEST, max(BATCH, 1 << (largest.bit_length() - 1)))  # a power of two

    def largest_rate(self, events: int, rate: float) -> float:
        """The largest learning rate, for this number of training events; `rate` is the network's own."""
        if self.learning_rate is not None:
            return self.learning_rate
        if self.batch == "auto":
            return rate * math.sqrt(self.batch_size(events) / BATCH)
        return rate

    def passes(self, events: int) -> int:
        """The maximum number of epochs for this number of training events."""
        if self.epochs is not None:
            return self.epochs
        return min(30, max(5, 400_000 // events))

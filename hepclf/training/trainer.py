"""The trainer: how a network's weights are found, and the loop that finds them."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from hepclf.recipe import recipe
from hepclf.training.average import Average
from hepclf.training.loss import Loss, losses
from hepclf.training.schedule import Schedule, ScheduleName
from hepclf.training.table import Rows
from hepclf.training.weights import Balance, NegativeWeights

BLOCK = 1 << 18  # rows shuffled at once: enough to make the gather cheap, few enough to stay in memory
BYTES = 1 << 25  # of a block, where rows are wide
ROWS = 1 << 14  # rows that go through a network at once outside training: what its caches hold


@recipe
class Trainer:
    """Gradient descent on the training split, judged after each epoch on the validation split.

    epochs  null: 30; from 13,000 training events on fewer, as many as come to 400,000 events; from 50,000 on 8
    """

    device: str = "auto"
    epochs: int | None = None
    batch: int = 256
    optimiser: Literal["adamw", "adam", "rmsprop", "sgd"] = "adamw"
    learning_rate: float = 3e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: ScheduleName = "cosine"
    loss: Loss = "cross_entropy"
    clip: float | None = None
    balance: Balance = "classes"
    negative_weights: NegativeWeights = "error"
    patience: int | None = 10
    keep: Literal["best", "last"] = "best"
    calibrate: Literal["none", "temperature", "isotonic"] = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, however {name}={getattr(self, name)}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive and finite, however learning_rate={self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), however momentum={self.momentum}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must not be negative, however weight_decay={self.weight_decay}")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be positive (or null for none), however clip={self.clip}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1 (or null for none), however patience={self.patience}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, however seed={self.seed}")

    def passes(self, events: int) -> int:
        """Epochs at most, for so many training events."""
        return min(30, max(8, 400_000 // events)) if self.epochs is None else self.epochs


class Epoch(NamedTuple):
    """One pass over the training split (or one boosting round, one Newton step), and what it led to."""

    epoch: int
    train_loss: float
    valid_loss: float
    learning_rate: float
    seconds: float


class Stopping:
    """Says when the validation loss has not improved for `patience` epochs; null never stops."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._best = math.inf
        self._waited = 0

    def done(self, valid_loss: float) -> bool:
        """Whether to stop after this epoch."""
        self._waited = 0 if valid_loss < self._best else self._waited + 1
        self._best = min(self._best, valid_loss)
        return self._patience is not None and self._waited >= self._patience


def epochs(
    network: nn.Module,
    train: Rows,
    valid: Rows,
    trainer: Trainer,
    l2: float = 0.0,
    average: Average | None = None,
) -> Iterator[Epoch]:
    """Train the network in place, an epoch at a time; the caller stops by leaving the loop.

    `average` follows the network after each step, and the validation loss is then its own. `l2` adds
    l2 * (sum of squared weights, biases left out) to the loss that is descended, not to those reported.
    """
    optimiser = _optimiser(network, trainer)
    steps = math.ceil(len(train.targets) / trainer.batch)
    passes = trainer.passes(len(train.targets))
    schedule = Schedule(trainer.schedule, optimiser, passes, steps)

    def after_step() -> None:
        schedule.after_step()
        if average is not None:
            average.update(network)

    for number in range(1, passes + 1):
        started, rate = time.perf_counter(), schedule.rate
        with seeded(train.targets.device, trainer.seed, number):
            train_loss = _pass(network, train, trainer, optimiser, after_step, l2)
        valid_loss = mean_loss(network if average is None else average.network, valid, trainer.loss)
        for which, value in (("training", train_loss), ("validation", valid_loss)):
            if not math.isfinite(value):
                raise ValueError(_diverged(f"the {which} loss is {value} in epoch {number}", rate, (train, valid)))
        schedule.after_epoch(valid_loss)
        yield Epoch(number, train_loss, valid_loss, rate, time.perf_counter() - started)


def mean_loss(network: nn.Module, table: Rows, loss: Loss, rows: int = ROWS) -> float:
    """The weighted mean loss, sum(w l) / sum(w), in evaluation mode."""
    network.eval()
    total = torch.zeros((), dtype=torch.float64, device=table.targets.device)
    with torch.no_grad():
        for start in range(0, len(table.targets), rows):
            part = table.part(start, start + rows)
            each = losses(network(part.inputs), part.targets, loss)
            total += (each * part.weights).sum(dtype=torch.float64)
    return float(total / table.weights.sum(dtype=torch.float64))


def _pass(
    network: nn.Module, train: Rows, trainer: Trainer, optimiser: Optimizer, after_step: Callable[[], None], l2: float
) -> float:
    """One shuffled pass over the training table; the mean weighted loss met on the way."""
    network.train()
    total = torch.zeros((), device=train.targets.device)
    decayed = [weight for weight in network.parameters() if weight.ndim > 1] if l2 else []
    parameters = list(network.parameters())
    for inputs, targets, weights in _batches(train, trainer.batch):
        optimiser.zero_grad()
        loss = (losses(network(inputs), targets, trainer.loss) * weights).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        for weight in decayed:
            weight.grad.add_(weight.detach(), alpha=2 * l2)  # type: ignore[union-attr]
        if trainer.clip is not None:
            nn.utils.clip_grad_norm_(parameters, trainer.clip)
        optimiser.step()
        after_step()
        total += loss.detach() * len(targets)
    return float(total.double() / train.weights.sum(dtype=torch.float64))


def _batches(train: Rows, batch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches in random order: rows are gathered a large block at a time, so that a batch is a mere slice."""
    per_block = max(1, min(BLOCK, BYTES // (4 * len(train.names))) // batch)
    order = train.order(per_block * batch)
    edges = [*range(0, len(order), batch), len(order)]
    if len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]  # a last batch of one event has no variance, which batch normalisation needs
    for first in range(0, len(edges) - 1, per_block):
        inner = edges[first : first + per_block + 1]
        rows = train.take(order[inner[0] : inner[-1]])
        for start, stop in pairwise(inner):
            part = slice(start - inner[0], stop - inner[0])
            yield rows.inputs[part], rows.targets[part], rows.weights[part]


def _optimiser(network: nn.Module, trainer: Trainer) -> Optimizer:
    parameters = list(network.parameters())
    rate, decay = trainer.learning_rate, trainer.weight_decay
    if trainer.optimiser == "sgd":
        return SGD(parameters, lr=rate, momentum=trainer.momentum, weight_decay=decay, fused=True)
    if trainer.optimiser == "rmsprop":
        return RMSprop(parameters, lr=rate, momentum=trainer.momentum, weight_decay=decay)
    kind = AdamW if trainer.optimiser == "adamw" else Adam
    return kind(parameters, lr=rate, weight_decay=decay, fused=True)


@contextlib.contextmanager
def seeded(device: torch.device, *seeds: int) -> Iterator[None]:
    """Random numbers drawn from these seeds alone; the caller's random state is left as it was.

    PyTorch's generators belong to the process: two trainings in threads of one process share them.
    """
    mixed = int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(mixed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(mixed)
        yield


def _diverged(what: str, rate: float, tables: tuple[Rows, ...]) -> str:
    sizes = torch.stack([_sizes(table) for table in tables]).amax(0)
    worst = int(sizes.argmax())
    return (
        f"{what} at learning rate {rate:.3g}; the largest input is {tables[0].names[worst]!r} with "
        f"{float(sizes[worst]):.4g} after scaling; "
        "lower trainer.learning_rate, set trainer.clip=1 or choose another model.preprocess.scaling"
    )


def _sizes(table: Rows) -> Tensor:
    """The largest size of each input."""
    parts = (table.part(start, start + ROWS) for start in range(0, len(table.targets), ROWS))
    return torch.stack([part.inputs.abs().amax(0) for part in parts]).amax(0)

"""Gradient descent: the loop that finds a network's weights."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hepclf.training.average import Average
from hepclf.training.decorrelate import MOST, disco
from hepclf.training.epoch import Best, Epoch
from hepclf.training.loss import Loss, losses
from hepclf.training.optimiser import Optimiser
from hepclf.training.schedule import Schedule
from hepclf.training.table import Rows, TensorTable
from hepclf.training.trainer import RATE, Trainer

BLOCK = 1 << 18  # rows shuffled at once: enough to make the gather cheap, few enough to stay in memory
BYTES = 1 << 25  # of a block, where rows are wide
ROWS = 1 << 14  # rows that go through a network at once outside training: what its caches hold


class Descent:
    """A network's training, in place: iterate for its epochs, leave whenever you like, and go on later.

    l2       adds l2 * (sum of squared weights, biases left out) to the loss that is descended, not to those reported
    rate     the learning rate, where the trainer names none
    average  follow the network by the running mean of its weights, which then gives the validation loss

    Between two epochs all that the next one depends on is in `state()`: random numbers come from the trainer's seed
    and the epoch's number. A fresh Descent that restores it gives the same weights, to the last bit.
    """

    def __init__(
        self,
        network: nn.Module,
        train: Rows,
        valid: Rows,
        trainer: Trainer,
        *,
        rate: float = RATE,
        l2: float = 0.0,
        average: bool = False,
    ) -> None:
        self._network, self._train, self._valid, self._trainer, self._l2 = network, train, valid, trainer, l2
        self._optimiser = Optimiser(
            network.parameters(),
            trainer.optimiser,
            rate=trainer.learning_rate or rate,
            momentum=trainer.momentum,
            weight_decay=trainer.weight_decay,
        )
        self._parameters = list(network.parameters())
        self._passes = trainer.passes(len(train.targets))
        steps = math.ceil(len(train.targets) / trainer.batch)
        self._schedule = Schedule(trainer.schedule, self._optimiser.rate, self._passes, steps)
        self._average = Average(network) if average else None
        self._penalised = None if trainer.decorrelate is None else _penalised(valid, trainer)
        self._epoch = 0
        self._kept: dict[str, Tensor] = {}
        self.best = Best(trainer.keep)

    def __iter__(self) -> Iterator[Epoch]:
        while self._epoch < self._passes:
            yield self._advance()

    @property
    def kept(self) -> dict[str, Tensor]:
        """The weights of the epoch that is kept; empty before the first."""
        return self._kept

    def state(self) -> dict[str, Any]:
        """A copy of all that the next epochs depend on: tensors and plain values."""
        return {
            "epoch": self._epoch,
            "best": self.best.state(),
            "kept": dict(self._kept),
            "network": _copied(self._network),
            "average": None if self._average is None else self._average.state(),
            "optimiser": self._optimiser.state(),
            "schedule": self._schedule.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a stored state of a descent with the same network, events and trainer."""
        self._network.load_state_dict(state["network"])
        if self._average is not None:
            self._average.restore(state["average"])
        self._optimiser.restore(state["optimiser"])
        self._schedule.restore(state["schedule"])
        self.best.restore(state["best"])
        self._kept, self._epoch = dict(state["kept"]), int(state["epoch"])

    def _advance(self) -> Epoch:
        """One more epoch."""
        started, rate, number = time.perf_counter(), self._schedule.rate, self._epoch + 1
        with seeded(self._train.targets.device, self._trainer.seed, number):
            train_loss = self._pass(number)
        judged = self._network if self._average is None else self._average.network
        valid_loss = mean_loss(judged, self._valid, self._trainer.loss) + self._penalty(judged)
        for split, loss in (("training", train_loss), ("validation", valid_loss)):
            if not math.isfinite(loss):
                tables = (self._train, self._valid)
                raise ValueError(_diverged(f"the {split} loss is {loss} in epoch {number}", rate, tables))
        self._schedule.after_epoch(valid_loss)
        self._epoch = number
        if self.best.take(number, valid_loss):
            self._kept = _copied(judged)
        return Epoch(number, train_loss, valid_loss, rate, time.perf_counter() - started)

    def _pass(self, number: int) -> float:
        """One shuffled pass over the training table; the mean weighted loss met on the way, decorrelation included."""
        network, train, trainer = self._network, self._train, self._trainer
        network.train()
        total = torch.zeros((), device=train.targets.device)
        strength = 0.0 if trainer.decorrelate is None else trainer.decorrelate.risen(number)
        strength = strength * float(train.weights.mean()) if strength else 0.0  # the loss is a sum of weights as well
        for part in _batches(train, trainer.batch):
            self._optimiser.zero_grad()
            logits = network(part.inputs)
            loss = (losses(logits, part.targets, trainer.loss) * part.weights).mean()
            if part.spectator is not None:
                loss = loss + strength * disco(logits, part.spectator, part.weights)
            loss.backward()  # type: ignore[no-untyped-call]
            self._step()
            total += loss.detach() * len(part.targets)
        return float(total.double() / train.weights.sum(dtype=torch.float64))

    def _step(self) -> None:
        """Move the weights along the gradients of a batch."""
        for weight in self._parameters if self._l2 else []:
            if weight.ndim > 1 and weight.grad is not None:
                weight.grad.add_(weight.detach(), alpha=2 * self._l2)
        if self._trainer.clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._trainer.clip)
        self._optimiser.rate = self._schedule.rate
        self._optimiser.step()
        self._schedule.after_step()
        if self._average is not None:
            self._average.update(self._network)

    def _penalty(self, network: nn.Module) -> float:
        """What a decorrelation adds to the validation loss."""
        table, decorrelate = self._penalised, self._trainer.decorrelate
        if table is None or table.spectator is None or decorrelate is None:
            return 0.0
        network.eval()
        with torch.no_grad():
            parts = range(0, len(table.targets), ROWS)
            logits = torch.cat([network(table.inputs[start : start + ROWS]) for start in parts])
            return decorrelate.strength * float(disco(logits, table.spectator, table.weights))


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _penalised(valid: Rows, trainer: Trainer) -> TensorTable | None:
    """Validation events that a decorrelation is judged on, at most as many as fit its matrices; the same each time."""
    if valid.spectator is None:
        return None
    rows = torch.nonzero(~torch.isnan(valid.spectator)).flatten()
    with seeded(rows.device, trainer.seed, 0):
        return valid.take(rows[torch.randperm(len(rows), device=rows.device)[: MOST // 2]])


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


def _batches(train: Rows, batch: int) -> Iterator[TensorTable]:
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
            yield rows.part(start - inner[0], stop - inner[0])


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

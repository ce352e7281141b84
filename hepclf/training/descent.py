"""Gradient descent: the loop that finds a network's weights."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from hepclf.training.average import Average
from hepclf.training.decorrelate import MOST, disco
from hepclf.training.epoch import Epoch
from hepclf.training.loss import Loss, losses
from hepclf.training.schedule import Schedule
from hepclf.training.table import Rows, Table
from hepclf.training.trainer import RATE, Trainer

BLOCK = 1 << 18  # rows shuffled at once: enough to make the gather cheap, few enough to stay in memory


BYTES = 1 << 25  # of a block, where rows are wide


ROWS = 1 << 14  # rows that go through a network at once outside training: what its caches hold


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
    some = None if trainer.decorrelate is None else _some(valid, trainer)
    passes = trainer.passes(len(train.targets))
    schedule = Schedule(trainer.schedule, optimiser, passes, steps)

    def after_step() -> None:
        schedule.after_step()
        if average is not None:
            average.update(network)

    for number in range(1, passes + 1):
        started, rate = time.perf_counter(), schedule.rate
        strength = 0.0 if trainer.decorrelate is None else trainer.decorrelate.risen(number)
        with seeded(train.targets.device, trainer.seed, number):
            train_loss = _pass(network, train, trainer, optimiser, after_step, l2, strength)
        judged = network if average is None else average.network
        valid_loss = mean_loss(judged, valid, trainer.loss) + _penalty(judged, some, trainer)
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


def _some(valid: Rows, trainer: Trainer) -> Table | None:
    """Validation events that a decorrelation is judged on, at most as many as fit its matrices; the same each time."""
    if valid.spectator is None:
        return None
    rows = torch.nonzero(~torch.isnan(valid.spectator)).flatten()
    with seeded(rows.device, trainer.seed, 0):
        return valid.take(rows[torch.randperm(len(rows), device=rows.device)[: MOST // 2]])


def _penalty(network: nn.Module, some: Table | None, trainer: Trainer) -> float:
    """What a decorrelation adds to the validation loss."""
    if some is None or some.spectator is None or trainer.decorrelate is None:
        return 0.0
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(some.inputs[start : start + ROWS]) for start in range(0, len(some.targets), ROWS)])
        return trainer.decorrelate.strength * float(disco(logits, some.spectator, some.weights))


def _pass(
    network: nn.Module,
    train: Rows,
    trainer: Trainer,
    optimiser: Optimizer,
    after_step: Callable[[], None],
    l2: float,
    strength: float,
) -> float:
    """One shuffled pass over the training table; the mean weighted loss met on the way, decorrelation included."""
    network.train()
    total = torch.zeros((), device=train.targets.device)
    decayed = [weight for weight in network.parameters() if weight.ndim > 1] if l2 else []
    parameters = list(network.parameters())
    strength = strength * float(train.weights.mean()) if strength else 0.0  # the loss is a sum of weights as well
    for part in _batches(train, trainer.batch):
        optimiser.zero_grad()
        logits = network(part.inputs)
        loss = (losses(logits, part.targets, trainer.loss) * part.weights).mean()
        if part.spectator is not None:
            loss = loss + strength * disco(logits, part.spectator, part.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        for weight in decayed:
            weight.grad.add_(weight.detach(), alpha=2 * l2)  # type: ignore[union-attr]
        if trainer.clip is not None:
            nn.utils.clip_grad_norm_(parameters, trainer.clip)
        optimiser.step()
        after_step()
        total += loss.detach() * len(part.targets)
    return float(total.double() / train.weights.sum(dtype=torch.float64))


def _batches(train: Rows, batch: int) -> Iterator[Table]:
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


def _optimiser(network: nn.Module, trainer: Trainer) -> Optimizer:
    parameters = list(network.parameters())
    rate, decay = trainer.learning_rate or RATE, trainer.weight_decay
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

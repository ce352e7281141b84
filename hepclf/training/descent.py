"""Gradient descent: the loop that finds a network's weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from hepclf.training.average import Average
from hepclf.training.batches import Batches
from hepclf.training.blocks import Blocks, alternative, largest_fitting, limit
from hepclf.training.choices import announce, notes
from hepclf.training.decorrelate import MOST, disco
from hepclf.training.diverged import diverged
from hepclf.training.epoch import Best, Epoch
from hepclf.training.heap import keep_freed_memory
from hepclf.training.loss import losses
from hepclf.training.mean_loss import ROWS, mean_loss
from hepclf.training.memory import explained, is_out_of_memory
from hepclf.training.optimiser import Optimiser
from hepclf.training.precision import Products
from hepclf.training.ranks import ALONE, group
from hepclf.training.rate_test import RateTest, rate_test
from hepclf.training.schedule import Schedule
from hepclf.training.seeds import seeded
from hepclf.training.table import Rows, TensorTable
from hepclf.training.trainer import RATE, Trainer

EDGE = 64  # steps from one edge to the next: between edges nothing is saved, stopped or checked


class Descent:
    """The training of a network, in place: iterate over its epochs, stop at any time, and continue later.

    l2       adds l2 * (sum of squared weights, without biases) to the minimised loss, not to the reported losses
    rate     the learning rate, if the trainer names none
    average  keep a running mean of the network's weights, which then gives the validation loss

    An epoch has an edge after every 64 steps, and one at its end. At an edge, `state()` holds everything that the next
    steps depend on: the order of events comes from (seed, epoch), dropout from (seed, epoch, step). A fresh Descent
    that restores it gives the same weights, to the last bit. Several ranks have the same weights and take the same
    steps.
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
        self._ranks = group()
        self._largest_rate = trainer.largest_rate(len(train.targets), rate)
        self._optimiser = Optimiser(
            network.parameters(),
            trainer.optimiser,
            rate=self._largest_rate,
            momentum=trainer.momentum,
            weight_decay=trainer.weight_decay,
        )
        announce(trainer, train, self._largest_rate)
        self._products = Products(trainer.precision, train.targets.device)
        self._parameters = list(network.parameters())
        self._blocks = Blocks(ROWS)
        self._passes = trainer.passes(len(train.targets))
        self._batch = trainer.batch_size(len(train.targets))
        steps = math.ceil(len(train.targets) / self._batch)
        self._schedule = Schedule(trainer.schedule, self._largest_rate, self._passes, steps)
        self._average = Average(network) if average else None
        self._mean_weight = float(train.weights.mean())
        self._penalised = None if trainer.decorrelate is None else _penalised(valid, trainer)
        self._epoch, self._step, self._seconds = 0, 0, 0.0  # epochs done; steps and time of the one under way
        self._total = torch.zeros((), device=train.targets.device)  # its loss so far, times the events; of this rank
        self._rate = self._schedule.rate  # at its start
        self._kept: dict[str, Tensor] = {}
        self.best = Best(trainer.keep)
        self.valid_seconds = 0.0  # that this process spends on the validation set; so it is no part of the state

    def __iter__(self) -> Iterator[Epoch]:
        return (epoch for epoch in self.edges() if epoch is not None)

    def edges(self) -> Iterator[Epoch | None]:
        """Train; an Epoch where one ends, None at an edge within one."""
        keep_freed_memory()
        while self._epoch < self._passes:
            started = time.perf_counter()
            with explained(self._batch_that_fits):
                for _ in self._pass(self._epoch + 1):
                    self._seconds += time.perf_counter() - started
                    yield None
                    started = time.perf_counter()
            epoch = self._epoch_end()
            yield epoch._replace(seconds=epoch.seconds + time.perf_counter() - started)

    @property
    def kept(self) -> dict[str, Tensor]:
        """The weights of the epoch that is kept; empty before the first."""
        return self._kept

    def state(self) -> dict[str, Any]:
        """A copy of everything that the next epochs depend on: tensors and plain values."""
        return {
            "epoch": self._epoch,
            "step": self._step,
            "seconds": self._seconds,
            "total": self._total.clone(),
            "rate": self._rate,
            "best": self.best.state(),
            "kept": dict(self._kept),
            "network": _copied(self._network),
            "average": None if self._average is None else self._average.state(),
            "optimiser": self._optimiser.state(),
            "schedule": self._schedule.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from the stored state of a descent with the same network, events and trainer."""
        self._network.load_state_dict(state["network"])
        if self._average is not None:
            self._average.restore(state["average"])
        self._optimiser.restore(state["optimiser"])
        self._schedule.restore(state["schedule"])
        self.best.restore(state["best"])
        self._kept, self._epoch = dict(state["kept"]), int(state["epoch"])
        self._step, self._seconds, self._rate = int(state["step"]), float(state["seconds"]), float(state["rate"])
        self._carry(state["total"].to(self._total.device))

    def _pass(self, number: int) -> Iterator[None]:
        """The rest of a shuffled pass over the training table, with a pause at each edge within it."""
        device, seed = self._train.targets.device, self._trainer.seed
        with seeded(device, seed, number):
            batches = Batches(self._train, self._batch, self._ranks)
        self._network.train()
        remaining = batches.since(self._step)
        while self._step < len(batches):
            # Edges lie at multiples of EDGE, also in a pass that is resumed between two of them.
            count = min(EDGE - self._step % EDGE, len(batches) - self._step)
            seeds = (seed, number, self._step, *self._ranks.seeds)
            with seeded(device, *seeds), self._products.steps(), self._ranks.steps(count, self._parameters):
                for batch in islice(remaining, count):
                    self._learn(batch, batches.sizes[self._step], number)
                    self._step += 1
            total = self._ranks.sum(self._total)
            self._check_finite("training", float(total), number)
            self._carry(total)
            if self._step < len(batches):
                yield
                self._network.train()  # the caller may have asked for a score

    def rate_test(self) -> RateTest:
        """The losses of steps at growing rates, from the present weights, which are restored afterwards."""
        before, device, ranks = self.state(), self._train.targets.device, self._ranks
        self._ranks = ALONE  # all ranks take the same steps, each with whole batches
        try:
            with explained(self._batch_that_fits), seeded(device, self._trainer.seed, 0), self._products.steps():
                batches = self._batches_without_end()
                self._network.train()
                test = rate_test(lambda rate: self._trial_step(next(batches), rate), self._largest_rate)
        finally:
            self._ranks = ranks
            self.restore(before)
        notes.info(test.sentence)
        return test

    def _batches_without_end(self) -> Iterator[TensorTable]:
        while True:
            yield from Batches(self._train, self._batch).since(0)

    def _trial_step(self, batch: TensorTable, rate: float) -> float:
        """The mean weighted loss of a batch, before the step at this rate."""
        self._schedule.rate, self._total = rate, torch.zeros_like(self._total)
        self._learn(batch, len(batch.targets), 1)
        return float(self._total / batch.weights.sum())

    def _carry(self, total: Tensor) -> None:
        """Continue from this loss of all ranks: rank 0 adds to it, so that a resumed training gives the same sum."""
        self._total = torch.zeros_like(total) if self._ranks.rank else total.clone()

    def _learn(self, batch: TensorTable, size: int, number: int) -> None:
        """One step along the gradient of the sum of weighted losses over the number of events, decorrelation included.

        size  of the batch over all ranks
        """
        trainer = self._trainer
        self._optimiser.zero_grad()
        logits = self._products.logits(self._network, batch.inputs)
        # Divided by the number of events, not by their weights: a heavy batch then moves the network more.
        loss = (losses(logits, batch.targets, trainer.loss, trainer.power) * batch.weights).sum() / size
        if batch.spectator is not None and trainer.decorrelate is not None:
            strength = trainer.decorrelate.risen(number) * self._mean_weight  # the loss is a sum of weights as well
            loss = loss + strength * disco(logits, batch.spectator, batch.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        self._ranks.sum_gradients(self._parameters)
        self._move()
        self._total += loss.detach() * size  # stays on the device, as .item() would wait for it

    def _batch_that_fits(self) -> str:
        """The message for steps that need too much memory; trial steps find what would fit, and end the training."""
        device, batch = self._train.targets.device, self._batch
        lack = limit(device)  # before the trials, at which much of it is free again
        share = math.ceil(min(batch, len(self._train.targets)) / self._ranks.size)
        if rows := largest_fitting(share, self._fits, device):
            way_out = f"trainer.batch={rows * self._ranks.size} would fit: start a new run with it"
            return f"trainer.batch={batch} needs more memory than {lack}; {way_out}"
        remedies = f"a smaller network, fewer events or features, or {alternative(device)}"
        return f"the training needs more memory than {lack}, whatever trainer.batch is; use {remedies}"

    def _fits(self, rows: int) -> bool:
        """Whether two steps with batches of this size fit the memory."""
        self._optimiser.zero_grad()
        ranks, self._ranks = self._ranks, ALONE  # the others have left
        try:
            with seeded(self._train.targets.device, self._trainer.seed):
                for batch in islice(Batches(self._train, rows).since(0), 2):
                    self._learn(batch, rows, self._epoch + 1)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            self._ranks = ranks
        return True

    def _epoch_end(self) -> Epoch:
        """The validation loss and the schedule after a pass; the weights are kept if they are the best."""
        number = self._epoch + 1
        total = self._ranks.sum(self._total)
        train_loss = float(total.double() / self._train.weights.sum(dtype=torch.float64))
        self._check_finite("training", train_loss, number)
        started = time.perf_counter()
        network = self._network
        if self._average is not None:
            network = self._average.network
        trainer = self._trainer
        valid_loss = mean_loss(network, self._valid, trainer.loss, self._blocks, self._ranks, power=trainer.power)
        valid_loss += self._penalty(network)
        self.valid_seconds += time.perf_counter() - started
        self._check_finite("validation", valid_loss, number)
        self._schedule.after_epoch(valid_loss)
        if self.best.take(number, valid_loss):
            self._kept = _copied(network)
        epoch = Epoch(number, train_loss, valid_loss, self._rate, self._seconds)
        self._epoch, self._step, self._seconds, self._rate = number, 0, 0.0, self._schedule.rate
        self._total = torch.zeros_like(self._total)
        return epoch

    def _check_finite(self, split: str, loss: float, number: int) -> None:
        if not math.isfinite(loss):
            tables = (self._train, self._valid)
            raise ValueError(diverged(f"the {split} loss is {loss} in epoch {number}", self._rate, tables))

    def _move(self) -> None:
        """Move the weights along the gradients of a batch."""
        if self._l2:
            for weight in self._parameters:
                if weight.ndim > 1 and weight.grad is not None:  # biases have one dimension
                    weight.grad.add_(weight.detach(), alpha=2 * self._l2)
        if self._trainer.clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._trainer.clip)
        self._optimiser.rate = self._schedule.rate
        self._optimiser.step()
        self._schedule.after_step()
        if self._average is not None:
            self._average.update()

    def _penalty(self, network: nn.Module) -> float:
        """The term that a decorrelation adds to the validation loss."""
        table, decorrelate = self._penalised, self._trainer.decorrelate
        if table is None or table.spectator is None or decorrelate is None:
            return 0.0
        network.eval()
        with torch.no_grad():
            device = table.targets.device
            blocks = self._blocks.values(len(table.targets), lambda rows: network(table.inputs[rows]), device)
            logits = torch.cat(list(blocks))
            return decorrelate.strength * float(disco(logits, table.spectator, table.weights))


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _penalised(valid: Rows, trainer: Trainer) -> TensorTable | None:
    """Validation events for the loss of a decorrelation, as many as its matrices allow; the same each time."""
    if valid.spectator is None:
        return None
    rows = torch.nonzero(~torch.isnan(valid.spectator)).flatten()
    with seeded(rows.device, trainer.seed, 0):
        return valid.take(rows[torch.randperm(len(rows), device=rows.device)[: MOST // 2]])

"""Tables to train on: all on the device, or streamed from disk or from the memory of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hepclf.training.ahead import ahead

RUN = 1024  # rows that are read together from a disk, which is slow to find single ones


class Rows(Protocol):
    """The events of a loss: targets [n], training weights [n], and their inputs in parts."""

    @property
    def targets(self) -> Tensor:
        """The truth that the network learns, on the device."""
        ...

    @property
    def weights(self) -> Tensor:
        """Training weights, on the device."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        ...

    @property
    def spectator(self) -> Tensor | None:
        """The variable from which the score is decorrelated, on the device; nan for events that are left out."""
        ...

    def take(self, rows: Tensor) -> TensorTable:
        """These rows, in this order."""
        ...

    def part(self, start: int, stop: int) -> TensorTable:
        """The rows from start to stop."""
        ...

    def order(self, block: int) -> Tensor:
        """All rows in a random order, of which `block` are taken at a time."""
        ...

    def blocks(self, parts: Iterable[Tensor]) -> Iterator[TensorTable]:
        """The table of each part of the order."""
        ...


class TensorTable(NamedTuple):
    """All on the device: inputs [n, d], targets [n], training weights [n], input names, and a spectator [n] or none."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    names: tuple[str, ...]
    spectator: Tensor | None = None

    def take(self, rows: Tensor) -> TensorTable:
        """These rows, in this order."""
        return self._select(rows)

    def part(self, start: int, stop: int) -> TensorTable:
        """The rows from start to stop, without a copy."""
        return self._select(slice(start, stop))

    def _select(self, rows: Tensor | slice) -> TensorTable:
        spectator = None if self.spectator is None else self.spectator[rows]
        return TensorTable(self.inputs[rows], self.targets[rows], self.weights[rows], self.names, spectator)

    def order(self, block: int) -> Tensor:  # noqa: ARG002
        """All rows, each with equal probability at each place."""
        return torch.randperm(len(self.targets), device=self.targets.device)

    def blocks(self, parts: Iterable[Tensor]) -> Iterator[TensorTable]:
        """The table of each part of the order."""
        return map(self.take, parts)


class Streamed(NamedTuple):
    """Features [n, d] on disk or in memory, which become inputs on the device when they are needed.

    run  neighbouring rows that are read together: 1 in memory
    """

    features: NDArray[np.float32]
    prepare: Callable[[Tensor], Tensor]
    targets: Tensor
    weights: Tensor
    names: tuple[str, ...]
    spectator: Tensor | None = None
    run: int = RUN

    def take(self, rows: Tensor) -> TensorTable:
        """These rows, in this order; they are read in the order of the disk."""
        return self._table(self._read(rows), rows)

    def part(self, start: int, stop: int) -> TensorTable:
        """The rows from start to stop."""
        return self._table(torch.tensor(self.features[start:stop]), slice(start, stop))

    def order(self, block: int) -> Tensor:
        """Runs of rows in random order, and the rows of a block of runs in random order."""
        runs = torch.randperm(-(-len(self.targets) // self.run), device=self.targets.device)
        if self.run == 1:
            return runs
        rows = (runs[:, None] * self.run + torch.arange(self.run, device=runs.device)).flatten()
        rows = rows[rows < len(self.targets)]
        edges = range(0, len(rows), block)
        blocks = (rows[start : start + block] for start in edges)
        return torch.cat([part[torch.randperm(len(part), device=part.device)] for part in blocks])

    def blocks(self, parts: Iterable[Tensor]) -> Iterator[TensorTable]:
        """The table of each part of the order; a thread reads the next part ahead."""
        for rows, features in ahead((rows, self._read(rows)) for rows in parts):
            yield self._table(features, rows)

    def _read(self, rows: Tensor) -> Tensor:
        """Features of these rows, in pinned memory for a GPU, to which they can then be copied during a step."""
        rows = rows.cpu()
        ranks = rows.argsort()
        features = torch.empty((len(rows), self.features.shape[1]), pin_memory=self.targets.is_cuda)
        features[ranks] = torch.from_numpy(self.features[rows[ranks].numpy()])
        return features

    def _table(self, features: Tensor, rows: Tensor | slice) -> TensorTable:
        with torch.no_grad():
            inputs = self.prepare(features.to(self.targets.device, non_blocking=True))
        spectator = None if self.spectator is None else self.spectator[rows]
        return TensorTable(inputs, self.targets[rows], self.weights[rows], self.names, spectator)

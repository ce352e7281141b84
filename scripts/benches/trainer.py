"""Our training loop against a DataLoader loop and a bare slice loop."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from turns import ratio, rounds

from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.descent import Descent
from hepclf.training.table import TensorTable
from hepclf.training.trainer import Trainer

EVENTS, FEATURES = 100_000, 18


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(PlainMLP().network(FEATURES, 1), nn.Flatten(0))


def data() -> TensorTable:
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(EVENTS, generator=generator) < 0.5).float()
    inputs = torch.randn(EVENTS, FEATURES, generator=generator) + 0.3 * labels[:, None]
    return TensorTable(inputs, labels, torch.ones(EVENTS), tuple(f"x{i}" for i in range(FEATURES)))


def ours(table: TensorTable, batch: int) -> Callable[[], None]:
    """One epoch of hepclf's loop; validation on one batch, as the others have none."""
    network = fresh()
    few = table.take(torch.arange(batch))
    trainer = Trainer(epochs=1, batch=batch)
    return lambda: list(Descent(network, table, few, trainer)) and None


def tutorial(table: TensorTable, batch: int) -> Callable[[], None]:
    """The loop of PyTorch's tutorials: a DataLoader over a TensorDataset, the loss read in each step."""
    network = fresh()
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3)
    loader = DataLoader(TensorDataset(table.inputs, table.targets, table.weights), batch_size=batch, shuffle=True)

    def run() -> None:
        total = 0.0
        for inputs, targets, weights in loader:
            optimiser.zero_grad()
            loss = F.binary_cross_entropy_with_logits(network(inputs), targets, weights)
            loss.backward()
            optimiser.step()
            total += loss.item()

    return run


def bare(table: TensorTable, batch: int) -> Callable[[], None]:
    """What a careful person writes by hand: shuffle once, slice, the same fused optimiser."""
    network = fresh()
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, fused=True)

    def run() -> None:
        order = torch.randperm(EVENTS)
        inputs, targets, weights = table.inputs[order], table.targets[order], table.weights[order]
        for start in range(0, EVENTS, batch):
            part = slice(start, start + batch)
            optimiser.zero_grad()
            loss = F.binary_cross_entropy_with_logits(network(inputs[part]), targets[part], weights[part])
            loss.backward()
            optimiser.step()

    return run


def run() -> None:
    table = data()
    print("| batch | ours, s an epoch | DataLoader loop / ours | ours / bare loop |")
    print("|---|---|---|---|")
    for batch in (256, 1024, 8192):
        mine, taught, hand = rounds(*(make(table, batch) for make in (ours, tutorial, bare)))
        print(f"| {batch} | {statistics.median(mine):.3f} | {ratio(taught, mine)} | {ratio(mine, hand)} |", flush=True)

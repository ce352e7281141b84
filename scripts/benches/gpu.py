"""An epoch on the GPU, beside the same matrix products alone; without a GPU, few events on the processor."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn
from turns import ROUNDS

from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.descent import Descent
from hepclf.training.table import TensorTable
from hepclf.training.trainer import Trainer

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
EVENTS = 4_500_000 if DEVICE.type == "cuda" else 20_000
TRIGGERS = 80_000 if DEVICE.type == "cuda" else 2_000
FEATURES = 18
AIMS = {8192: 0.15, 1024: 0.6}  # seconds an epoch of the 5x300 network


def data(events: int) -> TensorTable:
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(events, generator=generator) < 0.5).float()
    inputs = torch.randn(events, FEATURES, generator=generator) + 0.3 * labels[:, None]
    names = tuple(f"x{number}" for number in range(FEATURES))
    return TensorTable(inputs.to(DEVICE), labels.to(DEVICE), torch.ones(events, device=DEVICE), names)


def network(recipe: MLP | PlainMLP) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(recipe.network(FEATURES, 1), nn.Flatten(-2)).to(DEVICE)


def waited() -> float:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def epoch_seconds(table: TensorTable, batch: int) -> float:
    """The median epoch after a first one."""
    few = table.part(0, batch)
    epochs = Descent(network(PlainMLP(hidden=(300,) * 5)), table, few, Trainer(epochs=4, batch=batch))
    return statistics.median([epoch.seconds for epoch in epochs][1:])


def products_seconds(batch: int, steps: int) -> float:
    """The matrix products of so many steps: a forward and two backward ones for each layer."""
    widths = (FEATURES, 300, 300, 300, 300, 300)
    layers = [torch.randn(width, after, device=DEVICE) for width, after in zip(widths, (*widths[1:], 1), strict=True)]
    inputs = [torch.randn(batch, width, device=DEVICE) for width in widths]

    def products() -> Tensor:
        for layer, x in zip(layers, inputs, strict=True):
            y = x @ layer
            _, gradient = y @ layer.T, x.T @ y
        return gradient

    products()
    times = []
    for _ in range(ROUNDS):
        started = waited()
        for _ in range(20):
            products()
        times.append((waited() - started) / 20)
    return steps * statistics.median(times)


def run() -> None:
    print(f"{torch.cuda.get_device_name(DEVICE) if DEVICE.type == 'cuda' else 'no GPU: the processor'}\n")
    table = data(EVENTS)
    print(f"5x300, {EVENTS:,} events of {FEATURES} features; the aims are for 4.5 M events on a GPU\n")
    print("| batch | s an epoch | its products alone, s | aim, s |")
    print("|---|---|---|---|")
    for batch, aim in AIMS.items():
        products = products_seconds(batch, EVENTS // batch)
        print(f"| {batch} | {epoch_seconds(table, batch):.3f} | {products:.3f} | {aim} |", flush=True)
    few = table.part(0, TRIGGERS)
    started = waited()
    list(Descent(network(MLP()), few, few.part(0, TRIGGERS // 4), Trainer(), average=True))
    print(f"\nmodel=mlp, {TRIGGERS:,} triggers: {waited() - started:.1f} s (aim 5 s for 80,000 on a GPU)")

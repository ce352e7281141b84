"""Our training loop against a DataLoader loop, a bare slice loop, scikit-learn, and the matrix products alone."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from products import products
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from turns import ratio, rounds

from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.module import SingleOutput
from hepclf.training.descent import Descent
from hepclf.training.table import TensorTable
from hepclf.training.trainer import Trainer

EVENTS, FEATURES = 1 << 16, 18
RATE = 5e-3
RECIPES = {
    "18-200-100-1": PlainMLP(),
    "18-300x5-1": PlainMLP(hidden=(300,) * 5),
    "`mlp`": MLP(),
}
Recipe = MLP | PlainMLP
Loop = Callable[[], None]


def fresh(recipe: Recipe) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(recipe.network(FEATURES, 1), SingleOutput())


def data() -> TensorTable:
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(EVENTS, generator=generator) < 0.5).float()
    inputs = torch.randn(EVENTS, FEATURES, generator=generator) + 0.3 * labels[:, None]
    return TensorTable(inputs, labels, torch.ones(EVENTS), tuple(f"x{i}" for i in range(FEATURES)))


def ours(recipe: Recipe, table: TensorTable, batch: int) -> Loop:
    """One epoch of hepclf's loop; validation on few events, as the others have none."""
    network = fresh(recipe)
    few = table.take(torch.arange(256))
    trainer = Trainer(epochs=1, batch=batch, learning_rate=RATE)
    return lambda: list(Descent(network, table, few, trainer, average=recipe.average)) and None


def loss_by_hand(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Of logits [n], or of those of members [m, n]."""
    return F.binary_cross_entropy_with_logits(logits, targets.expand_as(logits), weights.expand_as(logits))


def tutorial(recipe: Recipe, table: TensorTable, batch: int) -> Loop:
    """The loop of PyTorch's tutorials: a DataLoader over a TensorDataset, the loss read in each step."""
    network = fresh(recipe)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE)
    loader = DataLoader(TensorDataset(table.inputs, table.targets, table.weights), batch_size=batch, shuffle=True)

    def run() -> None:
        network.train()
        total = 0.0
        for inputs, targets, weights in loader:
            optimiser.zero_grad()
            loss = loss_by_hand(network(inputs), targets, weights)
            loss.backward()
            optimiser.step()
            total += loss.item()

    return run


def bare(recipe: Recipe, table: TensorTable, batch: int) -> Loop:
    """What a careful person writes by hand: shuffle once, slice, the same fused optimiser."""
    network = fresh(recipe)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, fused=True)

    def run() -> None:
        network.train()
        order = torch.randperm(EVENTS)
        inputs, targets, weights = table.inputs[order], table.targets[order], table.weights[order]
        for start in range(0, EVENTS, batch):
            part = slice(start, start + batch)
            optimiser.zero_grad()
            loss_by_hand(network(inputs[part]), targets[part], weights[part]).backward()
            optimiser.step()

    return run


def scikit(recipe: PlainMLP, table: TensorTable, batch: int) -> Loop:
    """One epoch of scikit-learn's network of the same widths, with Adam."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    features, labels = table.inputs.numpy(), table.targets.numpy()
    network = MLPClassifier(recipe.hidden, batch_size=batch, learning_rate_init=RATE, max_iter=1, random_state=0)

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is meant
            network.fit(features, labels)

    return run


def row(name: str, recipe: Recipe, table: TensorTable, batch: int) -> str:
    loops = [make(recipe, table, batch) for make in (ours, tutorial, bare)]
    loops.append(products(recipe, FEATURES, EVENTS, batch))
    if isinstance(recipe, PlainMLP):
        loops.append(scikit(recipe, table, batch))
    mine, taught, hand, least, *theirs = rounds(*loops)
    against_theirs = ratio(theirs[0], mine) if theirs else ""
    cells = [name, str(batch), f"{statistics.median(mine):.3f}", ratio(taught, mine), against_theirs]
    return f"| {' | '.join([*cells, ratio(mine, hand), ratio(mine, least)])} |"


def run() -> None:
    table = data()
    titles = ("network", "batch", "ours, s an epoch", "DataLoader loop / ours", "scikit-learn / ours")
    print(f"{EVENTS:,} events, {torch.get_num_threads()} threads\n")
    print(f"| {' | '.join(titles)} | ours / bare loop | ours / products |\n{'|---' * 7}|")
    for name, recipe in RECIPES.items():
        for batch in (256, 1024, 8192):
            print(row(name, recipe, table, batch), flush=True)

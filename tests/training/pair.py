"""What two ranks do together, as the program of each: rank 0 writes what came out, and which errors both saw."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hepclf.training.descent import EDGE, Descent
from hepclf.training.ranks import ALONE, Ranks, group, joined
from hepclf.training.table import RUN, Streamed, TensorTable
from hepclf.training.trainer import Trainer

NAMES = ("x0", "x1")
DEVICE = torch.device("cpu")
EVENTS = 1201


def table(dtype=torch.float32, events=EVENTS, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(events) % 2
    columns = rng.normal(size=(events, 2)) + labels[:, None], labels, rng.exponential(size=events)
    inputs, targets, weights = (torch.tensor(column, dtype=dtype, device=DEVICE) for column in columns)
    return TensorTable(inputs, targets, weights, NAMES)


def streamed(events=3 * RUN):
    whole = table(events=events)
    return Streamed(whole.inputs.numpy(), nn.Identity(), whole.targets, whole.weights, NAMES)


def network(dtype=torch.float32, dropout=0.0):
    torch.manual_seed(7)
    layers = nn.Linear(2, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1), nn.Flatten(0)
    return nn.Sequential(*layers).to(DEVICE, dtype)


def trained(train, *, dropout=0.0, l2=0.0, **settings):
    """Weights and losses after a descent."""
    dtype = train.weights.dtype
    body = network(dtype, dropout)
    trainer = Trainer(**{"epochs": 1, "batch": 100, **settings})
    epochs = list(Descent(body, train, table(dtype, 301, seed=1), trainer, l2=l2, average=True))
    weights = torch.cat([parameter.detach().flatten() for parameter in body.parameters()])
    return {"weights": weights.tolist(), "losses": [epoch[1:3] for epoch in epochs]}


CASES = {
    "float64": lambda: trained(table(torch.float64), clip=0.5, l2=1e-3),
    "float64, SGD": lambda: trained(table(torch.float64), optimiser="sgd", schedule="one_cycle"),
    "a rank without rows": lambda: trained(table(torch.float64, 120), batch=1),
    "three rows a batch": lambda: trained(table(torch.float64, 122), batch=3),
    "float32, SGD": lambda: trained(table(), optimiser="sgd", learning_rate=0.1),
    "Adam": lambda: trained(table(), epochs=3),
    "disk": lambda: trained(streamed(), optimiser="sgd", learning_rate=0.1),
}


def dropped():
    """Training with dropout, whose masks are of each rank alone."""
    return trained(table(), dropout=0.5)


def resumed(ranks):
    """The same, stopped at the first edge within the epoch; rank 0 stores its state, from which all go on."""
    settings = Trainer(epochs=1, batch=10)
    one, other = (Descent(network(dropout=0.5), table(), table(seed=1), settings) for _ in range(2))
    pauses = one.edges()
    next(pauses)
    state = one.state()
    ranks.spread([state["total"]])
    other.restore(state)
    return [[epoch[1:3] for epoch in edges if epoch] for edges in (pauses, other.edges())]


class Broken(nn.Module):
    """Fails on rank 1, in its third step."""

    def __init__(self):
        super().__init__()
        self.body, self._calls = network(), 0

    def forward(self, x):
        self._calls += 1
        if group().rank == 1 and self._calls == 3:
            raise OSError("the disk is gone")
        return self.body(x)


def error(act):
    try:
        act()
    except Exception as raised:
        return f"{type(raised).__name__}: {raised}"
    return None


def bad_rows():
    """Events of which one, which batches bring to one rank alone, is not a number."""
    whole = table()
    whole.inputs[3] = torch.nan
    return whole


FAULTS = {
    "not a number": lambda: trained(bad_rows()),
    "an exception": lambda: list(Descent(Broken(), table(), table(), Trainer(epochs=1, batch=4))),
}


def main(path, device="cpu"):
    global DEVICE
    results, DEVICE = {}, torch.device(device)
    with joined(None) as ranks:
        assert isinstance(ranks, Ranks)
        assert ranks is not ALONE
        cases = CASES if device == "cpu" else {"float64": CASES["float64"]}  # of a GPU there is no table on disk here
        results |= {name: case() for name, case in cases.items()}
        results["dropout"], results["dropout again"] = dropped(), dropped()
        results["resumed"] = resumed(ranks)
        results["errors"] = {}
        for name, fault in FAULTS.items():
            mine = error(fault) or ""
            results["errors"][name] = [ranks.spread_bytes(mine.encode(), rank).decode() for rank in range(2)]
        results["after all"] = trained(table(torch.float64))
    if ranks.rank == 0:
        Path(path).write_text(json.dumps(results))


if __name__ == "__main__":
    assert EVENTS // 10 > EDGE
    main(*sys.argv[1:])

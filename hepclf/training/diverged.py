"""The message that a training has diverged, with its possible reason."""

from __future__ import annotations

import torch
from torch import Tensor

from hepclf.training.table import Rows

ROWS = 1 << 14  # looked at together


def diverged(what: str, rate: float, tables: tuple[Rows, ...]) -> str:
    """What happened, at which learning rate, and the largest input of these tables."""
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

"""The random mask of dropout."""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 1 << 16  # equal parts of a probability: a random number of 64 bits then serves four units


def mask(units: Tensor, rate: float) -> Tensor:
    """A factor for each unit: 0 with probability `rate`, rounded to 1/65,536; else what makes the mean 1."""
    lowest = torch.iinfo(torch.int64).min
    count = -(-units.numel() // 4)
    numbers = torch.empty(count, dtype=torch.int64, device=units.device).random_(lowest, None)
    levels = numbers.view(torch.int16)[: units.numel()].view(units.shape)
    dropped = min(round(rate * LEVELS), LEVELS - 1)
    return levels.to(units.dtype).ge_(dropped - LEVELS // 2).mul_(LEVELS / (LEVELS - dropped))

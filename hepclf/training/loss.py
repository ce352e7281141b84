"""Losses, one value an event, before weights and averaging."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Literal["cross_entropy", "squared_error"]


def losses(logits: Tensor, targets: Tensor, kind: Loss) -> Tensor:
    """The loss of each event [n]; logits [n] with float targets 0/1, or logits [n, k] with class indices.

    squared_error is the squared distance between the probabilities and the truth (Brier), not between logits.
    Logits of m members have one more axis before these, [m, n] or [m, n, k]: an event's loss is the mean of theirs.
    """
    if targets.is_floating_point():
        return _two_class_losses(logits, targets.expand_as(logits), kind)
    if logits.ndim > 2:
        members = len(logits)
        return losses(logits.flatten(0, 1), targets.repeat(members), kind).view(members, -1).mean(0)
    if kind == "cross_entropy":
        return F.cross_entropy(logits, targets, reduction="none")
    return ((torch.softmax(logits, 1) - F.one_hot(targets, logits.shape[1])) ** 2).sum(1)


def _two_class_losses(logits: Tensor, targets: Tensor, kind: Loss) -> Tensor:
    if kind == "cross_entropy":
        values = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    else:
        values = (torch.sigmoid(logits) - targets) ** 2
    return values if logits.ndim == 1 else values.mean(0)

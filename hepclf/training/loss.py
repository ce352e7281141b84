"""Losses, one value an event, before weights and averaging."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Literal["cross_entropy", "squared_error", "power", "absolute"]
POWER = 4.0


def losses(logits: Tensor, targets: Tensor, kind: Loss, power: float = POWER) -> Tensor:
    """The loss of each event [n]; logits [n] with float targets 0/1, or logits [n, k] with class indices.

    squared_error is the squared distance between the probabilities and the truth (Brier), not between logits; power is
    the distance to this power, and absolute the distance itself.
    Logits of m members have one more axis before these, [m, n] or [m, n, k]: an event's loss is the mean of theirs.
    """
    if targets.is_floating_point():
        return _two_class_losses(logits, targets.expand_as(logits), kind, power)
    if logits.ndim > 2:
        members = len(logits)
        return losses(logits.flatten(0, 1), targets.repeat(members), kind, power).view(members, -1).mean(0)
    if kind == "cross_entropy":
        return F.cross_entropy(logits, targets, reduction="none")
    truth = F.one_hot(targets, logits.shape[1])
    return _distances(torch.softmax(logits, 1), truth, kind, power).sum(1)


def _two_class_losses(logits: Tensor, targets: Tensor, kind: Loss, power: float) -> Tensor:
    if kind == "cross_entropy":
        values = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    else:
        values = _distances(torch.sigmoid(logits), targets, kind, power)
    return values if logits.ndim == 1 else values.mean(0)


def _distances(probabilities: Tensor, truth: Tensor, kind: Loss, power: float) -> Tensor:
    if kind == "squared_error":
        return (probabilities - truth) ** 2
    distance = (probabilities - truth).abs()
    return distance if kind == "absolute" else distance**power

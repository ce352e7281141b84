"""Training weights, derived from physical ones by a stated rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Balance = Literal["classes", "mean", "none"]
NegativeWeights = Literal["error", "zero", "abs", "keep"]


def training_weights(
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    classes: tuple[str, ...],
    balance: Balance = "classes",
    negative: NegativeWeights = "error",
    planed: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> NDArray[np.float64]:
    """The weights [n] that the loss uses, from physical signed ones.

    negative: error refuses negative weights, zero sets them to zero, abs takes their absolute value, keep keeps them.
    planed: a map of the weights that gives every class the same spectrum of a spectator; None leaves the spectra.
    balance: classes gives every class the same sum and a mean of one, mean only the mean of one, none neither; the mean
    is that of the events whose weight is not zero.
    """
    if negative == "error" and (weights < 0).any():
        raise ValueError(_refusal(labels, weights, classes))
    weights = _without_negative(weights, negative)
    if planed is not None:
        weights = planed(weights)
    total, count = _checked_sum(float(weights.sum()), "all events"), int(np.count_nonzero(weights))
    if balance == "none":
        return _of_order_one(weights, total / count)
    if balance == "mean":
        return weights * (count / total)
    sums = np.bincount(labels, weights, minlength=len(classes))
    scale = [count / (len(classes) * _checked_sum(total, name)) for total, name in zip(sums, classes, strict=True)]
    return weights * np.array(scale, dtype=np.float64)[labels]


def _without_negative(weights: NDArray[np.float64], rule: NegativeWeights) -> NDArray[np.float64]:
    if rule == "keep" or not (weights < 0).any():
        return weights
    if rule == "zero":
        return np.maximum(weights, 0.0)
    return np.abs(weights)


def _refusal(labels: NDArray[np.int64], weights: NDArray[np.float64], classes: tuple[str, ...]) -> str:
    """How many events have a negative weight, and how much weight that is in each class."""
    below = weights < 0
    sums = np.bincount(labels, np.abs(weights), minlength=len(classes))
    negative = np.bincount(labels[below], -weights[below], minlength=len(classes))
    shares = [f"{100 * negative[label] / sums[label]:.3g} % of {classes[label]}" for label in np.flatnonzero(negative)]
    return (
        f"{100 * below.mean():.3g} % of the training events have a negative weight ({', '.join(shares)}, as fractions "
        "of the sum of |w|); choose what the loss shall do with them: trainer.negative_weights=zero, abs or keep"
    )


def _of_order_one(weights: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """These weights; an error if their mean is so far from one that it would change the learning rate."""
    if not 1e-3 < mean < 1e3:
        raise ValueError(
            f"the mean training weight must lie between 0.001 and 1000 with trainer.balance=none, not "
            f"{mean:.3g}; use trainer.balance=mean, which differs by a factor alone"
        )
    return weights


def _checked_sum(total: float, name: str) -> float:
    if not total > 0:
        raise ValueError(
            f"the training weights of {name} sum to {total:.6g}, which a loss cannot use; "
            "choose another trainer.negative_weights, or give the class more of its events"
        )
    return float(total)

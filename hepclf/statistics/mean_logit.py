"""The mean logit of several taggers, and the greedy selection of those that enter it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-12  # probability whose logarithm is averaged


@dataclass(frozen=True, eq=False)
class Selection:
    """The shares of the candidates in the mean [m], and how each bag found its own.

    orders  the candidates in the order in which a bag took them; one may be taken several times
    losses  the log-loss after each of these steps
    """

    shares: Array
    orders: tuple[tuple[int, ...], ...]
    losses: tuple[tuple[float, ...], ...]


def greedy(
    logs: Array,
    labels: NDArray[np.int64],
    weights: Array,
    *,
    rounds: int,
    bags: int = 1,
    fraction: float = 0.5,
    seed: int = 0,
) -> Selection:
    """Forward selection with replacement (Caruana et al., ICML 2004), averaged over bags of candidates.

    A bag starts with its best candidate and adds in each round the one that lowers the loss of the mean logit most, up
    to `rounds` of them. It keeps the steps up to the smallest loss. With several bags, each chooses among a random
    `fraction` of the candidates, at least two; this keeps a lucky candidate from being taken by all.

    logs  ln p of each class by each candidate, [m, n, k]
    """
    rng, count = np.random.default_rng(seed), len(logs)
    orders, losses, shares = [], [], np.zeros(count)
    for _ in range(bags):
        names = np.arange(count)
        if bags > 1:
            names = np.sort(rng.choice(count, min(count, max(2, round(fraction * count))), replace=False))
        order, loss = _steps(logs, names, labels, weights, rounds)
        orders.append(order)
        losses.append(loss)
        shares += np.bincount(order, minlength=count) / len(order)
    return Selection(shares / bags, tuple(orders), tuple(losses))


def log_probabilities(scores: Array) -> Array:
    """ln p of each class [m, n, k] from the scores of m candidates, [m, n] or [m, n, k]."""
    every_class = scores if scores.ndim == 3 else np.stack([1 - scores, scores], axis=2)
    return np.log(np.maximum(every_class, SMALLEST))


def _steps(
    logs: Array, names: NDArray[np.int64], labels: NDArray[np.int64], weights: Array, rounds: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The candidates that one bag takes, and the loss after each, up to the smallest."""
    order: list[int] = []
    losses: list[float] = []
    total = np.zeros(logs.shape[1:])
    for size in range(1, rounds + 1):
        trials = [_loss((total + logs[name]) / size, labels, weights) for name in names]
        best = int(np.argmin(trials))
        total += logs[names[best]]
        order.append(int(names[best]))
        losses.append(trials[best])
    last = int(np.argmin(losses)) + 1
    return tuple(order[:last]), tuple(losses[:last])


def _loss(logits: Array, labels: NDArray[np.int64], weights: Array) -> float:
    """The weighted mean of -ln p(true class) for logits [n, k]."""
    highest = logits.max(axis=1)
    sums = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    own = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return float(weights @ (sums - own) / weights.sum())

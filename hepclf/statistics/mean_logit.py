"""The mean logit of several taggers, and the greedy selection of those that enter it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-12  # probability whose logarithm is averaged
ROUNDING = 1e-12  # of a log-loss: steps that gain no more are left out


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
    rng, count, margins = np.random.default_rng(seed), len(logs), _margins(logs, labels)
    orders, losses, shares = [], [], np.zeros(count)
    for _ in range(bags):
        names = np.arange(count)
        if bags > 1:
            names = np.sort(rng.choice(count, min(count, max(2, round(fraction * count))), replace=False))
        order, loss = _steps(margins, names, weights, rounds)
        orders.append(order)
        losses.append(loss)
        shares += np.bincount(order, minlength=count) / len(order)
    return Selection(shares / bags, tuple(orders), tuple(losses))


def log_probabilities(scores: Array) -> Array:
    """ln p of each class [m, n, k] from the scores of m candidates, [m, n] or [m, n, k]."""
    every_class = scores if scores.ndim == 3 else np.stack([1 - scores, scores], axis=2)
    return np.log(np.maximum(every_class, SMALLEST))


def _margins(logs: Array, labels: NDArray[np.int64]) -> Array:
    """ln p of each other class minus that of the true class, [m, k - 1, n]."""
    k = logs.shape[2]
    others = (labels[:, None] + np.arange(1, k)) % k
    own = np.take_along_axis(logs, labels[None, :, None], axis=2)
    margins = np.take_along_axis(logs, others[None], axis=2) - own
    return np.ascontiguousarray(margins.transpose(0, 2, 1))


def _steps(
    margins: Array, names: NDArray[np.int64], weights: Array, rounds: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The candidates that one bag takes, and the loss after each, up to the smallest."""
    order: list[int] = []
    losses: list[float] = []
    total = np.zeros(margins.shape[1:])
    for size in range(1, rounds + 1):
        trials = [_loss((total + margins[name]) / size, weights) for name in names]
        best = int(np.argmin(trials))
        total += margins[names[best]]
        order.append(int(names[best]))
        losses.append(trials[best])
    last = int(np.argmax(np.array(losses) <= min(losses) + ROUNDING)) + 1
    return tuple(order[:last]), tuple(losses[:last])


def _loss(margins: Array, weights: Array) -> float:
    """The weighted mean of -ln p(true class) for margins [k - 1, n], which SMALLEST keeps from overflowing."""
    return float(weights @ np.log1p(np.exp(margins).sum(axis=0)) / weights.sum())

"""Proper scores of probabilities, weighted, each with its error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import Value, weighted_mean

Array = NDArray[np.float64]


def log_loss(labels: NDArray[np.int64], scores: Array, weights: Array) -> Value:
    """Mean of -ln p(true class) in nats, the probabilities clipped at the float64 epsilon.

    scores [n]: probability of class 1; [n, k]: of each class. There is no value without a positive sum of weights.
    """
    return weighted_mean(event_losses(labels, scores), weights)


def event_losses(labels: NDArray[np.int64], scores: Array) -> Array:
    """-ln p(true class) of each event, [n], with the clipping of `log_loss`."""
    epsilon = float(np.finfo(np.float64).eps)
    return -np.log(np.clip(_true_class_probability(labels, scores), epsilon, 1 - epsilon))


def brier(labels: NDArray[np.int64], scores: Array, weights: Array) -> Value:
    """Mean squared distance of the probabilities from the truth (Brier 1950).

    For two classes it is that of the signal probability, (p - y)^2 in 0..1; for several, the sum over classes, in 0..2.
    """
    if scores.ndim == 1:
        return weighted_mean((scores - labels) ** 2, weights)
    # sum_k (p_k - y_k)^2 = sum_k p_k^2 - 2 p_true + 1, as y is 1 for the true class and 0 for the others.
    distance = (scores**2).sum(axis=1) - 2 * _true_class_probability(labels, scores) + 1
    return weighted_mean(distance, weights)


def _true_class_probability(labels: NDArray[np.int64], scores: Array) -> Array:
    if scores.ndim == 1:
        return np.where(labels == 1, scores, 1 - scores)
    return np.asarray(np.take_along_axis(scores, labels[:, None], axis=1)[:, 0])

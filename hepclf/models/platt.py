"""Platt scaling: a slope and offsets, fitted to validation events, turn decision values into probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.models.arrays import Matrix
from hepclf.models.model import class_probabilities

Array = NDArray[np.float64]


class PlattScaling(NamedTuple):
    """Probabilities are softmax(slope * logits + offsets); the slope is positive, so that order is kept."""

    slope: float
    offsets: Array


def log_softmax(logits: Array) -> Array:
    """The logarithm of the probability of each class [n, k]."""
    from_largest = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(from_largest - np.log(np.exp(from_largest).sum(axis=1, keepdims=True)))


def probabilities(logits: Array) -> Array:
    """Softmax of logits [n, k]: probability of class 1 [n] for two classes, otherwise of each class [n, k]."""
    return class_probabilities(np.exp(log_softmax(logits)))


def platt_scaling(logits: Array, part: Matrix) -> PlattScaling:
    """The slope and offsets with the least weighted cross-entropy (Platt's sigmoid, for any number of classes).

    logits  [n, k] of these events. ln(slope) and the offsets have a prior of unit width, as strong as one event,
    which keeps them finite if the classes do not overlap. Negative weights count as zero, because with them the loss
    may have no minimum.
    """
    from scipy.optimize import minimize

    n, k = logits.shape
    truth = np.eye(k)[part.targets]
    weights = np.maximum(part.weights, 0)[:, None]

    def objective(parameters: Array) -> tuple[float, Array]:
        slope, offsets = np.exp(parameters[0]), parameters[1:]
        logs = log_softmax(slope * logits + offsets)
        pull = weights * (np.exp(logs) - truth)
        loss = float(parameters @ parameters / 2 - (weights * truth * logs).sum())
        return loss / n, (np.r_[slope * (pull * logits).sum(), pull.sum(axis=0)] + parameters) / n

    parameters = minimize(objective, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * (k + 1)).x
    return PlattScaling(float(np.exp(parameters[0])), parameters[1:])

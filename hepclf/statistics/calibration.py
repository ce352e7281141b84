"""Calibration: maps from a tagger's probabilities to better ones, fitted to events that it did not learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Method = Literal["temperature", "isotonic"]

SMALLEST, LARGEST = 1e-300, float(np.nextafter(1, 0))  # probabilities with a finite logit
RANGE = (0.01, 100.0)  # of a temperature
CLOSE = 0.01  # logits between neighbouring knots of a fit
ROUNDING = 1e-9  # by which they rise at least
KNOTS = 100_000  # more than any fit leaves, few enough to be read from a stranger


@dataclass(frozen=True)
class Temperature:
    """softmax(ln p / temperature): above 1 less certain than before, below 1 more (Guo et al., arXiv:1706.04599)."""

    temperature: float
    error: float | None = None

    def __post_init__(self) -> None:
        if not RANGE[0] <= self.temperature <= RANGE[1]:
            raise ValueError(f"temperature must lie in {RANGE[0]}..{RANGE[1]:g}, not {self.temperature}")

    def __call__(self, scores: Array) -> Array:
        """Probabilities of the same shape, [n] or [n, k]."""
        from scipy.special import expit, softmax

        if scores.ndim == 1:
            return np.asarray(expit(logits(scores) / self.temperature))
        return np.asarray(softmax(_logs(scores) / self.temperature, axis=1))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers that `from_dict` reads back."""
        return {"method": "temperature", "temperature": self.temperature}


@dataclass(frozen=True, eq=False)
class Isotonic:
    """A map of logits: straight lines between knots, and lines parallel to the diagonal beyond the outer knots.

    before, after  logits [m], both strictly rising: events keep their order, so the ROC curve does not change
    """

    before: Array
    after: Array

    def __post_init__(self) -> None:
        columns = {"before": self.before, "after": self.after}
        for name, column in columns.items():
            if column.shape != self.before.shape or column.ndim != 1 or not 1 <= len(column) <= KNOTS:
                raise ValueError(f"{name} must be a list of 1..{KNOTS} logits, as many as before, not {column.shape}")
            if not np.isfinite(column).all() or not (np.diff(column) > 0).all():
                raise ValueError(f"{name} must be finite and rise from knot to knot")

    def __call__(self, scores: Array) -> Array:
        """Probabilities of the same shape, [n]."""
        from scipy.special import expit

        before = logits(scores)
        within_knots = np.clip(before, self.before[0], self.before[-1])
        return np.asarray(expit(np.interp(within_knots, self.before, self.after) + (before - within_knots)))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers that `from_dict` reads back."""
        return {"method": "isotonic", "before": self.before.tolist(), "after": self.after.tolist()}


def logits(scores: Array) -> Array:
    """ln p/(1-p), finite also where a probability is 0 or 1."""
    from scipy.special import logit

    return np.asarray(logit(np.clip(scores, SMALLEST, LARGEST)))


def shifted(probabilities: ArrayLike, ratio: float) -> Array:
    """p r / (p r + 1 - p): probabilities for a mixture whose odds of signal are r times as large as in training.

    This is Bayes' formula; nothing is fitted. It holds where the densities of the classes are unchanged.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(p * ratio / (p * ratio + 1 - p))


def calibration_map(method: Method, scores: Array, labels: NDArray[np.int64], weights: Array) -> Temperature | Isotonic:
    """The calibration map fitted to these events; scores are [n], or [n, k] for a temperature.

    Negative weights count as zero, because with them the loss may have no minimum.
    """
    weights = np.maximum(weights, 0)
    if not weights.sum() > 0:
        raise ValueError("a calibration needs events of positive weight, not none")
    if method == "temperature":
        return temperature(scores, labels, weights)
    if scores.ndim == 2:
        raise ValueError(f"isotonic calibration is for two classes, not {scores.shape[1]}; use temperature")
    return isotonic(scores, labels, weights)


def temperature(scores: Array, labels: NDArray[np.int64], weights: Array) -> Temperature:
    """The temperature that minimises the weighted cross-entropy within 0.01..100, with its error.

    The cross-entropy is convex in 1/T, so its slope has at most one zero; without one, an end of the range is best.
    The error is sqrt(sum w^2 slope^2) / curvature, propagated from 1/T to T.
    """
    from scipy.optimize import brentq

    pulls = _pulls(scores, labels)
    low, high = (float(weights @ pulls(1 / limit)[0]) for limit in RANGE[::-1])
    # The slope keeps its sign within the range: an end of it is best.
    if low >= 0:
        return Temperature(RANGE[1])
    if high <= 0:
        return Temperature(RANGE[0])
    # The search is over ln(1/T), as the range spans four powers of ten.
    rate = math.exp(brentq(lambda log: float(weights @ pulls(math.exp(log))[0]), *np.log(RANGE), xtol=1e-8))
    slopes, curvatures = pulls(rate)
    error = math.sqrt(float(weights**2 @ slopes**2)) / float(weights @ curvatures)
    return Temperature(1 / rate, error / rate**2)


def _pulls(scores: Array, labels: NDArray[np.int64]) -> Any:
    """The first and second derivative of each event's cross-entropy by 1/T, [n] each, as a function of 1/T."""
    from scipy.special import expit, softmax

    if scores.ndim == 1:
        z = logits(scores)

        def binary(rate: float) -> tuple[Array, Array]:
            p = expit(rate * z)
            return (p - labels) * z, p * (1 - p) * z**2

        return binary
    logs = _logs(scores)
    true_logs = logs[np.arange(len(logs)), labels]

    def multiclass(rate: float) -> tuple[Array, Array]:
        p = softmax(rate * logs, axis=1)
        mean = (p * logs).sum(axis=1)
        return mean - true_logs, (p * logs**2).sum(axis=1) - mean**2

    return multiclass


def isotonic(scores: Array, labels: NDArray[np.int64], weights: Array) -> Isotonic:
    """The best rising step function (pool adjacent violators), with straight lines between the centres of its steps.

    One event of each class is added at the wrong end of the scores, so that no probability is 0 or 1. Steps closer
    than CLOSE are merged: a line between them would be so steep that single-precision rounding of a score is visible.
    """
    from scipy.optimize import isotonic_regression

    z = logits(scores)
    order = np.argsort(z)
    order = order[weights[order] > 0]
    starts = np.flatnonzero(np.append(True, np.diff(z[order]) > 0))

    def sums(column: Array) -> Array:
        return np.asarray(np.add.reduceat(column[order], starts))

    total, signal = sums(weights), sums(weights * (labels == 1))
    event_weight = float(weights @ weights / weights.sum())  # of an effective event
    added, added_signal = np.zeros((2, len(starts)))
    added[0] += event_weight
    added[-1] += event_weight
    added_signal[0] += event_weight
    fit = isotonic_regression((signal + added_signal) / (total + added), weights=total + added)
    steps = fit.blocks[:-1]
    sizes, moments = np.add.reduceat(total, steps), np.add.reduceat(sums(weights * z), steps)
    # Neighbouring steps are one where their centres, or their probabilities, cannot be told apart.
    distinct = (np.diff(moments / sizes) >= CLOSE) & (np.diff(logits(fit.x[steps])) > ROUNDING)
    firsts = np.flatnonzero(np.append(True, distinct))
    weight, moment, share = (np.add.reduceat(column, firsts) for column in (sizes, moments, sizes * fit.x[steps]))
    return Isotonic(moment / weight, logits(share / weight))


def from_dict(values: Any) -> Temperature | Isotonic:
    """The map that `to_dict` wrote, or a ValueError that says what is wrong with it."""
    method = None
    if isinstance(values, Mapping):
        method = values.get("method")
    numbers = {name: _numbers(values.get(name), name) for name in KEYS.get(str(method), ())}
    if method == "temperature" and numbers["temperature"].ndim == 0:
        return Temperature(float(numbers["temperature"]))
    if method == "isotonic":
        return Isotonic(**numbers)
    raise ValueError(f"a calibration must be a temperature or isotonic, not {str(values)[:60]}")


KEYS = {"temperature": ("temperature",), "isotonic": ("before", "after")}


def _numbers(value: Any, name: str) -> Array:
    flat = value if isinstance(value, list) else [value]
    if not all(type(number) in (int, float) for number in flat):
        raise ValueError(f"{name} must be numbers, not {str(value)[:60]}")
    return np.asarray(value, dtype=np.float64)


def _logs(scores: Array) -> Array:
    return np.asarray(np.log(np.maximum(scores, SMALLEST)))

"""The confusion matrix, with accuracy, precision, recall and F1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import Value, measured

Array = NDArray[np.float64]
# A ratio of cells and its derivative by each cell, [k, k].
Ratio = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Sums of weights, of squared weights and of events by truth (rows) and decision (columns), each [k, k]."""

    weights: Array
    squares: Array
    counts: NDArray[np.int64]

    @cached_property
    def fractions(self) -> Array:
        """Fraction of each true class by decision, [k, k]; nan for a class without a positive sum of weights."""
        rows = self.weights.sum(axis=1, keepdims=True)
        unknown = np.full_like(self.weights, np.nan)
        return np.asarray(np.divide(self.weights, rows, out=unknown, where=rows > 0))

    @property
    def accuracy(self) -> Value:
        """Fraction of the weight that is classified correctly."""
        return self._propagate([_accuracy])

    def precision(self, classes: list[int]) -> Value:
        """Fraction of the events assigned to a class that belong to it, averaged over these classes."""
        return self._propagate([lambda cells, k=k: _precision(cells, k) for k in classes])  # type: ignore[misc]

    def recall(self, classes: list[int]) -> Value:
        """Fraction of a class's events that are assigned to it, averaged over these classes."""
        return self._propagate([lambda cells, k=k: _precision(cells.T, k, turned=True) for k in classes])  # type: ignore[misc]

    def f1(self, classes: list[int]) -> Value:
        """Harmonic mean of precision and recall, averaged over these classes."""
        return self._propagate([lambda cells, k=k: _f1(cells, k) for k in classes])  # type: ignore[misc]

    def _propagate(self, ratios: list[Ratio]) -> Value:
        """Mean of the ratios; its error from the cells' independent errors, sqrt(sum w^2) each."""
        values, slopes = zip(*(ratio(self.weights) for ratio in ratios), strict=True)
        slope = np.mean(slopes, axis=0)
        return measured(float(np.mean(values)), float(np.sqrt((slope**2 * self.squares).sum())))


def confusion_matrix(
    labels: NDArray[np.int64], decisions: NDArray[np.int64], weights: Array, classes: int
) -> Confusion:
    """The matrix of true labels [n] against decisions [n]."""
    cell, size, shape = labels * classes + decisions, classes**2, (classes, classes)
    sums = np.bincount(cell, weights, minlength=size).astype(np.float64)
    squares = np.bincount(cell, weights**2, minlength=size).astype(np.float64)
    counts = np.bincount(cell, minlength=size).astype(np.int64)
    return Confusion(sums.reshape(shape), squares.reshape(shape), counts.reshape(shape))


def _accuracy(cells: Array) -> tuple[float, Array]:
    total = cells.sum()
    if total <= 0:
        return np.nan, cells
    value = float(np.trace(cells) / total)
    return value, (np.eye(len(cells)) - value) / total


def _precision(cells: Array, k: int, *, turned: bool = False) -> tuple[float, Array]:
    total = cells[:, k].sum()
    if total <= 0:
        return np.nan, cells
    value = float(cells[k, k] / total)
    slope = np.zeros_like(cells)
    slope[:, k] = -value / total
    slope[k, k] += 1 / total
    # The recall is the precision of the transposed matrix, so its slope is transposed back.
    if turned:
        slope = slope.T
    return value, slope


def _f1(cells: Array, k: int) -> tuple[float, Array]:
    total = cells[:, k].sum() + cells[k].sum()
    if total <= 0:
        return np.nan, cells
    value = float(2 * cells[k, k] / total)
    slope = np.zeros_like(cells)
    slope[:, k] -= value / total
    slope[k] -= value / total
    slope[k, k] += 2 / total
    return value, slope

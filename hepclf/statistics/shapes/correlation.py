"""Weighted linear correlations of columns that may have gaps, with their errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDING = 1e-9


class Correlation(NamedTuple):
    """Coefficients and their errors, [d, d] each.

    nan where a column is constant, where no event has a value in both columns, and where weights of both signs give a
    coefficient beyond 1, which no distribution has.
    """

    value: Array
    error: Array


def correlation(columns: Array, weights: Array) -> Correlation:
    r"""Pearson's coefficients of columns [n, d], where nan is a missing value; a pair uses the events that have both.

    The error is the root of the sum of squared influences: for standardised x and y an event moves the coefficient r by
    (x y - r (x^2 + y^2) / 2) w / sum w. This holds for any distribution; for Gaussians it is (1 - r^2) / sqrt(n)
    (Fisher). It is zero on the diagonal.
    """
    present = ~np.isnan(columns)
    complete = bool(present.all())
    presence = present.astype(np.float64)
    x = np.where(present, columns - _mean(columns, present, weights), 0.0)
    w = weights[:, None]
    total = (presence * w).T @ presence
    with np.errstate(invalid="ignore", divide="ignore"):
        if complete:
            products = (x * w).T @ x / total
            spread = np.sqrt(np.maximum(np.diag(products), 0.0))
            value = products / np.outer(spread, spread)
            scale = spread
        else:
            # Means and variances of a pair are those of the events that have both values.
            means, squares = (x * w).T @ presence / total, (x**2 * w).T @ presence / total
            variances = np.maximum(squares - means**2, 0.0)
            value = ((x * w).T @ x / total - means * means.T) / np.sqrt(variances * variances.T)
            scale = np.sqrt(np.diag(variances))
        # A spread of 1e-7 of the largest value is rounding of single-precision features.
        constant = scale**2 <= 1e-14 * np.nanmax(np.abs(np.where(present, columns, 0.0)), axis=0, initial=0.0) ** 2
        unknown = constant | constant[:, None] | ~(total > 0) | (np.abs(value) > 1 + ROUNDING)
        value = np.where(unknown, np.nan, np.clip(value, -1, 1))
        z = np.where(constant, 0.0, x / np.where(constant, 1.0, scale))
        return Correlation(value, _error(z, presence, w, total, value))


def _mean(columns: Array, present: NDArray[np.bool_], weights: Array) -> Array:
    """Means of the columns [d]; without a positive sum of weights, zero."""
    sums = weights @ present
    return np.where(sums > 0, weights @ np.where(present, columns, 0.0) / np.where(sums > 0, sums, 1.0), 0.0)


def _error(z: Array, presence: Array, w: Array, total: Array, r: Array) -> Array:
    """sqrt(sum w^2 (x y - r (x^2 + y^2) / 2)^2) / sum w of each pair, x and y being columns of z."""
    squared, weighted = z**2, w**2
    mixed = (squared * weighted).T @ squared
    cubes = (squared * z * weighted).T @ z
    fourth = (squared**2 * weighted).T @ presence
    variance = mixed - r * (cubes + cubes.T) + r**2 / 4 * (fourth + fourth.T + 2 * mixed)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)) / total)

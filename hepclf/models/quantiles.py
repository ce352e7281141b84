"""Weighted quantiles of a feature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
CELLS = 1 << 16  # of float32 numbers that share their first 16 bits
ROUNDING = 1e-9  # of the sum of weights: a share that is reached this closely counts as reached


def quantiles(values: NDArray[np.float32], weights: Array, shares: ArrayLike) -> Array:
    """The values [s] at which the running sum of weights reaches these fractions [s] of the total weight.

    A weight of k equals k events; no quantile is interpolated in a way that depends on the number of events. If the
    sum at a value equals a fraction exactly, the mean with the next value is taken, so the median of two values is
    their mean (NumPy's `averaged_inverted_cdf`, definition 2 of Hyndman and Fan 1996). The values [n] must not be nan,
    the weights [n] not negative, and their sum positive.
    """
    values = np.asarray(values, dtype=np.float32)
    bits = values.view(np.int32)
    # The bit patterns of positive floats, as integers, are ordered like the floats; those of negative ones reversed.
    cells = ((bits ^ ((bits >> 31) & 0x7FFFFFFF)) >> 16).astype(np.intp) + CELLS // 2
    sums = np.bincount(cells, weights, minlength=CELLS)
    total = float(sums.sum())
    margin = ROUNDING * total
    targets = np.clip(np.multiply.outer((1, 1), shares) * total + [[-margin], [margin]], margin, total - margin)
    # Only the cells that contain a quantile are sorted.
    needed = np.zeros(CELLS, dtype=bool)
    needed[np.minimum(np.searchsorted(np.cumsum(sums), targets), CELLS - 1)] = True
    chosen = np.flatnonzero(needed[cells])
    chosen = chosen[np.argsort(values[chosen], kind="stable")]
    passed = np.cumsum(np.where(needed, 0.0, sums))[cells[chosen]]
    places = np.searchsorted(np.cumsum(weights[chosen]) + passed, targets)
    low, high = values[chosen][np.minimum(places, len(chosen) - 1)].astype(np.float64)
    return np.asarray((low + high) / 2)

"""Weighted quantiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, effective_count, has_positive_sum, measured

Array = NDArray[np.float64]


def quantile(values: Array, weights: Array, share: float) -> Value:
    """The weighted quantile of sorted values: the first at which the running sum of weights reaches this fraction.

    Its error is half the distance of the quantiles at share ± sqrt(share (1 - share) / n), n = (sum w)^2 / sum w^2
    (Woodruff 1952). There is no value without a positive sum of weights.
    """
    total, squares = float(weights.sum()), float(weights @ weights)
    if not has_positive_sum(total, squares):
        return NOTHING
    # With negative weights the sum may fall again; the first crossing is that of its running maximum.
    reached = np.maximum.accumulate(np.cumsum(weights)) / total
    width = np.sqrt(share * (1 - share) / effective_count(total, squares))
    shares = np.array([share, max(share - width, 1e-9), min(share + width, 1.0)])
    index = np.minimum(np.searchsorted(reached, shares - 1e-12), len(values) - 1)
    middle, low, high = values[index]
    return measured(float(middle), float(high - low) / 2)

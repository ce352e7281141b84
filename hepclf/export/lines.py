"""The straight lines of an isotonic calibration, as tables that a search among the knots picks from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.calibration import Isotonic

Array = NDArray[np.float64]


class Lines(NamedTuple):
    """After i of the knots [m], a logit z becomes values[i] + slopes[i] (z - starts[i]), of which there are m + 1."""

    knots: Array
    starts: Array
    values: Array
    slopes: Array


def lines(found: Isotonic) -> Lines:
    """Each line begins at the knot below it, the first at the first knot; outside they are parallel to the diagonal."""
    below = np.maximum(np.arange(len(found.before) + 1) - 1, 0)
    slopes = np.concatenate([[1.0], np.diff(found.after) / np.diff(found.before), [1.0]])
    return Lines(found.before, found.before[below], found.after[below], slopes)

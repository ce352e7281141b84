"""The straight lines of an isotonic calibration, as tables; a search among the knots picks the line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.calibration import Isotonic

Array = NDArray[np.float64]


class StraightLines(NamedTuple):
    """The m + 1 lines of m knots: a logit z above i of the knots becomes values[i] + slopes[i] (z - starts[i])."""

    knots: Array
    starts: Array
    values: Array
    slopes: Array


def straight_lines(calibration: Isotonic) -> StraightLines:
    """Each line begins at the knot below it, the first at the first knot; outside the knots the slope is 1."""
    below = np.maximum(np.arange(len(calibration.before) + 1) - 1, 0)
    slopes = np.concatenate([[1.0], np.diff(calibration.after) / np.diff(calibration.before), [1.0]])
    return StraightLines(calibration.before, calibration.before[below], calibration.after[below], slopes)

"""Test events above each of many cuts: the table behind the movable threshold of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import Scored
from hepclf.statistics.counting.expected import ExpectedEvents
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.curves.limit import Limit, heaviest, purity_limit, rejection_limit
from hepclf.statistics.value import efficiency_error

Array = NDArray[np.float64]

# The events below a cut are total - above; a difference this small relative to the total is rounding, not events.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class CutTable:
    """Weight sums of background and signal, in this order, at or above some cuts; each is exact at its cut.

    Efficiencies are ratios of these sums. The confusion matrix and the purity use the sums times `scale`, which are
    those of the mixture.

    cuts      ascending [c]
    above     sums of weights [2, c]
    squares   sums of squared weights [2, c]
    totals    sums of weights without a cut [2]; total_squares those of squared weights
    expected  the same cuts with the weights that stand for the whole sample, or why there are none
    rules     of the significances
    scale     of background and signal [2]
    weight    weight that a further background event would have in the mixture (`heaviest`)
    expected_weight  the same with the weights that stand for the whole sample, 0 without them
    marks     rows of the cuts that have a name
    start     row of the decision that the results quote
    """

    cuts: Array
    above: Array
    squares: Array
    totals: Array
    total_squares: Array
    expected: ExpectedEvents | str
    rules: Rules
    marks: Mapping[str, int]
    start: int
    scale: Array
    weight: float
    expected_weight: float

    @property
    def cells(self) -> Array:
        """The confusion matrix of each cut: weights of the mixture by truth and decision, [2, 2, c]."""
        below = self.totals[:, None] - self.above
        below[np.abs(below) <= ROUNDING * np.abs(self.totals[:, None])] = 0.0
        (b, s), above = self.scale, self.above
        return np.stack([b * np.stack([below[0], above[0]]), s * np.stack([below[1], above[1]])])

    @property
    def efficiencies(self) -> tuple[Array, Array]:
        """Efficiencies of background and signal at each cut, and their errors, [2, c] each."""
        totals = self.totals[:, None]
        return self.above / totals, efficiency_error(self.above, totals, self.squares, self.total_squares[:, None])

    @property
    def purity(self) -> tuple[Array, Array]:
        """Signal fraction of the weight that passes, and its error from both sums, [c]; nan where nothing passes."""
        b, s = self.scale[:, None] * self.above
        b_squares, s_squares = self.scale[:, None] ** 2 * self.squares
        with np.errstate(invalid="ignore", divide="ignore"):
            passing = np.where(b + s > 0, b + s, np.nan)
            return s / passing, np.sqrt(b**2 * s_squares + s**2 * b_squares) / passing**2

    def purity_limit(self, row: int) -> Limit | None:
        """Lower limit of the purity of a cut that no simulated background event passes; None where one passes."""
        if self.squares[0, row] > 0:
            return None
        return purity_limit(float(self.scale[1] * self.above[1, row]), self.weight)

    def rejection_limit(self, row: int) -> Limit | None:
        """Lower limit of the rejection of a cut that no simulated background event passes; None where one passes."""
        if self.squares[0, row] > 0 or not self.weight or not self.scale[0]:
            return None
        return rejection_limit(float(self.scale[0] * self.totals[0]), self.weight)


def heaviest_background(weights: Array, part: Scored, is_signal: NDArray[np.bool_]) -> float:
    """The weight that a further background event of a split would have (`heaviest`)."""
    return heaviest(weights[~is_signal], part.processes[~is_signal])

"""Events that pass cuts on a score, for each group: a process, or a bin of a spectator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import Value, efficiency_error, has_positive_sum, measured

Array = NDArray[np.float64]

BLOCK = 1 << 18  # events at a time, so that memory stays small


@dataclass(frozen=True, eq=False)
class Passing:
    """Sums of weights and of squared weights in each group, for all events [g] and above each cut [g, m]."""

    total: Array
    squares: Array
    passing: Array
    passing_squares: Array

    @property
    def efficiency(self) -> Array:
        """Efficiency of each cut in each group, [g, m]; nan for a group without a positive sum of weights."""
        has_weight = [has_positive_sum(total, squares) for total, squares in zip(self.total, self.squares, strict=True)]
        total_weight = np.where(has_weight, self.total, np.nan)
        return np.asarray(self.passing / total_weight[:, None])

    @property
    def error(self) -> Array:
        """Error of the efficiencies, sqrt(sum w^2 (1_passing - e)^2) / sum w (ADR 3), [g, m]."""
        return efficiency_error(self.passing, self.total[:, None], self.passing_squares, self.squares[:, None])

    def value(self, group: int, cut: int) -> Value:
        """One efficiency with its error."""
        return measured(float(self.efficiency[group, cut]), float(self.error[group, cut]))

    def sum(self, group: int, cut: int) -> Value:
        """The weight of a group that passes a cut, with its error sqrt(sum w^2)."""
        return measured(float(self.passing[group, cut]), math.sqrt(self.passing_squares[group, cut]))

    def merged(self, into: NDArray[np.intp], count: int) -> Passing:
        """The sums of merged groups; `into` is the new group of each group [g], and a group below 0 is left out."""
        chosen = np.flatnonzero(into >= 0)
        share = np.zeros((count, len(into)))
        share[into[chosen], chosen] = 1
        return Passing(*(share @ column for column in (self.total, self.squares, self.passing, self.passing_squares)))


def passing(scores: Array, cuts: Array, groups: NDArray[np.intp], weights: Array, count: int) -> Passing:
    """The events that score at or above each cut [m], in groups 0..count-1; events of a group below 0 are left out.

    This takes one pass over the events for any number of cuts.
    """
    order = np.argsort(cuts)
    sums, squares = slot_sums(scores, cuts[order], groups, weights, count, powers=2)
    above, above_squares = (np.cumsum(column[:, ::-1], axis=1)[:, ::-1] for column in (sums, squares))
    back = np.argsort(order)
    return Passing(above[:, 0], above_squares[:, 0], above[:, 1:][:, back], above_squares[:, 1:][:, back])


def slot_sums(
    scores: Array, cuts: Array, groups: NDArray[np.integer[Any]], weights: Array, count: int, powers: int
) -> Array:
    """Sums of the first powers of the weights in each group below, between and above m ascending cuts.

    [powers, count, m + 1]: an event in slot j passes the j lowest cuts. Events of a group below 0 are left out.
    """
    slots = len(cuts) + 1
    sums = np.zeros((powers, count * slots))
    for start in range(0, len(scores), BLOCK):
        block = slice(start, start + BLOCK)
        in_group = groups[block] >= 0
        cell = groups[block][in_group] * slots + np.searchsorted(cuts, scores[block][in_group], side="right")
        power = w = weights[block][in_group]
        for p in range(powers):
            sums[p] += np.bincount(cell, power, minlength=count * slots)
            power = power * w
    return sums.reshape(powers, count, slots)

"""Events in the order of their scores, sorted once for every curve."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)


class Ranking:
    """The descending order of scores [n] and their distinct values, thresholds [m]; ties share a threshold."""

    def __init__(self, scores: Array) -> None:
        self._order = np.argsort(-scores)
        ranked = scores[self._order]
        if len(ranked) and np.isnan(ranked[-1]):  # nan is sorted to the end
            raise ValueError("scores must be numbers, and some are nan; remove these events or mend the classifier")
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], np.ones(min(len(ranked), 1), dtype=bool)))
        self.thresholds: Array = ranked[self._ends]

    def sums(self, values: Array) -> Array:
        """Sum of values [n] over the events at or above each threshold, [m]."""
        return self.sums_of_ranked(values[self._order])

    def ranked(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values [n] in the order of the scores."""
        return values[self._order]

    def sums_of_ranked(self, values: Array) -> Array:
        """The same for values that are already in the order of the scores."""
        sums = np.cumsum(values, dtype=np.float64)
        if len(self._ends) == len(sums):  # without ties no copy is needed
            return sums
        return np.asarray(sums[self._ends])

    def spread(self, values: NDArray[T]) -> NDArray[T]:
        """For each event [n] the value of its threshold, from one value a threshold [m]."""
        by_event = np.empty(len(self._order), dtype=values.dtype)
        by_event[self._order] = np.repeat(values, np.diff(self._ends, prepend=-1))
        return by_event

    def events_above(self, index: int) -> NDArray[np.intp]:
        """The events at or above the threshold of this index, none for -1."""
        return self.events_between(-1, index)

    def events_between(self, above: int, index: int) -> NDArray[np.intp]:
        """The events below the threshold `above` (-1: from the first on) and at or above that of `index`."""
        return self._order[self._count(above) : self._count(index)]

    def _count(self, index: int) -> int:
        """The number of events at or above the threshold of this index, none for -1."""
        return int(self._ends[index]) + 1 if index >= 0 else 0

    def last(self, cut: float) -> int:
        """Index of the last threshold at or above the cut, -1 if there is none."""
        return int(np.searchsorted(-self.thresholds, -cut, side="right")) - 1

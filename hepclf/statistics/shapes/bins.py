"""Bins of a named column: given edges, equal population, one bin for each value, or one bin for each word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50  # words that a column of text may have


@dataclass(frozen=True, eq=False)
class Bins:
    """The bin of each event [n], -1 for none, and the names of the bins.

    edges are those of the bins [b + 1], None where each bin is a word; places are the medians of the bins [b].
    """

    index: NDArray[np.intp]
    names: tuple[str, ...]
    edges: NDArray[np.float64] | None
    places: NDArray[np.float64]

    @property
    def outside(self) -> int:
        """Number of events outside all bins: beyond the edges, or not a number."""
        return int((self.index < 0).sum())


def column_bins(name: str, column: NDArray[Any], bins: int, edges: tuple[float, ...] = ()) -> Bins:
    """The bins of a column [n]; without given edges they are about equally populated, with equal values in one bin.

    A column with no more distinct numbers than bins gets one bin for each number. The last bin includes its upper
    edge. Infinite values and nan are in no bin.
    """
    if column.dtype.kind not in "biuf":
        return _words(name, column)
    values = column.astype(np.float64, copy=False)
    bounds = np.asarray(edges, dtype=np.float64)
    if not edges:
        bounds = _edges(name, values[np.isfinite(values)], bins)
    index = np.searchsorted(bounds, values, side="right") - 1
    index[values == bounds[-1]] = len(bounds) - 2
    index[~np.isfinite(values) | (index >= len(bounds) - 1)] = -1
    names = tuple(f"{low:.4g}..{high:.4g}" for low, high in pairwise(bounds))
    return Bins(index, names, bounds, _medians(values, index, bounds))


def _medians(values: NDArray[np.float64], index: NDArray[np.intp], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each bin's values, the middle of an empty bin."""
    medians = np.asarray((edges[1:] + edges[:-1]) / 2)
    for i in range(len(medians)):
        members = values[index == i]
        if len(members):
            medians[i] = np.median(members)
    return medians


def _edges(name: str, values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    if not len(values):
        raise ValueError(f"spectator {name!r} has no finite number to make bins of")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    if len(edges) <= bins and len(distinct := np.unique(values)) <= bins:
        if len(distinct) == 1:
            return np.array([distinct[0] - 0.5, distinct[0] + 0.5])
        # Each number is in its own bin, with the outer edges as far from their number as the inner ones.
        middles = (distinct[1:] + distinct[:-1]) / 2
        first, last = 2 * distinct[0] - middles[0], 2 * distinct[-1] - middles[-1]
        return np.concatenate([[first], middles, [last]])
    return edges


def _words(name: str, column: NDArray[Any]) -> Bins:
    words, index = np.unique(column.astype(np.str_), return_inverse=True)
    if len(words) > MOST:
        raise ValueError(f"spectator {name!r} has {len(words):,} different words, more than the {MOST} that make bins")
    return Bins(index.astype(np.intp), tuple(words.tolist()), None, np.arange(len(words), dtype=np.float64))


@dataclass(frozen=True, eq=False)
class DensityHistogram:
    """Density of a class's scores, of unit area: edges [m+1], density and error [m].

    parts  what each process contributes, where the class has several; their sum is the density
    """

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    error: NDArray[np.float64]
    parts: Mapping[str, DensityHistogram] = field(default_factory=dict)

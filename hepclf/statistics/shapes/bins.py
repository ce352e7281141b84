"""Bins of any named column: given edges, equal population, a bin a value, or a bin a word."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50  # words that a column of text may have


@dataclass(frozen=True, eq=False)
class Bins:
    """Which bin each event is in [n], -1 for none, and what the bins are called.

    edges are those of the bins [b + 1], None where each bin is a word; places the median of each bin's events [b].
    """

    index: NDArray[np.intp]
    names: tuple[str, ...]
    edges: NDArray[np.float64] | None
    places: NDArray[np.float64]

    @property
    def outside(self) -> int:
        """Events that are in no bin: beyond the edges, or not a number."""
        return int((self.index < 0).sum())


def column_bins(name: str, column: NDArray[Any], bins: int, edges: tuple[float, ...] = ()) -> Bins:
    """The bins of a column [n]; without edges about equally populated ones, which values that tie share.

    A column of as few distinct numbers as bins gets one bin a number. The last bin holds its upper edge. What is
    infinite or not a number is in no bin.
    """
    if column.dtype.kind not in "biuf":
        return _words(name, column)
    values = column.astype(np.float64, copy=False)
    bounds = np.asarray(edges, dtype=np.float64) if edges else _edges(name, values[np.isfinite(values)], bins)
    index = np.searchsorted(bounds, values, side="right") - 1
    index[values == bounds[-1]] = len(bounds) - 2
    index[~np.isfinite(values) | (index >= len(bounds) - 1)] = -1
    names = tuple(f"{low:.4g}..{high:.4g}" for low, high in pairwise(bounds))
    return Bins(index, names, bounds, _medians(values, index, bounds))


def _medians(values: NDArray[np.float64], index: NDArray[np.intp], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each bin's values, the middle of an empty bin."""
    middles = (edges[1:] + edges[:-1]) / 2
    inside = [values[index == i] for i in range(len(middles))]
    return np.array(
        [np.median(members) if len(members) else middle for members, middle in zip(inside, middles, strict=True)]
    )


def _edges(name: str, values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    if not len(values):
        raise ValueError(f"spectator {name!r} has no finite number to make bins of")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    if len(edges) <= bins and len(distinct := np.unique(values)) <= bins:
        middles = (distinct[1:] + distinct[:-1]) / 2
        first, last = (2 * distinct[0] - middles[0], 2 * distinct[-1] - middles[-1]) if len(middles) else (-0.5, 0.5)
        return np.concatenate([[first], middles, [last]]) + (0 if len(middles) else distinct[0])
    return edges


def _words(name: str, column: NDArray[Any]) -> Bins:
    words, index = np.unique(column.astype(np.str_), return_inverse=True)
    if len(words) > MOST:
        raise ValueError(f"spectator {name!r} has {len(words):,} different words, more than the {MOST} that make bins")
    return Bins(index.astype(np.intp), tuple(words.tolist()), None, np.arange(len(words), dtype=np.float64))


@dataclass(frozen=True, eq=False)
class DensityHistogram:
    """Density of a class's scores, of unit area: edges [m+1], density and error [m]."""

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    error: NDArray[np.float64]

"""The Poisson bootstrap of a curve: replicas in which each event counts a Poisson(1) number of times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import pdtr

from hepclf.statistics.curves.partial import partial_sum
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, thinned_thresholds

Array = NDArray[np.float64]

# An event with more than this fraction of its bin's sum of w^2 gets its own Poisson number, and so does each event of
# a bin with few events. The sum of the others is Gaussian.
HEAVY, FEW = 1 / 25, 25
BINS = 300
# A table of 65,536 equally likely numbers replaces the slower Poisson(1) generator; mean and variance hold to 5e-5.
TABLE: NDArray[np.uint8] = np.searchsorted(pdtr(np.arange(10), 1), (np.arange(1 << 16) + 0.5) / (1 << 16)).astype(
    np.uint8
)
# Numbers that are drawn at once.
CHUNK = 1 << 22
# A signal efficiency is met within this: offsets of thousands of replicas in one column cost some digits.
LADDER = 1e-9


@dataclass(frozen=True, eq=False)
class Replicas:
    """Weights of signal and background at or above some of a curve's thresholds, in each replica, [r, k].

    edges are the indices of these thresholds in the curve, [k]. Between edges a replica is a straight line; where two
    edges are neighbouring thresholds of the curve, it is a step like the curve.
    """

    curve: Curve
    edges: NDArray[np.intp]
    signal: Array
    background: Array

    @cached_property
    def signal_efficiency(self) -> Array:
        """Share of the replica's signal at or above each edge, [r, k]; nan where no signal is left in a replica."""
        return _shares(self.signal)

    @cached_property
    def background_efficiency(self) -> Array:
        """Share of the replica's background at or above each edge, [r, k]."""
        return _shares(self.background)

    def areas(self, exact: float, low: float = 0.0, high: float = 1.0) -> Array:
        """Area under each replica between two background efficiencies, [r], in full or in part (`partial_area`).

        `exact` is the area under the curve. The straight lines between the edges miss a part of it, which is added to
        each replica.
        """
        nominal = partial_sum(
            self.curve.signal_efficiency[self.edges], self.curve.background_efficiency[self.edges], low, high
        )
        return partial_sum(self.signal_efficiency, self.background_efficiency, low, high) + (exact - nominal)

    def background_at(self, targets: ArrayLike) -> Array:
        """Background efficiency of each replica at these signal efficiencies, [r, t], each with its own cut."""
        levels = np.atleast_1d(np.asarray(targets, dtype=np.float64))
        r, k = self.signal.shape
        start = np.zeros((r, 1))
        reached = np.maximum.accumulate(np.hstack([start, self.signal_efficiency]), axis=1)
        background = np.hstack([start, self.background_efficiency])
        # One replica above the other, so that a single search finds all crossings.
        signal = np.nan_to_num(reached)
        floor = np.arange(r)[:, None] * (max(float(signal.max(initial=1.0)), float(levels.max(initial=1.0))) + 1)
        # Each replica is lifted above the one before it, so the rows are one ascending array.
        upper = np.searchsorted((signal + floor).ravel(), floor + levels - LADDER) - np.arange(r)[:, None] * (k + 1)
        above = np.clip(upper, 1, k)
        x0, x1, y0, y1 = (
            np.take_along_axis(column, index, axis=1)
            for column in (reached, background)
            for index in (above - 1, above)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = np.diff(self.edges, prepend=-1)[above - 1] > 1
            # Between distant edges the curve is interpolated; between neighbouring thresholds it is a step, as the
            # events are.
            share = np.where(straight & (x1 > x0), (levels - x0) / (x1 - x0), np.where(np.isnan(x1), np.nan, 1.0))
        return np.asarray(y0 + np.clip(share, 0.0, 1.0) * (y1 - y0))


def bins(curve: Curve, targets: ArrayLike = ()) -> NDArray[np.intp]:
    """About 300 thresholds in even steps of both efficiencies, denser in the tail, and those of the targets."""
    chosen = [thinned_thresholds(curve, BINS), curve.index_at(np.asarray(targets, dtype=float))]
    return np.unique(np.concatenate(chosen))


def bootstrap(
    curve: Curve,
    ranking: Ranking,
    is_signal: NDArray[np.bool_],
    weights: Array,
    *,
    edges: NDArray[np.intp],
    replicas: int = 1000,
    seed: int = 0,
) -> Replicas:
    r"""Replicas of a curve by the Poisson bootstrap over its events, from the sums between the edges.

    In a replica each event counts n times, n ~ Poisson(1) (Oza and Russell 2001; Chamandy et al. 2012), so the weight
    between two edges is sum n w, with mean sum w and variance sum w^2. n is drawn for an event with more than 1/25 of
    that variance and for each event of a bin with at most 25, because a Gaussian would be wrong there; the sum of the
    others is Gaussian. So a replica does not need a pass over all events. Weights may be negative.

    The last edge must be the last threshold.
    """
    rng = np.random.default_rng(seed)
    sums = (curve.signal, curve.background), (curve.signal_squares, curve.background_squares)
    sums_by_class = [
        _replica_sums(rng, ranking, edges, of_class, weights, (total[edges], squares[edges]), replicas)
        for of_class, total, squares in zip((is_signal, ~is_signal), *sums, strict=True)
    ]
    return Replicas(curve, edges, *sums_by_class)


def interval(values: Array, level: float = 0.6826894921370859) -> Array:
    """The central interval of replicas [r, ...] by their quantiles, [2, ...]; nan where a replica has no value."""
    tail = (1 - level) / 2
    return np.asarray(np.quantile(values, (tail, 1 - tail), axis=0))


def _replica_sums(
    rng: np.random.Generator,
    ranking: Ranking,
    edges: NDArray[np.intp],
    of_class: NDArray[np.bool_],
    weights: Array,
    sums: tuple[Array, Array],
    replicas: int,
) -> Array:
    """The sums of n w at or above each edge, [r, k]."""
    total, squares = (np.diff(column, prepend=0.0) for column in sums)
    place, heavy = _heavy_events(ranking, edges, of_class, weights, squares)
    # The Gaussian stands for the light events alone, as the heavy ones are drawn below.
    total -= np.bincount(place, heavy, minlength=len(edges))
    squares -= np.bincount(place, heavy**2, minlength=len(edges))
    replica_sums = rng.standard_normal((replicas, len(edges))) * np.sqrt(np.maximum(squares, 0.0)) + total
    if len(heavy):
        filled, first = np.unique(place, return_index=True)
        for rows in _chunks(replicas, len(heavy)):
            times = TABLE[rng.integers(0, 1 << 16, (rows.stop - rows.start, len(heavy)), dtype=np.uint16)]
            replica_sums[rows, filled] += np.add.reduceat(times * heavy, first, axis=1)
    return np.cumsum(replica_sums, axis=1, out=replica_sums)


def _heavy_events(
    ranking: Ranking, edges: NDArray[np.intp], of_class: NDArray[np.bool_], weights: Array, squares: Array
) -> tuple[NDArray[np.intp], Array]:
    """The bins and weights of the events that get their own Poisson number, in the order of the bins."""
    parts = [ranking.events_between(above, below) for above, below in pairwise([-1, *edges.tolist()])]
    sizes = np.array([len(part) for part in parts])
    # -1: each event of a small bin is drawn; otherwise only those with much of the variance of their bin.
    limit = np.where(sizes <= FEW, -1.0, HEAVY * squares)
    largest = float(max(weights.max(initial=0.0), -weights.min(initial=0.0))) ** 2
    suspects = np.flatnonzero((squares > 0) & (limit < largest))
    events = np.concatenate([np.zeros(0, dtype=np.intp), *(parts[i] for i in suspects)])
    place = np.repeat(suspects, sizes[suspects])
    bin_weights = weights[events]
    chosen = of_class[events] & (bin_weights**2 > limit[place])
    return place[chosen], bin_weights[chosen]


def _chunks(replicas: int, events: int) -> Iterator[slice]:
    rows = max(CHUNK // events, 1)
    return (slice(start, min(start + rows, replicas)) for start in range(0, replicas, rows))


def _shares(sums: Array) -> Array:
    total = sums[:, -1:]
    return np.asarray(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0))

"""Edges of bins in the score, chosen from the sums above each threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.significance import asimov
from hepclf.statistics.curves.roc import ROUNDING, Curve, thinned

Array = NDArray[np.float64]

CANDIDATES = 250
# Fewer bins are taken where they lose no more than this of the best significance.
LOSS = 0.01


def best_edges(curve: Curve, bins: int, minimum: float) -> Array:
    """The inner edges of the bins, at most so many, with the greatest combined Asimov significance.

    Each bin keeps an effective background of the minimum, and its significance knows the background's statistical
    error. The best of all ways to cut at some 250 thresholds, by dynamic programming; of fewer bins the least number
    that loses under 1 %. No edges where one bin is best, or none qualifies.
    """
    index = _candidates(curve)
    gains = _gains(curve, index, minimum)
    m = len(gains)
    # best[j]: the greatest sum of squared significances of the bins above candidate j.
    best = np.where(np.arange(m) == 0, 0.0, -np.inf)
    totals, paths = [], []
    for _ in range(bins):
        sums = best[:, None] + gains
        paths.append(np.argmax(sums, axis=0))
        best = sums.max(axis=0)
        totals.append(best[-1])
    if not np.isfinite(totals).any():
        return np.empty(0)
    z = np.sqrt(np.maximum(totals, 0.0))
    count = int(np.flatnonzero(z >= (1 - LOSS) * z.max())[0])
    place, inner = m - 1, []
    for path in paths[count::-1]:
        place = int(path[place])
        inner.append(place)
    return np.sort(curve.thresholds[index[np.array(inner[:-1], dtype=np.intp) - 1]])


def _candidates(curve: Curve) -> NDArray[np.intp]:
    """Thresholds where a bin may end, the last one below all events."""
    index = thinned(curve.signal_efficiency, curve.background_efficiency)
    picked = np.linspace(0, len(index) - 1, min(CANDIDATES, len(index))).round().astype(np.intp)
    return index[np.unique(picked)]


def _gains(curve: Curve, index: NDArray[np.intp], minimum: float) -> Array:
    """Squared significance of the bin from candidate j up to candidate i, [i, j]; minus infinity where it is no bin.

    Candidate 0 is above all events.
    """
    sums = (
        np.concatenate([[0.0], of_sums[index]])
        for of_sums in (curve.signal, curve.background, curve.background_squares)
    )
    s, b, squares = (column[None, :] - column[:, None] for column in sums)
    count = len(index) + 1
    below = np.arange(count)[:, None] < np.arange(count)[None, :]
    held = below & (b > 0) & (s >= 0) & (b**2 >= minimum * (1 - ROUNDING) * np.maximum(squares, 0.0))
    with np.errstate(invalid="ignore"):
        z = asimov(s, b, np.sqrt(np.maximum(squares, 0.0)))
    return np.where(held & np.isfinite(z), z**2, -np.inf)


def even_edges(curve: Curve, bins: int, minimum: float) -> Array:
    """The inner edges of bins of equal signal; one that keeps too little background is joined with the next below."""
    index = curve.index_at(np.arange(1, bins) / bins)
    edges: list[int] = []
    top = (0.0, 0.0)
    for i in np.unique(index):
        b, squares = float(curve.background[i]) - top[0], float(curve.background_squares[i]) - top[1]
        if b > 0 and b**2 >= minimum * squares:
            edges.append(int(i))
            top = float(curve.background[i]), float(curve.background_squares[i])
    while edges and not _is_bin_below(curve, edges[-1], minimum):
        edges.pop()
    return np.sort(curve.thresholds[np.array(edges, dtype=np.intp)])


def _is_bin_below(curve: Curve, index: int, minimum: float) -> bool:
    """Whether what is left below a threshold is a bin."""
    b = float(curve.background[-1] - curve.background[index])
    return b > 0 and b**2 >= minimum * float(curve.background_squares[-1] - curve.background_squares[index])

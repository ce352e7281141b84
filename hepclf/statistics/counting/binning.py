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
    """The inner edges of at most `bins` bins with the greatest combined Asimov significance.

    Each bin keeps at least the minimum effective background. Its significance includes the background's statistical
    uncertainty. Dynamic programming finds the best edges among about 250 thresholds. Fewer bins are taken where they
    lose less than 1 %. There are no edges where one bin is best, or where no bin qualifies.
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
    # Significances of independent bins add in quadrature.
    z = np.sqrt(np.maximum(totals, 0.0))
    count = int(np.flatnonzero(z >= (1 - LOSS) * z.max())[0])
    # The edges are read backwards: each path says from which candidate the best sum came.
    place, inner = m - 1, []
    for path in paths[count::-1]:
        place = int(path[place])
        inner.append(place)
    return np.sort(curve.thresholds[index[np.array(inner[:-1], dtype=np.intp) - 1]])


def _candidates(curve: Curve) -> NDArray[np.intp]:
    """The thresholds at which a bin may end; the last is the lowest score."""
    index = thinned(curve.signal_efficiency, curve.background_efficiency)
    picked = np.linspace(0, len(index) - 1, min(CANDIDATES, len(index))).round().astype(np.intp)
    return index[np.unique(picked)]


def _gains(curve: Curve, index: NDArray[np.intp], minimum: float) -> Array:
    """Squared significance of the bin between candidates i and j, [i, j]; -inf where it does not qualify as a bin.

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
    """The inner edges of bins of equal signal; a bin with too little background is merged with the next one below."""
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
    """Whether the events below a threshold have enough background for a bin."""
    b = float(curve.background[-1] - curve.background[index])
    return b > 0 and b**2 >= minimum * float(curve.background_squares[-1] - curve.background_squares[index])

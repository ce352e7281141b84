"""Hard events: where a tagger that was written in another form would first differ from the tagger itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value, missing_as_nan
from hepclf.export.between import between
from hepclf.export.form import bare
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger, sentinels
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import Trees, TreesTagger
from hepclf.statistics.calibration import Isotonic

Features = NDArray[np.float32]

FLOAT32 = np.finfo(np.float32)
SIZES = (0.0, FLOAT32.smallest_subnormal, 1e-40, FLOAT32.tiny, 1e-6, 1.0, 1e3, 1e6, 1e18, FLOAT32.max)
VALUES = np.array([np.nan, *SIZES, *(-size for size in SIZES)], dtype=np.float32)
INFINITY = np.float32(np.inf)
MODERATE = 1e6  # size of a feature with which no network overflows
SPLITS = 20_000  # splits of a tagger that are hit; of more, so many evenly spread ones


def hard(tagger: Tagger, real: Features) -> Features:
    """Missing values, zeros, denormals and extremes, and each threshold hit exactly and missed by one step.

    Each declared sentinel likewise: its neighbours are values.
    Of an isotonic calibration, each of the lines is hit.
    """
    inner, calibration = bare(tagger)
    typical = _typical(inner, real)
    width = len(typical)
    alone = np.tile(typical, (len(VALUES) * width, 1))
    places = np.repeat(np.arange(width), len(VALUES))
    alone[np.arange(len(alone)), places] = np.tile(VALUES, width)
    everywhere = np.repeat(VALUES[:, None], width, axis=1)
    edges = _edges(inner, real if len(real) else typical[None])
    parts = [typical[None], everywhere, alone, edges, _at_sentinels(tagger, typical)]
    if isinstance(calibration, Isotonic):
        parts.append(between(inner, calibration, real if len(real) else alone[np.abs(alone).max(axis=1) <= MODERATE]))
    return np.concatenate(parts)


def infinite(tagger: Tagger, real: Features) -> Features:
    """Events with one infinite feature each, which no tagger scores."""
    typical = _typical(bare(tagger)[0], real)
    found = np.tile(typical, (2 * len(typical), 1))
    found[np.arange(len(found)), np.arange(len(found)) // 2] = np.tile([INFINITY, -INFINITY], len(typical))
    return found[np.isinf(missing_as_nan(found, tagger.inputs, sentinels(tagger))).any(axis=1)]


def _typical(tagger: Tagger, real: Features) -> Features:
    """The event in the middle of the real ones, or what stands in for missing values."""
    fill = np.zeros(len(tagger.inputs), dtype=np.float32)
    if isinstance(tagger, NetworkTagger):
        fill = tagger.module.prepare.fill.cpu().numpy()
    elif isinstance(tagger, FisherTagger):
        fill = tagger.arrays["fill"].astype(np.float32)
    if not len(real):
        return fill
    middle = np.sort(real, axis=0)[(~np.isnan(real)).sum(axis=0) // 2, np.arange(real.shape[1])]
    return np.where(np.isnan(middle), fill, middle)


def _edges(tagger: Tagger, rows: Features) -> Features:
    """Events at and beside the values at which the tagger changes its course."""
    if isinstance(tagger, TreesTagger):
        return _at_splits(tagger.trees, rows)
    if isinstance(tagger, NetworkTagger):
        prepare = tagger.module.prepare
        knots = prepare.knots.cpu().numpy()
        columns = np.flatnonzero(np.array(prepare.kinds) == "quantile")
        return _varied(np.resize(rows, (knots.size, rows.shape[1])), columns.repeat(knots.shape[1]), knots.ravel())
    return rows[:0]


def _at_sentinels(tagger: Tagger, typical: Features) -> Features:
    """Events with one feature at and beside each of its sentinels."""
    pairs = [(place, value) for value, places in by_value(tagger.inputs, sentinels(tagger)).items() for place in places]
    columns = np.array([place for place, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=np.float32)
    return _varied(np.tile(typical, (len(pairs), 1)), columns, values)


def _varied(rows: Features, columns: NDArray[np.int64], values: Features) -> Features:
    """Each row four times: its column at the value, one step below, one above, and missing."""
    found = np.repeat(rows, 4, axis=0)
    steps = [values, _next(values, -INFINITY), _next(values, INFINITY), np.full_like(values, np.nan)]
    found[np.arange(len(found)), columns.repeat(4)] = np.stack(steps, axis=1).ravel()
    return found[~np.isinf(found).any(axis=1)]


def _next(values: Features, to: np.float32) -> Features:
    """The neighbours of these numbers; NumPy warns where one of them is infinite."""
    with np.errstate(over="ignore"):
        return np.nextafter(values, to)


class _Bounds(NamedTuple):
    """What the features of an event must be above, and at most, to come to a node [nodes, d]."""

    above: Features
    most: Features


def _at_splits(trees: Trees, rows: Features) -> Features:
    """Events that come to a split with its feature at the threshold, other features as real events have them."""
    splits = np.flatnonzero(trees.inner)
    splits = splits[np.linspace(0, len(splits) - 1, min(len(splits), SPLITS)).astype(np.int64)]
    rows = np.resize(rows, (len(splits), rows.shape[1]))
    above, most = _bounds(trees, splits)
    low = _next(above, INFINITY)
    inside = np.where(np.isnan(rows), rows, np.clip(rows, low, np.maximum(low, most)))
    constrained = np.isnan(rows) & (np.isfinite(above) | np.isfinite(most))
    inside = np.where(constrained, np.where(np.isfinite(most), most, low), inside)
    return _varied(inside.astype(np.float32), trees.columns[splits] % trees.width, trees.thresholds[splits])


def _bounds(trees: Trees, nodes: NDArray[np.int64]) -> _Bounds:
    parents = np.arange(len(trees.inner))
    inner = np.flatnonzero(trees.inner)
    parents[trees.children[inner]] = parents[trees.children[inner] + 1] = inner
    shape = (len(nodes), trees.width)
    bounds = _Bounds(np.full(shape, -INFINITY), np.full(shape, INFINITY))
    places = np.arange(len(nodes))
    while len(nodes):
        parent = parents[nodes]
        at, to = np.stack([places, trees.columns[parent] % trees.width]), trees.thresholds[parent]
        went_left, moved = trees.children[parent] == nodes, parent != nodes
        for side, chosen, narrow in ((1, went_left, np.minimum), (0, ~went_left, np.maximum)):
            row, column = at[:, chosen & moved]
            bounds[side][row, column] = narrow(bounds[side][row, column], to[chosen & moved])
        nodes, places = parent[moved], places[moved]
    return bounds

"""Edge cases: events for which an exported tagger would first differ from the tagger itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value, missing_as_nan
from hepclf.export.formats import uncalibrated
from hepclf.export.midpoints import midpoint_events
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger
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


def hard_events(tagger: Tagger, real: Features) -> Features:
    """Events with missing values, zeros, denormals and extremes, and events at and next to each threshold.

    They also cover each declared sentinel and its neighbours, which are ordinary values, and each line of an isotonic
    calibration.
    """
    inner, calibration = uncalibrated(tagger)
    typical = _typical(inner, real)
    width = len(typical)
    one_extreme = np.tile(typical, (len(VALUES) * width, 1))
    columns = np.repeat(np.arange(width), len(VALUES))
    one_extreme[np.arange(len(one_extreme)), columns] = np.tile(VALUES, width)
    all_extreme = np.repeat(VALUES[:, None], width, axis=1)
    rows = real if len(real) else typical[None]
    parts = [typical[None], all_extreme, one_extreme, _edges(inner, rows), _at_sentinels(tagger, typical)]
    if isinstance(calibration, Isotonic):
        moderate = one_extreme[np.abs(one_extreme).max(axis=1) <= MODERATE]
        rows = real if len(real) else moderate
        parts.append(midpoint_events(inner, calibration, rows))
    return np.concatenate(parts)


def infinite_events(tagger: Tagger, real: Features) -> Features:
    """Events with one infinite feature each, which no tagger scores."""
    typical = _typical(uncalibrated(tagger)[0], real)
    rows = np.tile(typical, (2 * len(typical), 1))
    rows[np.arange(len(rows)), np.arange(len(rows)) // 2] = np.tile([INFINITY, -INFINITY], len(typical))
    return rows[np.isinf(missing_as_nan(rows, tagger.inputs, tagger.sentinels)).any(axis=1)]


def _typical(tagger: Tagger, real: Features) -> Features:
    """The median event [d] of the real ones; without any, the values that replace missing ones."""
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
    """Events at and next to the values at which the tagger's response changes: splits, and knots of quantiles."""
    if isinstance(tagger, TreesTagger):
        return _at_splits(tagger.trees, rows)
    if isinstance(tagger, NetworkTagger):
        prepare = tagger.module.prepare
        knots = prepare.knots.cpu().numpy()
        columns = np.flatnonzero(np.array(prepare.kinds) == "quantile")
        return _varied(np.resize(rows, (knots.size, rows.shape[1])), columns.repeat(knots.shape[1]), knots.ravel())
    return rows[:0]


def _at_sentinels(tagger: Tagger, typical: Features) -> Features:
    """Events with one feature at and next to each of its sentinels."""
    by_sentinel = by_value(tagger.inputs, tagger.sentinels)
    pairs = [(column, value) for value, columns in by_sentinel.items() for column in columns]
    columns = np.array([column for column, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=np.float32)
    return _varied(np.tile(typical, (len(pairs), 1)), columns, values)


def _varied(rows: Features, columns: NDArray[np.int64], values: Features) -> Features:
    """Each row four times: its column at the value, one step below, one above, and missing."""
    events = np.repeat(rows, 4, axis=0)
    steps = [values, _neighbours(values, -INFINITY), _neighbours(values, INFINITY), np.full_like(values, np.nan)]
    events[np.arange(len(events)), columns.repeat(4)] = np.stack(steps, axis=1).ravel()
    return events[~np.isinf(events).any(axis=1)]


def _neighbours(values: Features, to: np.float32) -> Features:
    """The neighbours of these numbers; NumPy warns if one of them is infinite."""
    with np.errstate(over="ignore"):
        return np.nextafter(values, to)


class _Bounds(NamedTuple):
    """The interval (low, high] of each feature in which an event reaches a node [nodes, d]."""

    low: Features
    high: Features


def _at_splits(trees: Trees, rows: Features) -> Features:
    """Events that reach a split with its feature at the threshold, and other features as in real events."""
    splits = np.flatnonzero(trees.inner)
    splits = splits[np.linspace(0, len(splits) - 1, min(len(splits), SPLITS)).astype(np.int64)]
    rows = np.resize(rows, (len(splits), rows.shape[1]))
    low, high = _bounds(trees, splits)
    lowest = _neighbours(low, INFINITY)
    arriving = np.where(np.isnan(rows), rows, np.clip(rows, lowest, np.maximum(lowest, high)))
    constrained = np.isnan(rows) & (np.isfinite(low) | np.isfinite(high))
    arriving = np.where(constrained, np.where(np.isfinite(high), high, lowest), arriving)
    return _varied(arriving.astype(np.float32), trees.columns[splits] % trees.width, trees.thresholds[splits])


def _bounds(trees: Trees, nodes: NDArray[np.int64]) -> _Bounds:
    parents = np.arange(len(trees.inner))
    inner = np.flatnonzero(trees.inner)
    parents[trees.children[inner]] = parents[trees.children[inner] + 1] = inner
    shape = (len(nodes), trees.width)
    bounds = _Bounds(np.full(shape, -INFINITY), np.full(shape, INFINITY))
    rows = np.arange(len(nodes))
    while len(nodes):
        parent = parents[nodes]
        cells, thresholds = np.stack([rows, trees.columns[parent] % trees.width]), trees.thresholds[parent]
        went_left, moved = trees.children[parent] == nodes, parent != nodes
        for side, chosen, narrow in ((1, went_left, np.minimum), (0, ~went_left, np.maximum)):
            row, column = cells[:, chosen & moved]
            bounds[side][row, column] = narrow(bounds[side][row, column], thresholds[chosen & moved])
        nodes, rows = parent[moved], rows[moved]
    return bounds

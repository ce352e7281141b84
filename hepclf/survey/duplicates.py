"""Events that are in the data more than once, and copies of training events in other splits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.scored import SPLITS
from hepclf.survey.feature import columns

Keys = NDArray[np.uint64]

STRETCH = 1 << 12  # events; arrays of this length fit into the processor's cache
ODD, SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)  # a multiplicative hash (Fibonacci hashing)
# A feature can identify an event where this fraction of its values, and at least this many, are distinct.
DISTINCT_SHARE, DISTINCT = 0.2, 100
CHANCE = 5  # standard deviations above the number of equal values that is expected by chance
NEIGHBOURS = 50  # sorted values on each side, from whose spacing the local density of values is estimated
MANY = 10  # so many equal events are not copies: they have the same missing object, such as no jet
GLANCE = 100_000  # values that are looked at first: sorting a long column only to reject it takes longer


class Duplicates(NamedTuple):
    """Numbers of events whose features all equal those of an earlier event, bit by bit.

    repeated     all of them; where features have few distinct values, this is expected
    copies       those that are the same event more than once: in a feature of mostly distinct values, no other events
                 have their value
    contradict   events that have a copy in another class
    in_training  events of the validation and test splits that have a copy in training; None without a split
    """

    repeated: int
    copies: int
    contradict: int
    in_training: dict[str, int] | None


def duplicates(events: Events, parts: NDArray[np.int8] | None = None) -> Duplicates:
    """Count repeated events, by a 64-bit hash of each row.

    Among five million rows, two different ones have equal hashes in one of a million datasets.
    """
    keys = np.empty(0, dtype=np.uint64)
    if events.names:
        keys = row_keys(events)
    places, group = _groups(keys)
    sizes = np.bincount(group)
    if len(places) == 0:
        in_training = None
        if parts is not None:
            in_training = dict.fromkeys(SPLITS[1:], 0)
        return Duplicates(0, 0, 0, in_training)
    first = np.zeros(len(sizes), dtype=np.intp)
    first[group[::-1]] = places[::-1]
    same = _with_unique_value(events, first, sizes)
    if same.any() and _by_chance(events, int((sizes - 1)[same].sum())):
        same[:] = False
    copied = same[group]
    places, group = places[copied], group[copied]
    labels = events.labels[places]
    several = _any(group, len(sizes), labels != events.labels[first[group]])
    counts = Duplicates(
        repeated=int((sizes - 1).sum()),
        copies=int((sizes - 1)[same].sum()),
        contradict=int(several[group].sum()),
        in_training=None,
    )
    if parts is None:
        return counts
    part = parts[places]
    trains = _any(group, len(sizes), part == 0)[group]
    return counts._replace(in_training={name: int((trains & (part == i)).sum()) for i, name in enumerate(SPLITS) if i})


def row_keys(events: Events) -> Keys:
    """A 64-bit hash of each row of features [n]. All NaN count as equal, and so do 0 and -0."""
    keys = np.zeros(len(events), dtype=np.uint64)
    start = 0
    for rows in events.slices(events.names, STRETCH):
        table = rows.T + np.float32(0)
        table[np.isnan(table)] = np.nan
        block = keys[start : start + len(rows)]
        for column in np.ascontiguousarray(table).view(np.uint32):
            block ^= column
            block *= ODD
            block ^= block >> SHIFT
        start += len(rows)
    return keys


def _groups(keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of all keys that occur more than once, ascending, and the group of equal keys of each."""
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated) == 0:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    del ordered
    index = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    places = np.flatnonzero(repeated[index] == keys)
    return places, index[places]


def _with_unique_value(events: Events, first: NDArray[np.intp], sizes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which groups of equal events have a value that no other event has; `first` is an event of each group."""
    same = np.zeros(len(sizes), dtype=bool)
    few = sizes < MANY
    if not few.any():
        return same
    for _, table in columns(events):
        for column in table:
            undecided = np.flatnonzero(few & ~same)
            if len(undecided) == 0:
                return same
            if not _differ(_ordered(column[:: len(column) // GLANCE + 1])):
                continue
            ordered = _ordered(column)
            if not _differ(ordered):
                continue
            values = column[first[undecided]]
            count = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values)
            same[undecided[~np.isnan(values) & (count == sizes[undecided])]] = True
    return same


def _by_chance(events: Events, copies: int) -> bool:
    """Whether so many equal events are expected by chance, because float32 values have 24 bits.

    This happens only where a single feature identifies events: different events rarely agree in two such features.
    """
    telling: list[NDArray[np.float32]] = []
    for _, table in columns(events):
        for column in table:
            if _differ(_ordered(column[:: len(column) // GLANCE + 1])):
                telling.append(_ordered(column))
            if len(telling) > 1:
                return False
    expected = sum(map(_coincidences, telling))
    return bool(copies <= expected + CHANCE * np.sqrt(expected))


def _coincidences(ordered: NDArray[np.float32]) -> float:
    """Expected pairs of equal values: half the sum of float32's step over the local distance between values."""
    values = ordered[np.isfinite(ordered)].astype(np.float64)
    places = np.arange(len(values))
    low, high = np.maximum(places - NEIGHBOURS, 0), np.minimum(places + NEIGHBOURS, len(values) - 1)
    distances = (values[high] - values[low]) / np.maximum(high - low, 1)
    steps = np.spacing(np.abs(ordered[np.isfinite(ordered)])).astype(np.float64)
    return float(np.minimum(steps / np.maximum(distances, np.finfo(np.float64).tiny), 1).sum()) / 2


def _ordered(column: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sort(column[~np.isnan(column)])


def _differ(ordered: NDArray[np.float32]) -> bool:
    """Whether sorted values mostly differ, so that an equal value means an equal event."""
    distinct = int((ordered[1:] != ordered[:-1]).sum()) + 1
    return distinct >= max(DISTINCT, DISTINCT_SHARE * len(ordered))


def _any(group: NDArray[np.intp], groups: int, holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether it holds for any member of each group."""
    any_member = np.zeros(groups, dtype=bool)
    any_member[group[holds]] = True
    return any_member

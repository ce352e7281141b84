"""A random sample of events, with equally many of each kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def has_weight(weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which events have a weight other than zero, [n]; all events where none has one."""
    if not weights.any():
        return np.ones(len(weights), dtype=bool)
    return np.asarray(weights != 0)


def sample(
    kinds: NDArray[np.int64], weights: NDArray[np.float64], limit: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Indices of at most `limit` events, ascending, and a factor on the weight of each that keeps its kind's total.

    kinds are integers from 0 on, [n]. Each kind has the same quota; the unused quota of a rare kind goes to the others.
    Events of weight zero do not count and are not drawn, unless there are no others.
    """
    counting = has_weight(weights)
    counts = np.bincount(kinds[counting])
    quotas, remaining = np.zeros_like(counts), limit
    # From the rarest kind on: its unused quota is shared by the kinds that follow.
    for place, kind in enumerate(np.argsort(counts)):
        quotas[kind] = min(counts[kind], remaining // (len(counts) - place))
        remaining -= quotas[kind]
    places, factors = [], []
    for kind, quota in enumerate(quotas):
        members = np.flatnonzero(counting & (kinds == kind))
        if quota < len(members):
            members = rng.choice(members, quota, replace=False)
        places.append(members)
        factors.append(np.full(quota, counts[kind] / max(quota, 1)))
    order = np.argsort(chosen := np.concatenate(places))
    return chosen[order], np.concatenate(factors)[order]

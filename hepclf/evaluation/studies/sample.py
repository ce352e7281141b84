"""Some of many events, with equally many of each kind where possible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample(
    kinds: NDArray[np.int64], weights: NDArray[np.float64], limit: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Places of at most `limit` events, rising, and for each the factor on its weight that makes up for those left out.

    kinds are integers from 0 on, [n]. Each kind has the same share; what a rare one leaves of it goes to the others.
    Events of weight zero say nothing and are not drawn, unless there are no others.
    """
    counting = weights != 0 if weights.any() else np.ones(len(weights), dtype=bool)
    counts = np.bincount(kinds[counting])
    quotas, remaining = np.zeros_like(counts), limit
    # The rarest first: what it leaves is shared out among those that are still to come.
    for place, kind in enumerate(np.argsort(counts)):
        quotas[kind] = min(counts[kind], remaining // (len(counts) - place))
        remaining -= quotas[kind]
    places, factors = [], []
    for kind, quota in enumerate(quotas):
        members = np.flatnonzero(counting & (kinds == kind))
        places.append(members if quota == len(members) else rng.choice(members, quota, replace=False))
        factors.append(np.full(quota, counts[kind] / quota if quota else 1.0))
    order = np.argsort(chosen := np.concatenate(places))
    return chosen[order], np.concatenate(factors)[order]

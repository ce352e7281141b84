"""Planing: training weights with which every class has the same spectrum in a spectator."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.nearest import nearest

BINS = 50
FEW = 0.1  # of the effective count of a class: if planing leaves less, there is a warning

Array = NDArray[np.float64]
log = logging.getLogger(__name__)


def check_spectator(name: str, columns: tuple[str, ...], key: str) -> None:
    """Refuse a name that is neither a spectator nor a feature; `key` is the setting that names it."""
    if name not in columns:
        raise ValueError(
            f"{key} names {name!r}, which is no spectator of the data{nearest(name, columns)}; "
            "name it in data.spectators"
        )


def spectator_values(events: Events, name: str, key: str) -> Array:
    """The values of this spectator (or feature), finite in each event; `key` is the setting that names it."""
    check_spectator(name, (*events.spectators, *events.names), key)
    column = events.spectators.get(name)
    if column is None:
        column = events.select((name,))[:, 0]
    if column.dtype.kind not in "biuf":
        raise ValueError(f"spectator {name!r} must be numbers for {key}, not text")
    values = column.astype(np.float64)
    if bad := int(len(values) - np.isfinite(values).sum()):
        raise ValueError(f"{key} needs a number in each event, and {name!r} has none in {bad:,}; select those away")
    return values


def planed(
    weights: Array, labels: NDArray[np.int64], values: Array, classes: tuple[str, ...], bins: int = BINS
) -> Array:
    """Weights [n] whose sum, for each class, is the same in each bin of the values; each class keeps its sum.

    So no class differs from another in this spectrum, and nothing is learnt from it (planing, arXiv:1709.10106). The
    bins hold equally many events of all classes together: weights that are flat in the value itself would be dominated
    by the few events of a tail. A class has no weight in bins where it has no events.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    m = max(len(edges) - 1, 1)
    bin_ = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, m - 1)
    weighted = weights != 0
    events = np.bincount((labels * m + bin_)[weighted], minlength=len(classes) * m).reshape(-1, m)
    sums = np.bincount(labels * m + bin_, weights, minlength=len(classes) * m).reshape(-1, m)
    for label, name in enumerate(classes):
        # The sum may be negative, or zero because weights cancel.
        if (below := (events[label] > 0) & (sums[label] <= 0)).any():
            raise ValueError(
                f"planing needs a positive sum of training weights in each bin, and class {name!r} has "
                f"{float(sums[label][below][0]):.4g} in one of {m}; choose trainer.negative_weights=zero or abs"
            )
    filled = events > 0
    # Each class keeps its sum, divided equally among its filled bins.
    target = sums.sum(1) / np.maximum(filled.sum(1), 1)
    factors = np.divide(target[:, None], sums, out=np.zeros_like(sums), where=filled)
    planed_weights = weights * factors[labels, bin_]
    for label, name in enumerate(classes):
        _warn_of_cost(name, weights[labels == label], planed_weights[labels == label], int(m - filled[label].sum()), m)
    return np.asarray(planed_weights)


def _warn_of_cost(name: str, before: Array, after: Array, empty: int, m: int) -> None:
    """Warn if planing leaves a class few effective events, or no weight in some bins."""
    counts = [float(w.sum() ** 2 / (w**2).sum()) if len(w) else 0.0 for w in (before, after)]
    if empty:
        log.warning("planing: class %s has no events in %d of %d bins, and stays without weight there", name, empty, m)
    if counts[1] < FEW * counts[0]:
        log.warning("planing leaves class %s an effective count of %.0f events, of %.0f", name, counts[1], counts[0])

"""Checks of events before they are scored: infinite values, and missing ones where training had none."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, Sentinels, missing_as_nan

ROWS = 1 << 16

log = logging.getLogger(__name__)


def slices(events: Events, inputs: tuple[str, ...], sentinels: Sentinels, size: int) -> Iterator[NDArray[np.float32]]:
    """The inputs of a tagger in slices [size, d], with NaN in place of its declared missing values."""
    for part in events.slices(inputs, size):
        yield missing_as_nan(part, inputs, sentinels)


def check_finite(values: NDArray[np.float64], events: Events, inputs: tuple[str, ...], sentinels: Sentinels) -> None:
    """Refuse scores or logits [n] or [n, k] that are not finite; every kind of tagger asks here."""
    is_finite = np.isfinite(values) if values.ndim == 1 else np.isfinite(values).all(axis=1)
    if is_finite.all():
        return
    parts = slices(events, inputs, sentinels, ROWS)
    largest = max(float(np.nanmax(np.abs(part), initial=0)) for part in parts)
    raise ValueError(
        f"the tagger's output is not finite in {int((~is_finite).sum())} events: a feature lies too far outside its "
        f"training range (the largest value of all is {largest:.4g}), or the tagger is damaged; select "
        "those events away"
    )


def check_scorable(
    events: Events, inputs: tuple[str, ...], missing: Collection[int] | None, sentinels: Sentinels
) -> None:
    """Refuse infinite values, and warn of missing values in features that had none in training.

    missing  positions of the inputs that had missing values in training; None if the tagger handles missing values
    """
    if not isinstance(events, Events):
        raise TypeError(
            f"scores takes Events, not {type(events).__name__}; "
            "wrap an array as hepclf.Events(features=array, names=tagger.inputs)"
        )
    infinite = np.zeros(len(inputs), dtype=np.int64)
    absent = np.zeros(len(inputs), dtype=np.int64)
    for part in slices(events, inputs, sentinels, ROWS):
        infinite += np.isinf(part).sum(axis=0)
        absent += np.isnan(part).sum(axis=0)
    for name, count in zip(inputs, infinite.tolist(), strict=True):
        if count:
            raise ValueError(
                f"feature {name!r} is infinite in {count} events, which have no score; "
                "select those events away or declare them missing"
            )
    for column, count in enumerate(absent.tolist()):
        if count and missing is not None and column not in missing:
            log.warning(
                "feature %r is missing in %d events but never was in training; its median stands in",
                inputs[column],
                count,
            )

"""The warnings of a survey that are cheap enough for every training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.survey import cautions
from hepclf.survey.duplicates import duplicates
from hepclf.survey.feature import feature_summaries
from hepclf.survey.population import classes
from hepclf.words import Caution

SAMPLE = 20_000  # events of each class for the checks of features


def training_warnings(events: Events, parts: NDArray[np.int8]) -> tuple[Caution, ...]:
    """The warnings of a survey, in a small fraction of the time of a training.

    Classes, weights and copies are checked on all events. Features are checked on at most 20,000 events of each class,
    evenly spread over the data, and the warnings say so. `parts` is the split of each event: 0 train, 1 valid, 2 test.
    """
    by_class = classes(events, parts)
    counts = np.bincount(events.processes, minlength=len(events.process_names))
    empty = [name for name, count in zip(events.process_names, counts, strict=True) if count == 0]
    return (
        *cautions.population_warnings(by_class, empty, events),
        *_feature_warnings(events),
        *cautions.duplicate_warnings(duplicates(events, parts)),
    )


def _feature_warnings(events: Events) -> tuple[Caution, ...]:
    places = _spread(events)
    sample = events
    if len(places) < len(events):
        sample = events.take(places)
    warnings = cautions.feature_warnings(list(feature_summaries(sample)), classes(sample), events.sentinels)
    if sample is events:
        return tuple(warnings)
    note = f" (checked on {len(sample):,} of {len(events):,} events)"
    return tuple(row._replace(text=row.text + note) for row in warnings)


def _spread(events: Events) -> NDArray[np.intp]:
    """Indices of at most SAMPLE events of each class, at equal distances."""
    members = [np.flatnonzero(events.labels == label) for label in range(len(events.classes))]
    return np.sort(np.concatenate([rows[:: -(-len(rows) // SAMPLE) or 1] for rows in members]))

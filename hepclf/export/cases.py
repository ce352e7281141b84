"""The events of a trial: real ones and edge cases, with columns that lead them to every member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, single_precision
from hepclf.export.components import Component, components, event_folds, fold_columns
from hepclf.export.hard_events import Features, hard_events
from hepclf.models.folds import FoldKey
from hepclf.models.model import Tagger

Columns = Mapping[str, NDArray[np.uint64]]

SAMPLE = 2_000  # events that are tried under each fold


def real_cases(tagger: Tagger, real: Features, columns: Columns | None) -> Events:
    """Real events [n, d] as files store them, with their own columns or, if these are unknown, each fold's in turn."""
    folds = event_folds(tagger)
    if folds is None:
        return _events(tagger, real)
    if columns is None:
        rows = fold_columns(folds)
        columns = {name: np.resize(_numbers([row[name] for row in rows]), len(real)) for name in folds.columns}
    return _events(tagger, real, {name: columns[name] for name in folds.columns})


def hard_cases(tagger: Tagger, real: Features) -> Events:
    """Edge cases as files store them: those of each member with its fold, then a sample of all events with each fold.

    real  real events, with NaN in place of declared missing values
    """
    cases = joined([_cases_of(tagger, component, real) for component in components(tagger)])
    folds = event_folds(tagger)
    if folds is None:
        return cases
    sample = np.concatenate([_spread(real, SAMPLE // 2), _spread(cases.features, SAMPLE // 2)])
    parts = [_events(tagger, sample, _repeated(row, len(sample))) for row in fold_columns(folds)]
    return joined([cases, *parts])


def file_key(folds: FoldKey | None, events: Events) -> NDArray[np.uint64] | None:
    """The number that an exported file takes for each event [n]: its column, or the fold where several are hashed."""
    if folds is None:
        return None
    numbers = folds.numbers(events)
    return numbers if len(folds.columns) == 1 else numbers % np.uint64(folds.count)


def _cases_of(tagger: Tagger, component: Component, real: Features) -> Events:
    """The edge cases of one member. Features that it does not use are those of real events, or zero."""
    own = [tagger.inputs.index(name) for name in component.tagger.inputs]
    cases = hard_events(component.tagger, np.ascontiguousarray(real[:, own]))
    features = np.zeros((len(cases), len(tagger.inputs)), dtype=np.float32)
    if len(real):
        features = np.resize(real, features.shape)
    features[:, own] = cases
    return _events(tagger, features, _repeated(component.columns, len(cases)))


def _events(tagger: Tagger, features: Features, columns: Columns | None = None) -> Events:
    return Events(features=_raw(tagger, features), names=tagger.inputs, spectators=columns or {})


def _raw(tagger: Tagger, features: Features) -> Features:
    """Features [n, d] as files store them: a missing value is in turn each sentinel of the feature, and NaN."""
    raw, declared = features.copy(), tagger.sentinels
    for column, name in enumerate(tagger.inputs):
        choices = np.array([*single_precision(declared.get(name, ())), np.nan], dtype=np.float32)
        missing = np.flatnonzero(np.isnan(features[:, column]))
        raw[missing, column] = np.resize(choices, len(missing))
    return raw


def joined(parts: Sequence[Events]) -> Events:
    """All events in this order; all parts have the same columns."""
    first = parts[0]
    columns = {name: np.concatenate([part.spectators[name] for part in parts]) for name in first.spectators}
    return Events(features=np.concatenate([part.features for part in parts]), names=first.names, spectators=columns)


def _spread(features: Features, count: int) -> Features:
    """At most so many of these events, evenly spread."""
    return features[np.linspace(0, len(features) - 1, min(count, len(features))).astype(np.int64)]


def _repeated(columns: Mapping[str, int], events: int) -> dict[str, NDArray[np.uint64]]:
    return {name: np.full(events, value, dtype=np.uint64) for name, value in columns.items()}


def _numbers(values: Sequence[int]) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)

"""The taggers inside a tagger of members, and the columns that lead an event to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hepclf.events import Events
from hepclf.models.folds import FoldKey
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger

FIRST = 2**60 + 1  # event number: so large that a double does not hold it
PER_FOLD = 100  # event numbers among which one in each fold is searched


class Component(NamedTuple):
    """A tagger of one model, calibrated or not.

    columns  values of the fold columns with which an event reaches it; empty where every event does
    """

    tagger: Tagger
    columns: Mapping[str, int]


def components(tagger: Tagger, columns: Mapping[str, int] | None = None) -> list[Component]:
    """The taggers without members inside a tagger; `columns` lead to the tagger itself."""
    if not isinstance(tagger, MembersTagger):
        return [Component(tagger, columns or {})]
    paths = [columns or {}] * len(tagger.members)
    if tagger.keyed is not None:
        paths = list(fold_columns(tagger.keyed))
    return [
        component for member, path in zip(tagger.members, paths, strict=True) for component in components(member, path)
    ]


def event_folds(tagger: Tagger) -> FoldKey | None:
    """The folds by which events select members, in the tagger or in its members; None where none are selected."""
    if not isinstance(tagger, MembersTagger):
        return None
    keys = [tagger.keyed, *(event_folds(member) for member in tagger.members)]
    different = list(dict.fromkeys(key for key in keys if key is not None))
    if len(different) > 1:
        texts = (f"{key.count} by {','.join(key.columns)}" for key in different)
        raise ValueError(f"members must have the same folds to be exported, not {' and '.join(texts)}")
    return next(iter(different), None)


def fold_columns(folds: FoldKey) -> list[dict[str, int]]:
    """Columns of one event in each fold."""
    numbers = np.uint64(FIRST) + np.arange(PER_FOLD * folds.count, dtype=np.uint64)
    events = Events(
        features=np.empty((len(numbers), 0), dtype=np.float32),
        names=(),
        spectators=dict.fromkeys(folds.columns, numbers),
    )
    event_fold = folds.folds(events)
    rows = [int(np.argmax(event_fold == fold)) for fold in range(folds.count)]
    return [dict.fromkeys(folds.columns, int(numbers[row])) for row in rows]


def check_sentinels(tagger: Tagger) -> None:
    """Refuse members that declare other missing values for the same feature."""
    for component in components(tagger):
        for name in component.tagger.inputs:
            declared, shared = component.tagger.sentinels.get(name, ()), tagger.sentinels.get(name, ())
            if set(declared) != set(shared):
                raise ValueError(
                    f"members must declare the same missing values of {name!r} to be exported, not {declared} and "
                    f"{shared}; train them with the same data.missing"
                )

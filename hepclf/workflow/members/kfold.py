"""The recipe of folds: several trainings, each of which leaves out another part of the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from hepclf.data.expressions import parse
from hepclf.data.loader import Loader
from hepclf.data.split import shuffled_ranks
from hepclf.events import Events
from hepclf.models.folds import FoldKey, hashed
from hepclf.nearest import nearest
from hepclf.recipe import build, recipe
from hepclf.workflow.members.sets import FoldSets, fold_sets

USUAL_SHARE = 0.15  # of the events of a training that validate it
UNIT = 2.0**-53  # the spacing of positions from 0 to 1

Data = TypeVar("Data", bound=Loader)


@recipe
class KFold:
    """As many trainings as folds: each leaves out one fold, whose events it has never seen.

    count  of folds
    by     a column of whole numbers: the fold is its value modulo the count; several columns: the fold is that of a
           hash of them, so that rows with equal values share it; none: drawn at random, with equal fractions of classes
    valid  the fraction of the events of a training that validate it; an event validates one training at most
    seed   of the validation sets, and of random folds
    """

    count: int = 5
    by: str | tuple[str, ...] = ()
    valid: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _ = self.key  # refuses count and columns
        if self.valid is not None and not 0 < self.valid < 1:
            raise ValueError(f"folds.valid must be a fraction between 0 and 1, not {self.valid:g}")
        if self.valid is not None and self.valid * (self.count - 1) > 1 + 1e-9:
            raise ValueError(
                f"folds.valid must be at most 1 / (folds.count - 1) = {1 / (self.count - 1):g}, so that an event "
                f"validates one training at most, not {self.valid:g}"
            )
        if self.seed < 0:
            raise ValueError(f"folds.seed must be at least 0, not {self.seed}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that number the events."""
        return (self.by,) if isinstance(self.by, str) else self.by

    @property
    def key(self) -> FoldKey:
        """How the fold of an event follows from its columns."""
        return FoldKey(self.count, self.columns)

    @property
    def share(self) -> float:
        """The fraction of the events of a training that validate it."""
        return min(USUAL_SHARE, 1 / (self.count - 1)) if self.valid is None else self.valid

    def check(self, spectators: tuple[str, ...] | None, features: tuple[str, ...] | None) -> None:
        """Refuse columns that are features, or that are no spectators of the data; None: not known yet."""
        for name in self.columns:
            if features is not None and name in features:
                raise ValueError(
                    f"folds.by={name!r} must not be a feature, as it numbers the events; drop it from data.features"
                )
            if spectators is not None and name not in spectators:
                raise ValueError(
                    f"folds.by={name!r} must be a spectator of the data, a column of whole numbers"
                    f"{nearest(name, spectators)}"
                )

    def sets(self, events: Events) -> FoldSets:
        """The fold and the validating training of each event; refused where a set would be empty."""
        self.check(tuple(events.spectators), events.names)
        if self.columns:
            sets = self._by_columns(events)
            hint = "choose another folds.by, or fewer folds (folds.count)"
        else:
            sets = self._at_random(events)
            hint = "take more events, or fewer folds (folds.count)"
        sets.check(events, hint)
        return sets

    def _by_columns(self, events: Events) -> FoldSets:
        numbers = self.key.numbers(events)
        # Hashed again with the seed, so that the position does not follow from the fold.
        seeds = np.full(len(numbers), self.seed, dtype=np.uint64)
        positions = (hashed([seeds, numbers]) >> np.uint64(11)).astype(np.float64) * UNIT
        folds = (numbers % np.uint64(self.count)).astype(np.int64)
        return fold_sets(self.count, folds, positions, self.share)

    def _at_random(self, events: Events) -> FoldSets:
        """Stretches of a shuffle with equal fractions of the classes; the position is that within the fold."""
        places = shuffled_ranks(events.labels, len(events.classes), self.seed).astype(np.int64) * self.count
        folds = places // len(events)
        positions = (places % len(events)) / len(events)
        return fold_sets(self.count, folds, positions, self.share)


def stored_key(config: Mapping[str, Any]) -> FoldKey | None:
    """How the folds of a stored run follow from its columns; None for a run without folds."""
    if "folds" not in config:
        return None
    folds: KFold = build(KFold, config["folds"], "folds")
    return folds.key


def check_texts(data: Loader, columns: tuple[str, ...]) -> None:
    """Refuse features that are computed from the columns that number the events."""
    features = getattr(data, "features", ())
    texts = dict(features) if isinstance(features, Mapping) else {text: text for text in _texts(features)}
    for name, text in texts.items():
        if used := [column for column in columns if column == text or column in _columns(text)]:
            raise ValueError(
                f"feature {name!r} must not be made of {used[0]!r}, which numbers the events (folds.by); drop it from "
                "data.features"
            )


def _texts(features: Any) -> tuple[str, ...]:
    return (features,) if isinstance(features, str) else tuple(features or ())


def _columns(text: str) -> tuple[str, ...]:
    """The columns of an expression; a text that is none is judged where it is read."""
    try:
        return parse(text).columns
    except ValueError:
        return ()


def carrying(data: Data, columns: tuple[str, ...]) -> Data:
    """The loader with these columns among its spectators; a loader without such a setting as it is."""
    if not is_dataclass(data) or "spectators" not in {field.name for field in fields(data) if field.init}:
        return data
    spectators: Any = data.spectators
    missing = [name for name in columns if name not in spectators]
    if not missing:
        return data
    if isinstance(spectators, Mapping):
        added: Any = {**spectators, **{name: name for name in missing}}
    else:
        added = (*spectators, *missing)
    changed: Data = replace(data, spectators=added)
    return changed

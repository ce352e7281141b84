"""Trainings of one configuration that differ in seeds and folds alone: how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hepclf.comparison.entry import Entry
from hepclf.comparison.labels import flat, labels
from hepclf.evaluation.compare import GRID, Contender
from hepclf.evaluation.curves.spread import Spread, spread

VARIED = ("seed", "fold")


class Repeated(NamedTuple):
    """What the trainings of a group are called together, their names, and their spread on test."""

    name: str
    runs: tuple[str, ...]
    spread: Spread

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: what could not be had is None."""
        of = self.spread
        curves = {"signal_efficiency": of.targets, "background_efficiency": of.mean, "deviation": of.apart}
        return {
            "name": self.name,
            "runs": list(self.runs),
            "auc": of.area.to_dict(),
            "auc_deviation": of.deviation.to_dict(),
            "auc_own_error": of.own_error,
            "curve": {name: [_plain(one) for one in column.tolist()] for name, column in curves.items()},
        }


def repeated(entries: Mapping[str, Entry], contenders: Sequence[Contender]) -> tuple[Repeated, ...]:
    """The groups of two trainings or more with an area on test, in the order of the contenders."""
    groups: dict[frozenset[tuple[str, str]], list[Contender]] = {}
    for one in contenders:
        if one.test.value is not None:
            groups.setdefault(_shared(entries[one.name]), []).append(one)
    several = [group for group in groups.values() if len(group) > 1]
    called = labels([entries[group[0].name] for group in several]) if several else []
    return tuple(_spread(name, group) for name, group in zip(called, several, strict=True))


def _shared(of: Entry) -> frozenset[tuple[str, str]]:
    """What a training is but for its seeds and its fold, and for how it is judged."""
    settings = flat("", of.config)
    return frozenset(
        (key, value)
        for key, value in settings
        if key.rpartition(".")[2] not in VARIED and not key.startswith("evaluation.")
    )


def _spread(name: str, group: Sequence[Contender]) -> Repeated:
    kept, errors = np.stack([one.kept for one in group]), np.stack([one.kept_error for one in group])
    found = spread([one.test for one in group], kept, errors, GRID)
    return Repeated(name, tuple(one.name for one in group), found)


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None

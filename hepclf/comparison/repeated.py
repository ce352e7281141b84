"""Trainings of one configuration: copies, and those that differ in seeds and folds and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hepclf.comparison.contenders import GRID, Contender, differing
from hepclf.comparison.entry import Entry
from hepclf.comparison.labels import group_labels, settings_of
from hepclf.statistics.curves.spread import Spread, training_spread

VARIED = ("seed", "fold")
# Settings that change how fast a training runs or where its files lie, and not its result.
IDLE = ("device", "threads", "cache", "cache_gb")
# What a configuration holds in the place of data that it cannot describe, without spaces as all settings here.
NO_RECIPE = "which is not a recipe".replace(" ", "")
SAME_SCORES = 1e-6


class Repeated(NamedTuple):
    """What the trainings of a group are called together, their names, and their spread on test."""

    name: str
    runs: tuple[str, ...]
    spread: Spread

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: what could not be had is None."""
        scatter = self.spread
        curves = {
            "signal_efficiency": scatter.targets,
            "background_efficiency": scatter.mean,
            "deviation": scatter.scatter,
        }
        return {
            "name": self.name,
            "runs": list(self.runs),
            "auc": scatter.area.to_dict(),
            "auc_deviation": scatter.deviation.to_dict(),
            "auc_own_error": scatter.own_error,
            "curve": {name: [_plain(value) for value in column.tolist()] for name, column in curves.items()},
        }


def copies(entries: Sequence[Entry], contenders: Sequence[Contender]) -> dict[int, int]:
    """The trainings that repeat an earlier one with equal configuration and seed: the index of the earlier one.

    Results that agree to rounding alone, as on another machine, make no other training. The configuration decides,
    but for data that it does not describe: events in memory, and files whose contents have changed.
    """
    originals: dict[frozenset[tuple[str, str]], list[int]] = {}
    earlier = {}
    for index, entry in enumerate(entries):
        alike = originals.setdefault(_training(entry), [])
        for original in alike:
            if _same_data(entry, contenders[index], contenders[original]):
                earlier[index] = original
                break
        else:
            alike.append(index)
    return earlier


def repeated(entries: Mapping[str, Entry], contenders: Sequence[Contender]) -> tuple[Repeated, ...]:
    """The groups of two trainings or more with an area on test, in the order of the contenders; copies count once."""
    groups: dict[frozenset[tuple[str, str]], list[Contender]] = {}
    for contender in contenders:
        if contender.test.value is not None and contender.copy_of is None:
            choice = frozenset(pair for pair in _training(entries[contender.name]) if not _seed_or_fold(pair[0]))
            groups.setdefault(choice, []).append(contender)
    names = group_labels([[entries[run.name] for run in group] for group in groups.values()], _unnamed)
    return tuple(_spread(name, group) for name, group in zip(names, groups.values(), strict=True) if len(group) > 1)


def _training(entry: Entry) -> frozenset[tuple[str, str]]:
    """What decides the result of a training: its features, and its settings but for those of speed and evaluation."""
    deciding = {key: value for key, value in settings_of(entry).items() if not _without_effect(key)}
    return frozenset({**deciding, "features": ",".join(entry.features)}.items())


def _without_effect(key: str) -> bool:
    return key.rpartition(".")[2] in IDLE or key.startswith(("evaluation.", "names."))


def _seed_or_fold(key: str) -> bool:
    return key.rpartition(".")[2] in VARIED


def _unnamed(key: str) -> bool:
    return _without_effect(key) or _seed_or_fold(key)


def _same_data(entry: Entry, contender: Contender, original: Contender) -> bool:
    if differing(contender, original) is not None:
        return False
    if not any(NO_RECIPE in value for value in settings_of(entry).values()):
        return True
    return bool(np.allclose(contender.events.scores, original.events.scores, rtol=0, atol=SAME_SCORES))


def _spread(name: str, group: Sequence[Contender]) -> Repeated:
    kept, errors = np.stack([run.kept for run in group]), np.stack([run.kept_error for run in group])
    scatter = training_spread([run.test for run in group], kept, errors, GRID)
    return Repeated(name, tuple(run.name for run in group), scatter)


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None

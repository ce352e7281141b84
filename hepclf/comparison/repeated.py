"""Trainings of one configuration: copies, and those that differ only in seeds and folds, with their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hepclf.comparison.contenders import GRID, Contender
from hepclf.comparison.differences import differing_property
from hepclf.comparison.entry import RunEntry
from hepclf.comparison.labels import group_labels, settings_of
from hepclf.statistics.curves.spread import Spread, training_spread

VARIED = ("seed", "fold")
# Settings that change the speed of a training or the place of its files, but not its result.
IDLE = ("device", "threads", "cache", "cache_gb")
# The text in a configuration in place of data that it cannot describe, without spaces like all settings here.
NO_RECIPE = "which is not a recipe".replace(" ", "")
SAME_SCORES = 1e-6


class Repeated(NamedTuple):
    """The name of a group of trainings, the names of its runs, and their spread on test."""

    name: str
    runs: tuple[str, ...]
    spread: Spread

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: None for what could not be computed."""
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


def copies(entries: Sequence[RunEntry], contenders: Sequence[Contender]) -> dict[int, int]:
    """The trainings that repeat an earlier one with equal configuration and seed: the index of the earlier one.

    Results that agree only up to rounding, as on another machine, still count as one training. The configuration
    decides, except for data that it does not describe: events in memory, and files whose contents have changed.
    """
    trainings: dict[frozenset[tuple[str, str]], list[int]] = {}
    originals = {}
    for index, entry in enumerate(entries):
        same_settings = trainings.setdefault(_training(entry), [])
        for original in same_settings:
            if _same_data(entry, contenders[index], contenders[original]):
                originals[index] = original
                break
        else:
            same_settings.append(index)
    return originals


def repeated(entries: Mapping[str, RunEntry], contenders: Sequence[Contender]) -> tuple[Repeated, ...]:
    """The groups of two trainings or more with an area on test, in the order of the contenders; copies count once."""
    groups: dict[frozenset[tuple[str, str]], list[Contender]] = {}
    for contender in contenders:
        if contender.test.value is not None and contender.copy_of is None:
            settings = _training(entries[contender.name])
            choice = frozenset((key, value) for key, value in settings if not _is_seed_or_fold(key))
            groups.setdefault(choice, []).append(contender)
    names = group_labels([[entries[run.name] for run in group] for group in groups.values()], _is_unnamed)
    return tuple(_spread(name, group) for name, group in zip(names, groups.values(), strict=True) if len(group) > 1)


def _training(entry: RunEntry) -> frozenset[tuple[str, str]]:
    """The settings that determine the result of a training: its features, and all but those of speed and evaluation."""
    settings = {key: value for key, value in settings_of(entry).items() if not _is_without_effect(key)}
    return frozenset({**settings, "features": ",".join(entry.features)}.items())


def _is_without_effect(key: str) -> bool:
    return key.rpartition(".")[2] in IDLE or key.startswith(("evaluation.", "names."))


def _is_seed_or_fold(key: str) -> bool:
    return key.rpartition(".")[2] in VARIED


def _is_unnamed(key: str) -> bool:
    return _is_without_effect(key) or _is_seed_or_fold(key)


def _same_data(entry: RunEntry, contender: Contender, original: Contender) -> bool:
    if differing_property(contender, original) is not None:
        return False
    if not any(NO_RECIPE in value for value in settings_of(entry).values()):
        return True
    return bool(np.allclose(contender.events.scores, original.events.scores, rtol=0, atol=SAME_SCORES))


def _spread(name: str, group: Sequence[Contender]) -> Repeated:
    efficiencies = np.stack([run.background_efficiency for run in group])
    errors = np.stack([run.background_efficiency_error for run in group])
    scatter = training_spread([run.test for run in group], efficiencies, errors, GRID)
    return Repeated(name, tuple(run.name for run in group), scatter)


def _plain(value: float) -> float | None:
    if not np.isfinite(value):
        return None
    return value

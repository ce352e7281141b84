"""Many jobs from one command line: it is composed once a choice of the groups, and values are put into that."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hepclf.cli import configs
from hepclf.cli.config import Composed, launch
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.recipes import seed_of

if TYPE_CHECKING:
    from hepclf.workflow.job import Job

RECIPES = ("data", "model", "trainer")


class Composer:
    """Composes a command with settings of its own beside the words that all jobs share."""

    def __init__(self, command: str, words: Sequence[str]) -> None:
        self._command, self._words = command, tuple(words)
        self._composed: dict[tuple[tuple[str, Any], ...], Composed] = {}

    def composed(self, settings: Mapping[str, Any]) -> Composed:
        """The configuration with these settings, as if they stood on the command line."""
        chosen = {key: value for key, value in settings.items() if key in configs.GROUPS}
        base = self._chosen(chosen)
        single = {key: value for key, value in settings.items() if key not in configs.GROUPS}
        return _with(base, single) if single else base

    def _chosen(self, chosen: Mapping[str, Any]) -> Composed:
        key = tuple(sorted(chosen.items()))
        if key not in self._composed:
            words = [word for word in self._words if word.partition("=")[0] not in chosen]
            jobs: list[Composed] = []
            launch(self._command, [*words, *(f"{group}={name}" for group, name in chosen.items())], jobs.append)
            self._composed[key] = jobs[0]
        return self._composed[key]

    def job(self, settings: Mapping[str, Any]) -> Job:
        """The job with these settings."""
        from hepclf.workflow.job import Job

        composed = self.composed(settings)
        values = composed.values
        seed = seed_of(values)
        recipes = {group: composed.recipe(values.get(group), group, seed=seed) for group in RECIPES}
        evaluation = read_evaluation(composed, values.get("evaluation"))
        return Job.of(**recipes, evaluation=evaluation, names=composed.chosen("data", "model"))


def _with(base: Composed, settings: Mapping[str, Any]) -> Composed:
    from omegaconf import OmegaConf, open_dict

    config = copy.deepcopy(base.config)
    with open_dict(config):
        for key, value in settings.items():
            OmegaConf.update(config, key, value, merge=False, force_add=True)
    typed = (f"++{key}={json.dumps(value)}" for key, value in settings.items())  # which Hydra reads as it is meant
    return replace(base, config=config, overrides=(*base.overrides, *typed))

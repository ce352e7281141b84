"""Find values of a sweep with which no job can be trained, before the first job starts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from omegaconf import OmegaConf

from hepclf.cli.config import Composed, put
from hepclf.cli.errors import WRONG, explain
from hepclf.cli.overrides import overrides
from hepclf.cli.plan import plan
from hepclf.cli.recipes import seed_of
from hepclf.workflow.sweep import SweepJob

MOST = 5  # jobs that are composed in full, at some hundredths of a second each
MOST_FAILURES = 100  # jobs that cannot be composed
WITH_ONE_RECIPE = ("data", "model", "trainer")  # groups whose settings are all checked by their recipe


def check_values(
    jobs: Sequence[SweepJob], compose: Callable[[SweepJob], object], is_fine: Callable[[str, str], bool]
) -> None:
    """Raise the error of a value with which no job can be composed.

    Each value is checked once, not each combination: a wrong combination fails as a job of its own.

    compose  composes a job completely
    is_fine  whether a value of a setting is known to be valid without that; used after the first MOST jobs
    """
    composable: set[tuple[str, str]] = set()
    errors: dict[tuple[str, str], Exception] = {}
    tries = failures = 0
    for job in jobs:
        values = job.varied.items() or {("", "")}
        if values <= composable:
            continue
        tries += 1
        if tries <= MOST or not all(is_fine(*value) for value in values - composable):
            try:
                compose(job)
            except Exception as error:
                if explain(error)[1] == WRONG:  # else it may be another one when the job is trained
                    errors |= {value: error for value in values if value not in errors}
                    failures += 1
                    if failures == MOST_FAILURES:
                        break
                    continue
        composable |= values
    refusals = [errors[value] for value in errors if value not in composable]
    if refusals:
        raise refusals[0]


class SettingCheck:
    """Checks single settings against the first job that could be composed; only one recipe of it is built again."""

    def __init__(self, compose: Callable[[SweepJob], Composed]) -> None:
        self._compose = compose
        self._first: Composed | None = None

    def compose(self, job: SweepJob) -> None:
        """Compose a job and build its recipes."""
        composed = self._compose(job)
        plan(composed)
        self._first = self._first or composed

    def is_fine(self, key: str, text: str) -> bool:
        """Whether the recipe of a setting accepts a value; also False if only a complete job can tell."""
        if self._first is None or "$" in text:
            return False
        group = key.partition(".")[0]
        is_used_elsewhere = f"${{{key}}}" in self._text
        try:
            (override,) = overrides([f"{key}={text}"])
            value = override.value()
            if key == "seed":  # of which the recipes have copies
                seed_of({"seed": value})
                return True
            if group not in WITH_ONE_RECIPE or is_used_elsewhere or self._is_stored or isinstance(value, dict):
                return False
            settings = {group: copy.deepcopy(self._values[group])}
            put(settings, key, value)
            self._first.recipe(settings[group], group, seed=seed_of(self._values))
        except Exception:  # the whole job says what is wrong
            return False
        return True

    @cached_property
    def _values(self) -> dict[str, Any]:
        if self._first is None:
            return {}
        return self._first.values

    @cached_property
    def _text(self) -> str:
        return OmegaConf.to_yaml(self._first.config) if self._first else ""

    @property
    def _is_stored(self) -> bool:
        """Whether the recipes are those of another run, with changes."""
        return any(self._values.get(key) for key in ("again", "resume"))

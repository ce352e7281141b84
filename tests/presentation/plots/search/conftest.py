"""Trials of a search to draw."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.presentation.plots.search.table import Goal, Setting, SettingImportance, TrialTable


@pytest.fixture
def goal():
    """A function making an objective of these values, all with the same error."""

    def make(values, *, name="log_loss", error=0.001, maximised=False):
        column = np.asarray(values, dtype=np.float64)
        errors = np.where(np.isfinite(column), error, np.nan)
        return Goal(name=name, values=column, errors=errors, is_maximised=maximised)

    return make


@pytest.fixture
def table(goal):
    """A function making a search whose odd trials have a setting more; one was pruned and one failed."""

    def make(count=12, states=None, objectives=("log_loss",), importance=True, **columns):
        rng = np.random.default_rng(3)
        default = ["pruned" if i == 3 else "failed" if i == 5 else "complete" for i in range(count)]
        states = tuple(default if states is None else states)
        known = np.array([state == "complete" for state in states])
        goals = tuple(
            goal(np.where(known, rng.uniform(0.2, 0.9, count), np.nan), name=name, maximised=name != "log_loss")
            for name in objectives
        )
        odd = np.arange(count) % 2
        settings = (
            Setting(name="rate", values=10 ** rng.uniform(-4, -1, count), low=1e-4, high=0.1, is_log=True),
            Setting(
                name="model", values=odd.astype(float), low=0, high=1, options=("mlp", "a_rather_long_name_of_a_model")
            ),
            Setting(name="depth", values=np.where(odd, 3.0, np.nan), low=2, high=10, is_whole=True),
        )
        lengths = [8 if state == "complete" else 3 for state in states]
        curves = tuple((np.arange(1.0, n + 1), 0.5 + 1 / np.arange(1.0, n + 1)) for n in lengths)
        weights = SettingImportance(values=np.array([0.1, 0.5, 0.0]), errors=np.full(3, 0.02), explained=0.6)
        defaults = {
            "curves": curves,
            "best": goals[0].best if len(goals) == 1 else None,
            "default": 0 if known[:1].any() else None,
            "importance": dict.fromkeys(objectives, weights) if importance else {},
        }
        return TrialTable(
            numbers=np.arange(count), states=states, goals=goals, settings=settings, **{**defaults, **columns}
        )

    return make

"""A study as tables of words, and as the columns that its pictures show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hepclf.presentation.plots.search.table import Array, Goal, Setting, SettingImportance, TrialTable
from hepclf.search.history import StudyHistory
from hepclf.search.importance import ForestImportance
from hepclf.search.sentences import NAMES, objective_words, trial_noise
from hepclf.search.space import Choice, Float, Integer, Parameter
from hepclf.search.trial import STATES, Trial
from hepclf.words import Grid, shortened, time_text

BEST = 10  # trials that a table lists
MAX_WIDTH = 40  # letters of an option

ForestImportances = Sequence[ForestImportance | None]  # of the objectives


def trial_table(history: StudyHistory, importances: ForestImportances = ()) -> TrialTable:
    """The trials as columns; what a trial has no value of is nan."""
    trials = history.trials
    rows = {trial.number: row for row, trial in enumerate(trials)}
    names = history.tuning.objectives
    return TrialTable(
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        states=tuple(trial.state for trial in trials),
        goals=tuple(_goal(history, place) for place in range(len(names))),
        settings=tuple(_setting(parameter, trials) for parameter in history.space.parameters),
        curves=tuple(_curve(history, trial.number) for trial in trials),
        best=None if history.best is None else rows[history.best],
        default=None if history.default is None else rows[history.default],
        front=tuple(rows[number] for number in history.front) if len(names) > 1 else (),
        importance={
            name: _importance(importance)
            for name, importance in zip(names, importances, strict=False)
            if importance is not None
        },
    )


def best_table(history: StudyHistory) -> Grid:
    """The best trials with their settings, and the defaults below them; of two objectives, the front."""
    names = history.tuning.objectives
    present = [
        parameter for parameter in history.space.parameters if any(parameter.name in t.values for t in history.trials)
    ]
    header = ["trial", *(NAMES.get(name, name) for name in names), "time", *(parameter.name for parameter in present)]
    trials = best_trials(history)
    if history.default is not None and history.default not in [trial.number for trial in trials]:
        trials = [*trials, history.trial(history.default)]
    rows = [
        [
            _name(history, trial),
            *(objective_words(history, trial, place) for place in range(len(names))),
            time_text(trial.seconds),
            *(value_text(trial.values[p.name]) if p.name in trial.values else "-" for p in present),
        ]
        for trial in trials
    ]
    title = "the best trials" if len(names) == 1 else "trials that no other one beats in both objectives"
    return Grid(title, header, rows)


def best_trials(history: StudyHistory) -> list[Trial]:
    """The best complete trials, the best one first; of two objectives, those of the front."""
    if len(history.tuning.objectives) > 1:
        return [history.trial(number) for number in history.front[:BEST]]
    sign = -1.0 if history.tuning.maximised[0] else 1.0
    return sorted(history.complete, key=lambda trial: (sign * trial.objectives[0], trial.number))[:BEST]


def space_table(history: StudyHistory, defaults: Mapping[str, Any]) -> Grid:
    """What each setting may be, what it is by default, and what it is in the best trial."""
    best = {} if history.best is None else history.trial(history.best).values
    rows = [
        [
            parameter.name,
            _searched(parameter),
            *(value_text(values[parameter.name]) if parameter.name in values else "-" for values in (defaults, best)),
            " and ".join(f"{name} is {' or '.join(options)}" for name, options in parameter.where.items()) or "-",
        ]
        for parameter in history.space.parameters
    ]
    return Grid("the space of the search", ["setting", "values", "default", "best trial", "only where"], rows)


def states_table(history: StudyHistory) -> Grid:
    """How many trials came to which end, and the time that they took."""
    rows = []
    for state in STATES:
        seconds = [trial.seconds for trial in history.trials if trial.state == state]
        if seconds:
            rows.append([state, str(len(seconds)), time_text(sum(seconds) / len(seconds)), time_text(sum(seconds))])
    return Grid("what became of the trials", ["", "trials", "mean time", "all their time"], rows)


def value_text(value: Any, width: int | None = MAX_WIDTH) -> str:
    """The value of a setting, in four digits; a name or a list in at most so many letters."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if width is None else shortened(text, width)


def _name(history: StudyHistory, trial: Trial) -> str:
    return f"{trial.number}\u00a0(defaults)" if trial.number == history.default else str(trial.number)


def _searched(parameter: Parameter) -> str:
    match parameter:
        case Choice(options=options):
            return f"one of {', '.join(map(value_text, options))}"
        case Float(low=low, high=high, log=log):
            return f"from {value_text(low)} to {value_text(high)}{', logarithmic' if log else ''}"
        case Integer(low=low, high=high, step=step, log=log):
            steps = f" in steps of {step}" if step > 1 else ""
            return f"from {low} to {high}{steps}{', logarithmic' if log else ''}, whole"
    return ""


def _goal(history: StudyHistory, place: int) -> Goal:
    values = [trial.objectives[place] if trial.objectives else np.nan for trial in history.trials]
    errors = [trial_noise(history, trial, place) if trial.objectives else None for trial in history.trials]
    return Goal(
        name=history.tuning.objectives[place],
        values=np.array(values, dtype=np.float64),
        errors=np.array([np.nan if error is None else error for error in errors], dtype=np.float64),
        is_maximised=history.tuning.maximised[place],
    )


def _setting(parameter: Parameter, trials: Sequence[Trial]) -> Setting:
    values = np.array([_position(parameter, trial.values) for trial in trials], dtype=np.float64)
    if isinstance(parameter, Choice):
        options = tuple(option if isinstance(option, str) else json.dumps(option) for option in parameter.options)
        return Setting(name=parameter.name, values=values, low=0, high=len(options) - 1, options=options)
    low, high = map(float, parameter.ends)
    is_log = isinstance(parameter, (Float, Integer)) and parameter.log
    is_whole = isinstance(parameter, Integer)
    return Setting(name=parameter.name, values=values, low=low, high=high, is_log=is_log, is_whole=is_whole)


def _position(parameter: Parameter, values: Mapping[str, Any]) -> float:
    """A number as it is, an option by its position; nan for what the space does not hold."""
    if parameter.name not in values or not parameter.holds(value := values[parameter.name]):
        return np.nan
    return float(parameter.options.index(value)) if isinstance(parameter, Choice) else float(value)


def _curve(history: StudyHistory, number: int) -> tuple[Array, Array]:
    points = np.array(history.curves.get(number, ()), dtype=np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _importance(importance: ForestImportance) -> SettingImportance:
    values, errors = (np.array(column, dtype=np.float64) for column in zip(*importance.settings.values(), strict=True))
    return SettingImportance(values=values, errors=errors, explained=importance.explained)

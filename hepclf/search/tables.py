"""A study as tables of text, and as the columns of its pictures."""

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
from hepclf.search.tuning import loss_sign
from hepclf.words import Grid, shortened, time_text

BEST = 10  # trials that a table lists
MAX_WIDTH = 40  # letters of an option

ForestImportances = Sequence[ForestImportance | None]  # of the objectives


def trial_table(history: StudyHistory, importances: ForestImportances = ()) -> TrialTable:
    """The trials as columns; a missing value is nan."""
    trials = history.trials
    rows: dict[int | None, int] = {trial.number: row for row, trial in enumerate(trials)}
    names = history.tuning.objectives
    front: tuple[int, ...] = ()
    if len(names) > 1:
        front = tuple(rows[number] for number in history.front)
    return TrialTable(
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        states=tuple(trial.state for trial in trials),
        goals=tuple(_goal(history, place) for place in range(len(names))),
        settings=tuple(_setting(parameter, trials) for parameter in history.space.parameters),
        curves=tuple(_curve(history, trial.number) for trial in trials),
        best=rows.get(history.best),
        default=rows.get(history.default),
        front=front,
        importance={
            name: _importance(importance)
            for name, importance in zip(names, importances, strict=False)
            if importance is not None
        },
    )


def best_table(history: StudyHistory) -> Grid:
    """The best trials with their settings, and the defaults below them; for two objectives, the front."""
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
            *(_stated(trial.values, parameter) for parameter in present),
        ]
        for trial in trials
    ]
    title = "the best trials"
    if len(names) > 1:
        title = "trials that no other one beats in both objectives"
    return Grid(title, header, rows)


def best_trials(history: StudyHistory) -> list[Trial]:
    """The best complete trials, the best one first; for two objectives, those of the front."""
    if len(history.tuning.objectives) > 1:
        return [history.trial(number) for number in history.front[:BEST]]
    sign = loss_sign(history.tuning.maximised[0])
    return sorted(history.complete, key=lambda trial: (sign * trial.objectives[0], trial.number))[:BEST]


def space_table(history: StudyHistory, defaults: Mapping[str, Any]) -> Grid:
    """The possible values of each setting, its default and its value in the best trial."""
    best: Mapping[str, Any] = {}
    if history.best is not None:
        best = history.trial(history.best).values
    rows = [
        [
            parameter.name,
            _searched(parameter),
            _stated(defaults, parameter),
            _stated(best, parameter),
            " and ".join(f"{name} is {' or '.join(options)}" for name, options in parameter.where.items()) or "-",
        ]
        for parameter in history.space.parameters
    ]
    return Grid("the space of the search", ["setting", "values", "default", "best trial", "only where"], rows)


def states_table(history: StudyHistory) -> Grid:
    """The number of trials in each state, and their time."""
    rows = []
    for state in STATES:
        seconds = [trial.seconds for trial in history.trials if trial.state == state]
        if seconds:
            rows.append([state, str(len(seconds)), time_text(sum(seconds) / len(seconds)), time_text(sum(seconds))])
    return Grid("what became of the trials", ["", "trials", "mean time", "all their time"], rows)


def value_text(value: Any, width: int | None = MAX_WIDTH) -> str:
    """The value of a setting: a number in four digits, a name or a list in at most `width` letters."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if width is None:
        return _option_text(value)
    return shortened(_option_text(value), width)


def _option_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _stated(values: Mapping[str, Any], parameter: Parameter) -> str:
    """The value of a parameter, `-` where it does not exist."""
    if parameter.name not in values:
        return "-"
    return value_text(values[parameter.name])


def _name(history: StudyHistory, trial: Trial) -> str:
    if trial.number == history.default:
        return f"{trial.number}\u00a0(defaults)"
    return str(trial.number)


def _searched(parameter: Parameter) -> str:
    match parameter:
        case Choice(options=options):
            return f"one of {', '.join(map(value_text, options))}"
        case Float(low=low, high=high, log=log):
            return f"from {value_text(low)} to {value_text(high)}" + ", logarithmic" * log
        case Integer(low=low, high=high, step=step, log=log):
            steps = f" in steps of {step}" * (step > 1)
            return f"from {low} to {high}{steps}" + ", logarithmic" * log + ", whole"
    return ""


def _goal(history: StudyHistory, place: int) -> Goal:
    values, errors = np.full((2, len(history.trials)), np.nan)
    for i, trial in enumerate(history.trials):
        if trial.objectives:
            values[i], error = trial.objectives[place], trial_noise(history, trial, place)
            if error is not None:
                errors[i] = error
    return Goal(
        name=history.tuning.objectives[place],
        values=values,
        errors=errors,
        is_maximised=history.tuning.maximised[place],
    )


def _setting(parameter: Parameter, trials: Sequence[Trial]) -> Setting:
    values = np.array([_position(parameter, trial.values) for trial in trials], dtype=np.float64)
    if isinstance(parameter, Choice):
        options = tuple(map(_option_text, parameter.options))
        return Setting(name=parameter.name, values=values, low=0, high=len(options) - 1, options=options)
    low, high = map(float, parameter.ends)
    is_log = isinstance(parameter, (Float, Integer)) and parameter.log
    is_whole = isinstance(parameter, Integer)
    return Setting(name=parameter.name, values=values, low=low, high=high, is_log=is_log, is_whole=is_whole)


def _position(parameter: Parameter, values: Mapping[str, Any]) -> float:
    """A number, or the index of an option; nan for a value outside the space."""
    if parameter.name not in values or not parameter.holds(value := values[parameter.name]):
        return np.nan
    if isinstance(parameter, Choice):
        return float(parameter.options.index(value))
    return float(value)


def _curve(history: StudyHistory, number: int) -> tuple[Array, Array]:
    points = np.array(history.curves.get(number, ()), dtype=np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _importance(importance: ForestImportance) -> SettingImportance:
    values, errors = (np.array(column, dtype=np.float64) for column in zip(*importance.settings.values(), strict=True))
    return SettingImportance(values=values, errors=errors, explained=importance.explained)

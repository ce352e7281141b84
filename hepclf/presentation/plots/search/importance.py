"""How much each setting matters for an objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import SIZE, TOP, Picture, Series
from hepclf.presentation.plots.search.layout import goal_stem
from hepclf.presentation.plots.search.table import Goal, Setting, SettingImportance, TrialTable
from hepclf.presentation.plots.style import BLACK, BLUE, GREY
from hepclf.words import percent

MAX_SETTINGS = 20
CAPTION = (
    "Permutation importance of each setting for a random forest that predicts the ranks of trials, ±1σ between folds. "
    "The unit is the variance of the ranks; all pruned trials have the last rank. A setting whose error bar reaches 0 "
    "has no significant importance."
)


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """Bars for each objective, the most important setting first."""
    for goal in table.goals:
        importance = table.importance.get(goal.name)
        if importance is None:
            continue
        order = np.argsort(-importance.values, kind="stable")
        values, errors = importance.values[order], importance.errors[order]
        ordered = SettingImportance(values=values, errors=errors, explained=importance.explained)
        settings = [table.settings[row] for row in order]
        stem = goal_stem("importance", table, goal)
        caption = f"{CAPTION} {_explained(importance)}"
        yield Picture(stem, _figure(settings, ordered, goal, title), caption, (_series(settings, ordered),))


def _explained(importance: SettingImportance) -> str:
    if importance.explained <= 0:
        return "All settings together explain none of the variance."
    return f"All settings together explain {percent(importance.explained, 0)} of the variance."


def _figure(settings: Sequence[Setting], importance: SettingImportance, goal: Goal, title: str) -> Figure:
    count = min(len(settings), MAX_SETTINGS)
    figure = Figure(figsize=(SIZE[0], 1.25 + 0.28 * count))
    ax = figure.subplots()
    _bars(ax, importance.values[:count], importance.errors[:count])
    ax.set_yticks(np.arange(count), [one_line(setting.name, 28) for setting in settings[:count]])
    if len(settings) > count:
        title = f"first {count} of {len(settings)}, {title}"
    ax.set_title(title, y=TOP)
    ax.set_xlabel(f"importance for the {goal.label.removesuffix(' on validation')}")
    return figure


def _bars(ax: Axes, values: np.ndarray, errors: np.ndarray) -> None:
    rows = np.arange(len(values))
    ax.barh(rows, values, color=BLUE, alpha=0.75, height=0.7)
    ax.errorbar(values, rows, xerr=errors, fmt="none", ecolor=BLACK, elinewidth=1.1)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.tick_params(axis="y", which="both", left=False, right=False)


def _series(settings: Sequence[Setting], importance: SettingImportance) -> Series:
    names = [setting.name for setting in settings]
    values, errors = importance.values, importance.errors
    return Series("importance", {"setting": names, "importance": values, "importance_error": errors})

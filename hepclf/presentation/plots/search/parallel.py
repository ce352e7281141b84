"""The trials as lines across the settings: parallel coordinates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from hepclf.presentation.plots.label import one_line, wrapped
from hepclf.presentation.plots.picture import TOP, Picture, Series
from hepclf.presentation.plots.search.layout import goal_stem, shown_note
from hepclf.presentation.plots.search.table import MIN_TRIALS, Array, Goal, Setting, TrialTable
from hepclf.presentation.plots.style import GREY, SHARES, VERMILLION

MAX_SETTINGS = 10
MIN_AXES = 2
NOWHERE = -0.16  # height of a setting that is not there
CAPTION = (
    "Each line is a complete trial. The last axis is the objective, with the best value at the top. Darker lines are "
    "better trials; the thick line is the best one."
)


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """The lines of all complete trials, where there are several and more than one setting."""
    for goal in table.goals:
        if goal.is_known.sum() < MIN_TRIALS or len(table.settings) < MIN_AXES:
            continue
        settings = table.ranked(goal)[:MAX_SETTINGS]
        figure = Figure(figsize=(max(1.35 * (len(settings) + 1), 5.6), 4.6))
        ax = figure.subplots()
        _lines(ax, table, goal, settings)
        _axes(ax, settings, goal)
        ax.set_title(title, y=TOP)
        caption = CAPTION
        if any(np.isnan(setting.values[goal.is_known]).any() for setting in settings):
            caption += " A line passes below the axis of a setting that its trial does not have."
        caption += shown_note(len(settings), len(table.settings), "settings")
        yield Picture(goal_stem("parallel", table, goal), figure, caption, (_series(table, goal, settings),))


def heights(setting: Setting) -> Array:
    """The height of each trial on the axis of a setting, 0 to 1; nan where the setting is not there."""
    if setting.options:
        return (setting.values + 0.5) / len(setting.options)
    low, high, values = np.asarray(setting.low), np.asarray(setting.high), setting.values
    if setting.is_log:
        low, high, values = np.log(low), np.log(high), np.log(values)
    if high <= low:
        return np.asarray(values * 0 + 0.5)  # nan stays nan
    return np.asarray((values - low) / (high - low))


def _goal_heights(goal: Goal) -> Array:
    low, high = goal.limits
    heights = (goal.clipped - low) / (high - low)
    if goal.is_maximised:
        return heights
    return 1 - heights


def _lines(ax: Axes, table: TrialTable, goal: Goal, settings: Sequence[Setting]) -> None:
    complete = np.flatnonzero(goal.is_known)
    last = _goal_heights(goal)
    y = np.column_stack([*(np.nan_to_num(heights(setting), nan=NOWHERE) for setting in settings), last])
    order = complete[np.argsort(last[complete], kind="stable")]
    segments = [np.column_stack([np.arange(y.shape[1]), y[row]]) for row in order]
    share = np.linspace(0, 1, len(order)) ** 2
    lines = LineCollection(segments, colors=SHARES(0.2 + 0.8 * share), linewidths=0.9, alpha=0.7, capstyle="round")
    ax.add_collection(lines)
    if table.best is not None:
        ax.plot(np.arange(y.shape[1]), y[table.best], color=VERMILLION, linewidth=2.4)


def _axes(ax: Axes, settings: Sequence[Setting], goal: Goal) -> None:
    bottom, top = goal.limits
    if not goal.is_maximised:
        bottom, top = top, bottom
    for x in range(len(settings) + 1):
        ax.axvline(x, ymin=-NOWHERE / (1.08 - NOWHERE), color=GREY, linewidth=1, zorder=3)
    for x, setting in enumerate(settings):
        if setting.options:
            for i, text in enumerate(setting.options):
                _word(ax, x, (i + 0.5) / len(setting.options), one_line(text, 12))
        else:
            _word(ax, x, 0, f"{setting.low:.4g}")
            _word(ax, x, 1, f"{setting.high:.4g}")
    _word(ax, len(settings), 1, f"{top:.4g}")
    _word(ax, len(settings), 0, f"{bottom:.4g}")
    names = [wrapped(setting.name.replace(".", ". "), 14).replace(". ", ".") for setting in settings]
    ax.set_xticks(range(len(names) + 1), [*names, wrapped(goal.label, 14)], fontsize=9)
    ax.set_yticks([])
    ax.minorticks_off()
    ax.set(xlim=(-0.4, len(settings) + 0.4), ylim=(NOWHERE - 0.04, 1.08))
    ax.tick_params(axis="x", length=0, top=False)
    for side in ax.spines.values():
        side.set_visible(False)


def _word(ax: Axes, x: float, y: float, text: str) -> None:
    """A label on an axis, on white, so that lines do not hide it."""
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
    ax.annotate(text, (x, y), ha="center", va="center", fontsize=8.5, bbox=box, zorder=6)


def _series(table: TrialTable, goal: Goal, settings: Sequence[Setting]) -> Series:
    columns = {"trial": table.numbers, goal.name: goal.values}
    return Series("parallel", columns | {setting.name: setting.words for setting in settings})

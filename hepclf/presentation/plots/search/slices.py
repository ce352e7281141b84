"""The objective against each setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from hepclf.presentation.plots.label import one_line, wrapped
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.search.layout import goal_stem, grid, shown_note
from hepclf.presentation.plots.search.table import MIN_TRIALS, Goal, Setting, TrialTable, scatter
from hepclf.presentation.plots.style import BLACK, ORANGE, SHARES, VERMILLION

MAX_PANELS = 12
COLUMNS = 3
CAPTION = (
    "Objective of each complete trial against each setting. Darker points are later trials; the star is the best "
    "trial, the open square has the default settings. A triangle is a trial outside the range of the axis."
)


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """A panel a setting, the most important first, for each objective."""
    for goal in table.goals:
        if goal.is_known.sum() < MIN_TRIALS or not table.settings:
            continue
        settings = table.ranked(goal)
        figure = _figure(table, goal, settings[:MAX_PANELS], title)
        caption = CAPTION + shown_note(MAX_PANELS, len(settings), "settings")
        yield Picture(goal_stem("slices", table, goal), figure, caption, (_series(table, goal),))


def _figure(table: TrialTable, goal: Goal, settings: Sequence[Setting], title: str) -> Figure:
    figure, axes = grid(len(settings), COLUMNS, goal, title, panel=(2.9, 2.6), margin=0.9)
    for ax, setting in zip(axes, settings, strict=True):
        _panel(ax, table, goal, setting)
    return figure


def _panel(ax: Axes, table: TrialTable, goal: Goal, setting: Setting) -> None:
    x = setting.values + scatter(len(setting.values), 0.5 * bool(setting.options))
    drawn = np.isfinite(x) & goal.is_known
    _points(ax, table, goal, x, drawn & ~goal.is_beyond, "o")
    _points(ax, table, goal, x, drawn & goal.is_beyond, goal.beyond_marker)
    for row, marker, colour in ((table.default, "s", "none"), (table.best, "*", ORANGE)):
        if row is not None and drawn[row]:
            edge = VERMILLION
            if row == table.best:
                edge = BLACK
            place = x[row], goal.clipped[row]
            ax.scatter(*place, s=110, c=colour, marker=marker, edgecolors=edge, linewidths=1.2, zorder=5)
    ax.set_ylim(goal.limits)
    set_scale(ax, setting)


def _points(
    ax: Axes, table: TrialTable, goal: Goal, x: NDArray[np.float64], rows: NDArray[np.bool_], mark: str
) -> None:
    size = 20
    if rows.sum() >= 200:
        size = 10
    ax.scatter(
        x[rows],
        goal.clipped[rows],
        s=size,
        c=0.3 + 0.7 * table.numbers[rows] / max(table.numbers.max(), 1),
        marker=mark,
        cmap=SHARES,
        vmin=0,
        vmax=1,
        alpha=0.85,
        linewidths=0,
        clip_on=False,
    )


def set_scale(ax: Axes, setting: Setting) -> None:
    """Let the x axis show a setting: its interval, or its options."""
    ax.set_xlabel(one_line(setting.name, 30), fontsize=10.5)
    if setting.options:
        labels = [wrapped(text, 11, 2) or "''" for text in setting.options]
        is_crowded = len(labels) > 3 or max(map(len, setting.options)) > 12
        if is_crowded:
            labels = [one_line(text, 16) for text in setting.options]
        ax.set_xticks(range(len(labels)), labels, rotation=35 * is_crowded, fontsize=9)
        if is_crowded:
            ax.tick_params(axis="x", labelrotation=35)
            for label in ax.get_xticklabels():
                label.set_horizontalalignment("right")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(-0.6, len(labels) - 0.4)
    elif setting.is_log:
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        low_step = high_step = (setting.high / setting.low) ** 0.04
        if low_step <= 1:
            high_step = 1.1
        ax.set_xlim(setting.low / low_step, setting.high * high_step)
    else:
        margin = 0.04 * (setting.high - setting.low) or 0.5
        ax.set_xlim(setting.low - margin, setting.high + margin)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=setting.is_whole, steps=[1, 2, 5, 10]))


def _series(table: TrialTable, goal: Goal) -> Series:
    columns = {"trial": table.numbers, goal.name: goal.values}
    return Series("slices", columns | {setting.name: setting.words for setting in table.settings})

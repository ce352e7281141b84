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
from hepclf.presentation.plots.search.layout import grid
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
    for i, goal in enumerate(table.goals):
        if goal.is_known.sum() < MIN_TRIALS or not table.settings:
            continue
        settings = table.ranked(goal)
        figure = _figure(table, goal, settings[:MAX_PANELS], title)
        more = f" The first {MAX_PANELS} of {len(settings)} settings are drawn." if len(settings) > MAX_PANELS else ""
        stem = "slices" if i == 0 else f"slices_{goal.name}"
        yield Picture(stem, figure, CAPTION + more, (_series(table, goal),))


def _figure(table: TrialTable, goal: Goal, settings: Sequence[Setting], title: str) -> Figure:
    figure, axes = grid(len(settings), COLUMNS, goal, title, panel=(2.9, 2.6), margin=0.9)
    for ax, setting in zip(axes, settings, strict=True):
        _panel(ax, table, goal, setting)
    return figure


def _panel(ax: Axes, table: TrialTable, goal: Goal, setting: Setting) -> None:
    x = setting.values + scatter(len(setting.values), 0.5 if setting.options else 0)
    drawn = np.isfinite(x) & goal.is_known
    _points(ax, table, goal, x, drawn & ~goal.is_beyond, "o")
    _points(ax, table, goal, x, drawn & goal.is_beyond, "v" if goal.is_maximised else "^")
    for row, marker, colour in ((table.default, "s", "none"), (table.best, "*", ORANGE)):
        if row is not None and drawn[row]:
            edge = BLACK if row == table.best else VERMILLION
            place = x[row], goal.clipped[row]
            ax.scatter(*place, s=110, c=colour, marker=marker, edgecolors=edge, linewidths=1.2, zorder=5)
    ax.set_ylim(goal.limits)
    set_scale(ax, setting)


def _points(
    ax: Axes, table: TrialTable, goal: Goal, x: NDArray[np.float64], rows: NDArray[np.bool_], mark: str
) -> None:
    ax.scatter(
        x[rows],
        goal.clipped[rows],
        s=20 if rows.sum() < 200 else 10,
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
        is_crowded = len(setting.options) > 3 or max(map(len, setting.options)) > 12
        labels = [one_line(text, 16) if is_crowded else wrapped(text, 11, 2) or "''" for text in setting.options]
        ax.set_xticks(range(len(labels)), labels, rotation=35 if is_crowded else 0, fontsize=9)
        if is_crowded:
            ax.tick_params(axis="x", labelrotation=35)
            for label in ax.get_xticklabels():
                label.set_horizontalalignment("right")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(-0.6, len(labels) - 0.4)
    elif setting.is_log:
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        step = (setting.high / setting.low) ** 0.04
        ax.set_xlim(setting.low / step, setting.high * step if step > 1 else setting.high * 1.1)
    else:
        margin = 0.04 * (setting.high - setting.low) or 0.5
        ax.set_xlim(setting.low - margin, setting.high + margin)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=setting.is_whole, steps=[1, 2, 5, 10]))


def _series(table: TrialTable, goal: Goal) -> Series:
    columns = {"trial": table.numbers, goal.name: goal.values}
    return Series("slices", columns | {setting.name: setting.words for setting in table.settings})

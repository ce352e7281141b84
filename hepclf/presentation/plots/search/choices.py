"""The objective of the trials with each option of a choice, as violins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.search.layout import goal_stem, grid, shown_note
from hepclf.presentation.plots.search.slices import set_scale
from hepclf.presentation.plots.search.table import MIN_TRIALS, Array, Goal, Setting, TrialTable, scatter
from hepclf.presentation.plots.style import BLACK, BLUE, VERMILLION

MAX_PANELS = 6
COLUMNS = 2
MIN_VIOLIN = 5  # trials that give a violin; fewer are points alone
CAPTION = (
    "Objective of the complete trials for each option of a setting. Each point is a trial; the line is their median, "
    "the number above is their count. The search tries good options more often."
)

BEYOND = " Triangles are trials outside the range of the axis: violins leave them out, medians include them."


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """A panel for each choice, the most important first, for each objective."""
    for goal in table.goals:
        choices = [setting for setting in table.ranked(goal) if setting.options]
        if goal.is_known.sum() < MIN_TRIALS or not choices:
            continue
        figure = _figure(goal, choices[:MAX_PANELS], title)
        more = shown_note(MAX_PANELS, len(choices), "settings")
        if goal.is_beyond.any():
            more += BEYOND
        stem = goal_stem("choices", table, goal)
        yield Picture(stem, figure, CAPTION + more, tuple(_series(table, goal, choices)))


def _figure(goal: Goal, choices: Sequence[Setting], title: str) -> Figure:
    figure, axes = grid(len(choices), COLUMNS, goal, title, panel=(4.0, 3.0), margin=1.2)
    for ax, setting in zip(axes, choices, strict=True):
        _panel(ax, goal, setting)
    return figure


def _panel(ax: Axes, goal: Goal, setting: Setting) -> None:
    for place in range(len(setting.options)):
        rows = (setting.values == place) & goal.is_known
        _violin(ax, place, goal.values[rows & ~goal.is_beyond])
        _points(ax, place, goal, np.flatnonzero(rows))
    set_scale(ax, setting)
    ax.tick_params(axis="x", top=False)
    ax.set_ylim(goal.limits)


def _points(ax: Axes, place: int, goal: Goal, rows: NDArray[np.int64]) -> None:
    """The trials with an option, their median, and above it their number."""
    x, is_beyond = place + scatter(len(rows), 0.3), goal.is_beyond[rows]
    for mask, marker in ((~is_beyond, "o"), (is_beyond, goal.beyond_marker)):
        if mask.any():  # markers without points stretch the panel to the corner of the figure
            ax.plot(x[mask], goal.clipped[rows][mask], marker, color=BLUE, markersize=3, alpha=0.7, clip_on=False)
    if len(rows):
        median = np.median(goal.clipped[rows])
        ax.plot([place - 0.3, place + 0.3], [median, median], color=VERMILLION, linewidth=1.8)
    above = ax.get_xaxis_transform()
    ax.text(place, 1.02, str(len(rows)), ha="center", va="bottom", fontsize=8.5, transform=above)


def _violin(ax: Axes, place: int, values: Array) -> None:
    if len(values) < MIN_VIOLIN or np.ptp(values) <= 0:
        return
    parts = ax.violinplot([values], [place], widths=0.8, showextrema=False)
    for body in np.atleast_1d(np.asarray(parts["bodies"], dtype=object)):
        body.set(facecolor=BLUE, alpha=0.25, edgecolor=BLACK, linewidth=0.6)


def _series(table: TrialTable, goal: Goal, choices: Sequence[Setting]) -> Iterator[Series]:
    for setting in choices:
        rows = np.flatnonzero(np.isfinite(setting.values) & goal.is_known)
        options = [setting.options[int(setting.values[row])] for row in rows]
        yield Series(setting.name, {"option": options, "trial": table.numbers[rows], goal.name: goal.values[rows]})

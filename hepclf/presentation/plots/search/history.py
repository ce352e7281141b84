"""The objective of each trial, and the best so far."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hepclf.presentation.plots.picture import SIZE, Picture, Series
from hepclf.presentation.plots.search.layout import finish, goal_stem
from hepclf.presentation.plots.search.table import Array, Goal, TrialTable, show_goal
from hepclf.presentation.plots.style import BLACK, BLUE, GREY, ORANGE, VERMILLION

MAX_BARS = 100  # with more trials, the bars of their errors would hide them
RUGS = {"pruned": ("|", GREY, "pruned"), "failed": ("x", VERMILLION, "failed")}


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """A picture of each objective over the trials."""
    for goal in table.goals:
        if goal.best is None:
            continue
        figure = Figure(figsize=(SIZE[0], 4.6))
        ax = figure.subplots()
        _draw(ax, table, goal)
        finish(figure, ax, title)
        yield Picture(goal_stem("history", table, goal), figure, _caption(table, goal), (_series(table, goal),))


def best_so_far(goal: Goal) -> Array:
    """The best value up to each trial [t]; nan before the first."""
    better = np.fmax if goal.is_maximised else np.fmin
    return np.asarray(better.accumulate(goal.values), dtype=np.float64)


def _draw(ax: Axes, table: TrialTable, goal: Goal) -> None:
    inside, numbers = goal.is_known & ~goal.is_beyond, table.numbers
    bars = None
    if inside.sum() <= MAX_BARS and np.isfinite(goal.errors).any():
        bars = np.nan_to_num(goal.errors[inside])
    ax.errorbar(
        numbers[inside],
        goal.values[inside],
        yerr=bars,
        fmt="o",
        color=BLUE,
        markersize=4,
        elinewidth=0.8,
        alpha=0.75,
        label="complete",
    )
    ax.step(numbers, best_so_far(goal), where="post", color=BLACK, linewidth=1.3, label="best so far")
    _mark(ax, table, goal)
    show_goal(ax, goal)
    _rugs(ax, table, goal)
    ax.set_xlabel("trial")
    ax.set_xlim(numbers.min() - 1, numbers.max() + 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _mark(ax: Axes, table: TrialTable, goal: Goal) -> None:
    """A line at the defaults, and a star on the best."""
    if table.default is not None:
        level = goal.values[table.default]
        ax.axhline(level, color=VERMILLION, linestyle="--", linewidth=1, label="defaults")
    if table.best is not None:
        place = table.numbers[table.best], goal.values[table.best]
        ax.plot(*place, "*", color=ORANGE, markeredgecolor=BLACK, markersize=14, zorder=5, label="best")


def _rugs(ax: Axes, table: TrialTable, goal: Goal) -> None:
    """Trials without an objective, and those beyond the axis, along its poor end."""
    height = 0.02 if goal.is_maximised else 0.98  # fraction of the axis
    transform = ax.get_xaxis_transform()
    for state, (marker, colour, label) in RUGS.items():
        numbers = table.numbers[table.has_state(state)]
        if len(numbers):
            ax.plot(
                numbers,
                np.full(len(numbers), height),
                marker,
                color=colour,
                markersize=6,
                transform=transform,
                label=label,
            )
    if goal.is_beyond.any():
        numbers = table.numbers[goal.is_beyond]
        ax.plot(
            numbers,
            np.full(len(numbers), height),
            goal.beyond_marker,
            color=BLUE,
            fillstyle="none",
            markersize=5,
            transform=transform,
            label="outside the axis range",
        )


def _caption(table: TrialTable, goal: Goal) -> str:
    order = "Higher" if goal.is_maximised else "Lower"
    caption = f"Objective of each trial, and the best value so far. {order} is better."
    if 0 < np.isfinite(goal.errors).sum() <= MAX_BARS:
        caption += " Bars are standard errors."
    if set(table.states) & set(RUGS):
        caption += " Marks at the edge are pruned or failed trials."
    return caption


def _series(table: TrialTable, goal: Goal) -> Series:
    return Series(
        "history",
        {
            "trial": table.numbers,
            "state": table.states,
            goal.name: goal.values,
            f"{goal.name}_error": goal.errors,
            "best_so_far": best_so_far(goal),
        },
    )

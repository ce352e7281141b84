"""Figures of a search: one panel with its legend below, or a grid of panels that share the objective's axis."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hepclf.presentation.plots.picture import TOP
from hepclf.presentation.plots.search.table import Goal, TrialTable, plain_numbers

LEGEND_COLUMNS = 3


def goal_stem(stem: str, table: TrialTable, goal: Goal) -> str:
    """The stem of a picture of one objective; for a second objective it ends in its name."""
    if goal is table.goals[0]:
        return stem
    return f"{stem}_{goal.name}"


def shown_note(shown: int, total: int, noun: str) -> str:
    """The sentence of a caption that says how many of several are drawn; empty where all are."""
    if shown >= total:
        return ""
    return f" The first {shown} of {total} {noun} are drawn."


def finish(figure: Figure, ax: Axes, title: str) -> None:
    """Give a figure of one panel its title, and its legend below."""
    ax.set_title(title, y=TOP)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=LEGEND_COLUMNS)


def grid(
    count: int, columns: int, goal: Goal, title: str, *, panel: tuple[float, float], margin: float
) -> tuple[Figure, NDArray[Any]]:
    """A figure with `count` panels, and the panels [count].

    columns  largest number of panels side by side
    panel    width and height of each, in inches; `margin` is the rest of the figure's width
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(max(panel[0] * columns + margin, 5.2), panel[1] * rows + 0.5))
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_axis_off()
    for ax in axes[::columns]:
        plain_numbers(ax)
        ax.set_ylabel(goal.label.removesuffix(" on validation"))
    figure.suptitle(title, x=0.99, ha="right", fontsize=10, color="#666666")
    return figure, axes[:count]

"""The Pareto front of two objectives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.search.layout import finish
from hepclf.presentation.plots.search.table import TrialTable, show_goal
from hepclf.presentation.plots.style import BLACK, BLUE, ORANGE, VERMILLION

MAX_NUMBERED = 15
CAPTION = (
    "The complete trials in both objectives. The line is the Pareto front: it joins the trials that no other trial "
    "beats in both objectives. The numbers are those of the trials."
)


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """The plane of two objectives with its front."""
    if len(table.goals) != 2 or not table.front:
        return
    figure = Figure(figsize=(6.2, 5.0))
    ax = figure.subplots()
    _draw(ax, table)
    finish(figure, ax, title)
    yield Picture("front", figure, CAPTION, (_series(table),))


def _draw(ax: Axes, table: TrialTable) -> None:
    first, second = table.goals
    ax.plot(first.clipped, second.clipped, "o", color=BLUE, markersize=4, alpha=0.6, clip_on=False, label="complete")
    rows = sorted(table.front, key=lambda row: float(first.values[row]))
    x, y = first.values[rows], second.values[rows]
    step: Literal["pre", "post"] = "pre" if first.is_maximised else "post"
    ax.step(x, y, where=step, color=ORANGE, linewidth=1.4)
    ax.plot(x, y, "o", color=ORANGE, markeredgecolor=BLACK, markersize=7, label="front")
    if len(rows) <= MAX_NUMBERED:
        for row in rows:
            place = first.values[row], second.values[row]
            ax.annotate(str(table.numbers[row]), place, xytext=(6, 5), textcoords="offset points", fontsize=8.5)
    if table.default is not None:
        place = first.clipped[table.default], second.clipped[table.default]
        ax.plot(*place, "s", color=VERMILLION, fillstyle="none", markersize=10, label="defaults")
    show_goal(ax, first, "x")
    show_goal(ax, second, "y")


def _series(table: TrialTable) -> Series:
    first, second = table.goals
    rows = np.flatnonzero(first.is_known & second.is_known)
    columns = {
        first.name: first.values[rows],
        second.name: second.values[rows],
        f"{second.name}_error": second.errors[rows],
        "trial": table.numbers[rows],
        "on_front": np.isin(rows, table.front).astype(np.int64),
    }
    return Series("front", columns)

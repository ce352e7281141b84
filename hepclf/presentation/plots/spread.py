"""Trainings that differ in seeds and folds alone: their rejections and the spread of these."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import TOP
from hepclf.presentation.plots.roc import background_label
from hepclf.presentation.plots.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from hepclf.statistics.curves.spread import Spread

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
MAX_SPREAD = 1.0  # relative; a larger one is not drawn, as it says that nothing is known


def spread_figure(spreads: Mapping[str, Spread], title: str, signal: str | None = None) -> Figure:
    """Each training as a thin line, the band of mean ± standard deviation, and below it the relative spread.

    spreads  by the name of the repeated training
    signal   the signal class, where there are several other classes
    """
    figure = Figure(figsize=(5.2, 5.9))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    for (name, spread), colour in zip(spreads.items(), cycle(COLOURS), strict=False):
        _rejections(top, spread, f"{one_line(name, 40)}: {len(spread.background_efficiency)} trainings", colour)
        _relative(bottom, spread, colour)
    top.set_yscale("log")
    top.yaxis.set_minor_formatter(NullFormatter())
    efficiency = "signal efficiency"
    if signal:
        efficiency = f"efficiency of {one_line(signal, 20)}"
    top.set(ylim=(1, None), ylabel=f"rejection, 1 / {background_label(bool(signal))}")
    top.legend(loc="upper right")
    top.set_title(title, y=TOP)
    handles = [
        Line2D([], [], color="black", label="standard deviation between trainings"),
        Line2D([], [], color="black", linestyle=":", label="statistical uncertainty of one training"),
    ]
    figure.legend(handles=handles, loc="outside lower left", title="relative spread", alignment="left")
    bottom.set(xlim=(0, 1), ylim=(0, None), xlabel=efficiency)
    bottom.set_ylabel("relative spread", loc="center")
    figure.align_ylabels()
    return figure


def _rejections(ax: Axes, spread: Spread, label: str, colour: str) -> None:
    for efficiency in spread.background_efficiency:
        positive = efficiency > 0
        ax.plot(spread.targets[positive], 1 / efficiency[positive], color=colour, linewidth=0.6, alpha=0.7)
    low, high = spread.mean - spread.scatter, spread.mean + spread.scatter
    x, positive = spread.targets, low > 0
    ax.fill_between(
        x[positive], 1 / high[positive], 1 / low[positive], color=colour, alpha=0.25, linewidth=0, label=label
    )


def _relative(ax: Axes, spread: Spread, colour: str) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation, statistical = spread.scatter / spread.mean, np.sqrt((spread.errors**2).mean(axis=0)) / spread.mean
    for values, dashes in ((deviation, "-"), (statistical, ":")):
        ax.plot(spread.targets, np.where(values < MAX_SPREAD, values, np.nan), color=colour, linestyle=dashes)

"""Trainings that differ in seeds and folds alone: their rejections, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from hepclf.presentation.plots.label import plain
from hepclf.presentation.plots.picture import TOP
from hepclf.presentation.plots.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from hepclf.statistics.curves.spread import Spread

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
MOST = 1.0  # a relative spread above this says that nothing is known


def spread(of: Mapping[str, Spread], title: str, rest_of: str | None = None) -> Figure:
    """Each training as a thin line, the band of mean ± standard deviation, and below it the relative spread.

    rest_of  the class that stands against several others
    """
    figure = Figure(figsize=(5.2, 5.9))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    for (name, one), colour in zip(of.items(), cycle(COLOURS), strict=False):
        _rejections(top, one, f"{plain(name, 40)}: {len(one.background_efficiency)} trainings", colour)
        _relative(bottom, one, colour)
    top.set_yscale("log")
    top.yaxis.set_minor_formatter(NullFormatter())
    top.set(ylim=(1, None), ylabel=f"rejection, 1 / {'efficiency of the rest' if rest_of else 'background efficiency'}")
    top.legend(loc="upper right")
    top.set_title(title, y=TOP)
    handles = [
        Line2D([], [], color="black", label="standard deviation between trainings"),
        Line2D([], [], color="black", linestyle=":", label="statistical uncertainty of one"),
    ]
    figure.legend(handles=handles, loc="outside lower left", title="relative spread", alignment="left")
    bottom.set(
        xlim=(0, 1), ylim=(0, None), xlabel=f"efficiency of {plain(rest_of, 20)}" if rest_of else "signal efficiency"
    )
    bottom.set_ylabel("relative spread", loc="center")
    figure.align_ylabels()
    return figure


def _rejections(ax: Axes, of: Spread, label: str, colour: str) -> None:
    for kept in of.background_efficiency:
        some = kept > 0
        ax.plot(of.targets[some], 1 / kept[some], color=colour, linewidth=0.6, alpha=0.7)
    low, high = of.mean - of.scatter, of.mean + of.scatter
    some = low > 0
    ax.fill_between(of.targets[some], 1 / high[some], 1 / low[some], color=colour, alpha=0.25, linewidth=0, label=label)


def _relative(ax: Axes, of: Spread, colour: str) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        apart, own = of.scatter / of.mean, np.sqrt((of.errors**2).mean(axis=0)) / of.mean
    for values, dashes in ((apart, "-"), (own, ":")):
        ax.plot(of.targets, np.where(values < MOST, values, np.nan), color=colour, linestyle=dashes)

"""The ROC curve, and the lines that it shares with the rejection."""

from __future__ import annotations

from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.results import SplitResults
from hepclf.presentation.plots.label import plain, with_error
from hepclf.presentation.plots.style import BLUE, DASHES, GREY, VERMILLION, colours
from hepclf.statistics.curves.roc import Roc

ONE_VS_REST = "one class against the rest"


class Line(NamedTuple):
    """A curve and how it is drawn."""

    of: Roc
    label: str
    colour: str
    dashes: str


def lines(split: SplitResults, name: str, signal: str) -> list[Line]:
    """The curves of a split: one of two classes, with the best possible where it is known; else one a class."""
    if split.one_vs_rest:
        palette = colours(tuple(split.one_vs_rest), signal)
        styled = zip(split.one_vs_rest.items(), cycle(DASHES), strict=False)
        return [Line(of.roc, plain(c, 20), palette[c], dashes) for (c, of), dashes in styled if of.roc]
    found = [Line(split.roc, name, BLUE, "-")] if split.roc else []
    return found + ([Line(split.optimal, "best possible", GREY, "--")] if split.optimal else [])


def roc(ax: Axes, split: SplitResults, *, name: str = "test", signal: str = "signal") -> None:
    """What is kept of the signal against what is removed of the background.

    The signal efficiency is on x, as in the rejection, its companion, so that a working point is read at the
    same place in both; y is one minus the background efficiency (TMVA's convention), so that better is up and
    right, and the area under the line as it is drawn is the AUC of the legend. The band is one standard error.
    """
    for line in lines(split, name, signal):
        label = f"{line.label}: AUC {with_error(line.of.area)}"
        x, y, error = line.of.signal_efficiency, 1 - line.of.background_efficiency, line.of.background_error
        ax.plot(x, y, color=line.colour, linestyle=line.dashes, label=label)
        ax.fill_between(x, y - error, y + error, where=np.isfinite(error), color=line.colour, alpha=0.2, linewidth=0)
    ax.plot([0, 1], [1, 0], color=GREY, linewidth=0.8, linestyle=":")
    if split.operating:
        at, background = split.operating
        label = f"cut {split.threshold:.3g}"
        ax.plot(at, 1 - background, "o", color=VERMILLION, markersize=7, label=label, clip_on=False, zorder=5)
    several = bool(split.one_vs_rest)
    ax.set(xlim=(0, 1), ylim=(0, 1.03), xlabel=efficiency(several))
    ax.set_ylabel("1 − efficiency of the rest" if several else "1 − background efficiency")
    ax.legend(loc="lower left", title=ONE_VS_REST if several else None, alignment="left")


def efficiency(several: bool) -> str:
    """What the x axis of a ROC curve is called."""
    return "efficiency of the class" if several else "signal efficiency"

"""The scores of each class, training over test: where they separate, and whether they were learnt by heart."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.style import BLACK, colours
from hepclf.statistics.shapes.bins import DensityHistogram


def draw_scores(ax: Axes, results: Results, split: str = "test") -> None:
    """The histograms of one split, filled; those of training as points with their errors; the threshold."""
    shown, train = results.splits[split], results.train if split != "train" else None
    learnt = train.histograms if train else {}
    rows = math.ceil((len(shown.histograms) + bool(learnt) + (shown.threshold is not None)) / 2)
    room = 0.07 * rows + 0.05
    for name, colour in colours(results.classes, results.signal).items():
        if name in shown.histograms:
            _bars(ax, shown.histograms[name], one_line(name, 24), colour, fill=len(results.classes) == 2)
        if name in learnt:
            _points(ax, learnt[name], colour)
    if learnt:
        ax.errorbar([], [], [], fmt="o", color=BLACK, markersize=3, elinewidth=1, label=f"points: train, bars: {split}")
    if shown.threshold is not None:
        label = f"cut {shown.threshold:.3g}"
        ax.axvline(shown.threshold, ymax=1 - room, color=BLACK, linestyle="--", linewidth=1.2, label=label)
    ax.set(xlabel=f"probability of {one_line(results.signal, 24)}", ylabel="events, normalised to unit area")
    _limit(ax, [*shown.histograms.values(), *learnt.values()], room)
    ax.legend(loc="upper center", ncols=2, columnspacing=1.2)


def _bars(ax: Axes, of: DensityHistogram, label: str, colour: str, *, fill: bool) -> None:
    if fill:
        ax.stairs(of.density, of.edges, fill=True, color=colour, alpha=0.3)
    ax.stairs(of.density, of.edges, color=colour, linewidth=1.6, label=label)


def _points(ax: Axes, of: DensityHistogram, colour: str) -> None:
    """Only what is above zero: there is no other place on a logarithmic axis."""
    seen = of.density > 0
    centres = (of.edges[1:] + of.edges[:-1])[seen] / 2
    ax.errorbar(centres, of.density[seen], of.error[seen], fmt="o", color=colour, markersize=3, elinewidth=1)


def _limit(ax: Axes, histograms: list[DensityHistogram], room: float) -> None:
    """A logarithmic axis for all that is positive, with room for the legend above."""
    every = np.concatenate([of.density for of in histograms] or [np.ones(1)])
    high = 1.5 * float(every.max())
    low = min(float(every[every > 0].min()) / 2, high / 30)
    ax.set_yscale("log")
    ax.set_ylim(low, low * (high / low) ** (1 / (1 - room)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if histograms:
        ax.set_xlim(histograms[0].edges[0], histograms[0].edges[-1])

"""The scores of each class, training over test: where they separate, and whether they were learnt by heart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.plots.label import plain
from hepclf.evaluation.plots.style import BLACK, colours
from hepclf.evaluation.verdict import Histogram, Verdict


def scores(ax: Axes, verdict: Verdict, split: str = "test") -> None:
    """The histograms of one split, filled; those of training as points with their errors; the threshold."""
    shown, train = verdict.splits[split], verdict.train if split != "train" else None
    for name, colour in colours(verdict.classes, verdict.signal).items():
        if name in shown.histograms:
            _filled(ax, shown.histograms[name], f"{split}: {plain(name, 20)}", colour)
        if train and name in train.histograms:
            _points(ax, train.histograms[name], f"train: {plain(name, 20)}", colour)
    if shown.threshold is not None:
        ax.axvline(shown.threshold, color=BLACK, linestyle="--", linewidth=1.2, label=f"cut {shown.threshold:.3g}")
    ax.set_yscale("log")
    ax.set(xlabel=f"probability of {plain(verdict.signal)}", ylabel="events / bin, unit area")
    _limit(ax, [*shown.histograms.values(), *(train.histograms.values() if train else ())])
    ax.legend(loc="upper center", ncols=2)


def _filled(ax: Axes, of: Histogram, label: str, colour: str) -> None:
    ax.stairs(of.density, of.edges, fill=True, color=colour, alpha=0.3, label=label)
    ax.stairs(of.density, of.edges, color=colour, linewidth=1.4)


def _points(ax: Axes, of: Histogram, label: str, colour: str) -> None:
    seen = of.density > 0
    centres = (of.edges[1:] + of.edges[:-1])[seen] / 2
    ax.errorbar(
        centres, of.density[seen], of.error[seen], fmt="o", color=colour, markersize=3, elinewidth=1, label=label
    )


def _limit(ax: Axes, histograms: list[Histogram]) -> None:
    """Room for all that is positive, and for the legend above."""
    every = np.concatenate([of.density for of in histograms] or [np.ones(1)])
    low, high = every[every > 0].min(), every.max()
    decades = np.log10(high / low) + 0.5
    ax.set_ylim(low / 2, high * 10 ** (0.5 * decades))
    edges = [of.edges for of in histograms] or [np.array([0.0, 1.0])]
    ax.set_xlim(edges[0][0], edges[0][-1])

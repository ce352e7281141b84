"""The distributions of the score in each class, on test and on training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.overtraining import OvertrainingTests
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, colours
from hepclf.presentation.tables import SPLIT_NAMES
from hepclf.statistics.shapes.bins import DensityHistogram

CAPTION = (
    "Distribution of the score, the probability of {signal}, in each class (unit area). Histograms: {split}{points}. "
    "The less the classes overlap, the better the separation."
)
POINTS = "; points: training set, which should agree with it"


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The histograms of the last split."""
    name = list(results.splits)[-1]
    points = ""
    if name != "train" and results.train:
        points = POINTS
    caption = CAPTION.format(signal=results.signal, split=SPLIT_NAMES[name], points=points)
    figure = panel(lambda ax: draw_scores(ax, results, name), title)
    yield Picture("scores", figure, caption, tuple(_series(results, name)))


def draw_scores(ax: Axes, results: Results, split: str = "test") -> None:
    """Draw the histograms of a split, those of training as points with errors, and the threshold."""
    split_results = results.splits[split]
    train_histograms: Mapping[str, DensityHistogram] = {}
    if split != "train" and results.train:
        train_histograms = results.train.histograms
    rows = math.ceil(
        (len(split_results.histograms) + bool(train_histograms) + (split_results.threshold is not None)) / 2
    )
    room = 0.07 * (rows + bool(_agreement(results, split))) + 0.05
    for name, colour in colours(results.classes, results.signal).items():
        if name in split_results.histograms:
            _bars(ax, split_results.histograms[name], one_line(name, 24), colour, fill=len(results.classes) == 2)
        if name in train_histograms:
            _points(ax, train_histograms[name], colour)
    if train_histograms:
        label = "points: training set"
        ax.errorbar([], [], [], fmt="o", color=BLACK, markersize=3, elinewidth=1, label=label)
    if split_results.threshold is not None:
        label = f"cut {split_results.threshold:.3g}"
        ax.axvline(split_results.threshold, ymax=1 - room, color=BLACK, linestyle="--", linewidth=1.2, label=label)
    ax.set(xlabel=f"probability of {one_line(results.signal, 24)}", ylabel="(1/N) dN/dx")
    _set_limits(ax, [*split_results.histograms.values(), *train_histograms.values()], room)
    ax.legend(loc="upper center", ncols=2, columnspacing=1.2, title=_agreement(results, split) or None)


def _agreement(results: Results, split: str) -> str:
    """The p-value of the overtraining study, where training and test are both drawn."""
    finding = results.studies.get("overtraining")
    if split != "test" or not isinstance(finding, OvertrainingTests):
        return ""
    if finding.evidence.p is None:
        return ""
    return f"overtraining: {finding.evidence.test}"


def _bars(ax: Axes, histogram: DensityHistogram, label: str, colour: str, *, fill: bool) -> None:
    if fill:
        ax.stairs(histogram.density, histogram.edges, fill=True, color=colour, alpha=0.3)
    ax.stairs(histogram.density, histogram.edges, color=colour, linewidth=1.6, label=label)


def _points(ax: Axes, histogram: DensityHistogram, colour: str) -> None:
    """Draw the points above zero; others have no place on a logarithmic axis."""
    positive = histogram.density > 0
    centres = (histogram.edges[1:] + histogram.edges[:-1])[positive] / 2
    ax.errorbar(
        centres,
        histogram.density[positive],
        histogram.error[positive],
        fmt="o",
        color=colour,
        markersize=3,
        elinewidth=1,
    )


def _set_limits(ax: Axes, histograms: list[DensityHistogram], room: float) -> None:
    """Make the axis logarithmic over all positive values, with room for the legend above."""
    densities = np.concatenate([histogram.density for histogram in histograms] or [np.ones(1)])
    high = 1.5 * float(densities.max())
    low = min(float(densities[densities > 0].min()) / 2, high / 30)
    ax.set_yscale("log")
    ax.set_ylim(low, low * (high / low) ** (1 / (1 - room)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if histograms:
        ax.set_xlim(histograms[0].edges[0], histograms[0].edges[-1])


def _series(results: Results, split: str) -> Iterator[Series]:
    """The histograms of a split and of training, class by class."""
    for split_name in dict.fromkeys(("train", split)):
        if split_name not in results.splits:
            continue
        for name, histogram in results.splits[split_name].histograms.items():
            columns = {
                "low": histogram.edges[:-1],
                "high": histogram.edges[1:],
                "density": histogram.density,
                "density_error": histogram.error,
            }
            yield Series(f"{name}, {split_name}", columns)

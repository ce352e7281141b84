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
from hepclf.presentation.plots.style import BLACK, GREEN, ORANGE, PURPLE, SKY, colours
from hepclf.presentation.tables import SPLIT_NAMES
from hepclf.statistics.shapes.bins import DensityHistogram

CAPTION = (
    "Distribution of the score, the probability of {signal}, in each class (unit area). Histograms: {split}{notes}. "
    "The less the classes overlap, the better the separation."
)
POINTS = "; points: training set, which should agree with it"
LINES = "; thin lines: the processes of a class, which add up to its histogram"
MOST_LINES = 4  # processes of a class that are drawn, those with most weight
SHADES = (PURPLE, GREEN, ORANGE, SKY)


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The histograms of the last split."""
    name = list(results.splits)[-1]
    notes = POINTS * bool(name != "train" and results.train)
    notes += LINES * any(_lines(results, name).values())
    caption = CAPTION.format(signal=results.signal, split=SPLIT_NAMES[name], notes=notes)
    figure = panel(lambda ax: draw_scores(ax, results, name), title)
    yield Picture("scores", figure, caption, tuple(_series(results, name)))


def draw_scores(ax: Axes, results: Results, split: str = "test") -> None:
    """Draw the histograms of a split, those of training as points with errors, and the threshold."""
    split_results = results.splits[split]
    train_histograms: Mapping[str, DensityHistogram] = {}
    if split != "train" and results.train:
        train_histograms = results.train.histograms
    lines = _lines(results, split)
    labels = len(split_results.histograms) + sum(map(len, lines.values()))
    rows = math.ceil((labels + bool(train_histograms) + (split_results.threshold is not None)) / 2)
    agreement = _agreement(results, split)
    room = 0.07 * (rows + len(agreement.splitlines())) + 0.05
    for name, colour in colours(results.classes, results.signal).items():
        if name in split_results.histograms:
            _bars(ax, split_results.histograms[name], one_line(name, 24), colour, fill=len(results.classes) == 2)
        if name in train_histograms:
            _points(ax, train_histograms[name], colour)
        for (process, histogram), shade in zip(lines.get(name, {}).items(), SHADES, strict=False):
            label = one_line(f"{name}: {process}", 24)
            ax.stairs(histogram.density, histogram.edges, color=shade, linewidth=1.0, linestyle="--", label=label)
    if train_histograms:
        label = "points: training set"
        ax.errorbar([], [], [], fmt="o", color=BLACK, markersize=3, elinewidth=1, label=label)
    if split_results.threshold is not None:
        label = f"cut {split_results.threshold:.3g}"
        ax.axvline(split_results.threshold, ymax=1 - room, color=BLACK, linestyle="--", linewidth=1.2, label=label)
    ax.set(xlabel=f"probability of {one_line(results.signal, 24)}", ylabel="(1/N) dN/dx")
    _set_limits(ax, [*split_results.histograms.values(), *train_histograms.values()], room)
    ax.legend(loc="upper center", ncols=2, columnspacing=1.2, title=agreement or None)


def _lines(results: Results, split: str) -> dict[str, dict[str, DensityHistogram]]:
    """The largest processes of each background with several; of more than two classes none, as there is no room."""
    if len(results.classes) > 2:
        return {}
    lines = {}
    for name, histogram in results.splits[split].histograms.items():
        ranked = sorted(histogram.parts.items(), key=lambda part: -float(part[1].density.sum()))
        lines[name] = dict(ranked[:MOST_LINES])
    lines.pop(results.signal, None)
    return lines


def _agreement(results: Results, split: str) -> str:
    """The p-value of the overtraining study and the test that decides it, where training and test are both drawn."""
    finding = results.studies.get("overtraining")
    if split != "test" or not isinstance(finding, OvertrainingTests):
        return ""
    if finding.evidence.p is None:
        return ""
    return finding.quoted


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
    """The histograms of a split and of training, class by class, and those of the processes that are drawn."""
    for split_name in dict.fromkeys(("train", split)):
        if split_name not in results.splits:
            continue
        for name, histogram in results.splits[split_name].histograms.items():
            yield Series(f"{name}, {split_name}", _columns(histogram))
    for name, processes in _lines(results, split).items():
        for process, histogram in processes.items():
            yield Series(f"{name}: {process}, {split}", _columns(histogram))


def _columns(histogram: DensityHistogram) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return {
        "low": histogram.edges[:-1],
        "high": histogram.edges[1:],
        "density": histogram.density,
        "density_error": histogram.error,
    }

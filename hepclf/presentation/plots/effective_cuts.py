"""The features on which the decision acts most, before and after it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.effective_cuts import KINDS, FeatureChange, FeatureChanges
from hepclf.presentation.plots.label import axis_label, one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLUE, VERMILLION
from hepclf.statistics.shapes.divergence import BinSums

PANELS, ACROSS = 6, 3
COLOURS = (BLUE, VERMILLION)


def pictures(finding: FeatureChanges, results: Results, title: str) -> Iterator[Picture]:
    """A panel for each of the six features whose background the cut changes most."""
    features = finding.ranked[:PANELS]
    if not features:
        return
    across, down = min(len(features), ACROSS), math.ceil(len(features) / ACROSS)
    legend_rows = 1 + (across < ACROSS)  # a narrow figure has no room for one long row
    head = 0.42 + 0.2 * legend_rows
    width, height = max(3.2 * across + 0.4, 5.2), 2.7 * down + head - 0.02
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")  # finding one takes longer than the drawing
    edges = {"left": 0.75 / width, "right": 1 - 0.1 / width, "bottom": 0.6 / height, "top": 1 - head / height}
    axes = figure.subplots(down, across, squeeze=False, gridspec_kw={**edges, "wspace": 0.22, "hspace": 0.36}).ravel()
    for ax, name in zip(axes, features, strict=False):
        _panel(ax, finding.features[name])
        ax.set_xlabel(axis_label(name, results.titles, 34), fontsize=10)
    for ax in axes[::across]:
        ax.set_ylabel("(1/N) dN/dx", fontsize=10)
    for ax in axes[len(features) :]:
        ax.set_axis_off()
    names = ("background", one_line(results.signal, 20))
    handles, labels = axes[0].get_legend_handles_labels()
    legend_labels = [
        f"{name}, {stage}" for name, stage in zip(np.repeat(names, 2), ("all", "selected") * 2, strict=True)
    ]
    entries = {}
    if len(labels) == len(legend_labels):
        entries = dict(zip(legend_labels, handles, strict=True))
    figure.legend(
        entries.values(), entries.keys(), loc="upper left", ncols=max(1, len(entries) // legend_rows), columnspacing=1.2
    )
    axes[across - 1].set_title(title)
    series = tuple(_series(name, finding.features[name]) for name in features)
    yield Picture("effective_cuts", figure, _caption(finding), series)


def _caption(finding: FeatureChanges) -> str:
    cut = "classified as signal"
    if finding.threshold is not None:
        cut = f"with a score ≥ {finding.threshold:.4g}"
    choice = "The first features of the data"
    if finding.is_ranked:
        choice = "The features on which the tagger cuts most"
    return (
        f"{choice}. Filled: all events of a class (unit area). Line: its events "
        f"{cut}, on the same scale. Where the line is far below the filled histogram, the tagger removes the events."
    )


def _panel(ax: Axes, feature: FeatureChange) -> None:
    top = 0.0
    for before, after, colour in zip(feature.shapes_before, feature.shapes_after, COLOURS, strict=True):
        total, passed = _densities(before, after, feature.edges)
        ax.stairs(total, feature.edges, fill=True, color=colour, alpha=0.25, label="all")
        ax.stairs(passed, feature.edges, color=colour, linewidth=1.5, label="kept")
        top = max(top, float(np.nanmax(total, initial=0.0)))
    ax.set_xlim(feature.edges[0], feature.edges[-1])
    ax.set_ylim(0, 1.1 * top or 1)
    ax.tick_params(labelsize=8)
    ax.minorticks_off()
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=bool((feature.edges % 1 == 0.5).all())))
    ax.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
    ax.yaxis.get_offset_text().set_fontsize(8)


def _densities(before: BinSums, after: BinSums, edges: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The densities before and after the cut, normalised to unit area before it."""
    norm = before.sums.sum() * np.diff(edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        return before.sums / norm, after.sums / norm


def _series(name: str, feature: FeatureChange) -> Series:
    columns = {"low": feature.edges[:-1], "high": feature.edges[1:]}
    for kind, before, after in zip(KINDS, feature.shapes_before, feature.shapes_after, strict=True):
        total, passed = _densities(before, after, feature.edges)
        columns |= {kind: total, f"{kind}_kept": passed}
    return Series(name, columns)

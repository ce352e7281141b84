"""Correlation matrices, a panel for each class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.correlations import CorrelationMatrices
from hepclf.presentation.plots.label import Titles, feature_title, one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLUE, VERMILLION, text_colour
from hepclf.statistics.shapes.correlation import Correlation

SIGNED = LinearSegmentedColormap.from_list("signed", (BLUE, "#FFFFFF", VERMILLION))
MAX_NUMBERED = 30  # columns up to which a cell has room for its number
MAX_NAMED = 40  # columns up to which each column has room for its name
CROWDED = 24  # columns from which names are small
PANELS = 4
LETTER = 0.6 / 72  # mean width of a letter in inches, for a font of one point


def pictures(finding: CorrelationMatrices, results: Results, title: str) -> Iterator[Picture]:
    """The matrices of the first four classes side by side."""
    classes = list(finding.classes.items())[:PANELS]
    side = min(max(0.42 * len(finding.names), 1.6), 8.0) + 0.6
    labels, size = _labels(finding.names, results.titles)
    # The layout gives tick labels no more room than the figure has, so it grows with the longest one.
    room = max(LETTER * size * max(map(len, labels), default=0), 0.8)
    figure = Figure(figsize=(side * len(classes) + 1.1 + room, side + 0.6 + room))
    axes = np.atleast_1d(figure.subplots(1, len(classes), sharey=True))
    for ax, (name, correlation) in zip(axes, classes, strict=True):
        _matrix(ax, correlation, 72 * side / len(finding.names))
        ticks = range(len(labels))
        ax.set_xticks(ticks, labels, rotation=90, fontsize=size)
        ax.set_yticks(ticks, labels, fontsize=size)
        ax.set_title(one_line(name, 24), loc="left", color="black")
    axes[-1].set_title(title, loc="right")
    figure.colorbar(axes[-1].images[0], ax=list(axes), label="correlation in %", fraction=0.03, pad=0.015)
    caption = (
        f"Linear correlations of the features and the score in each class, from {finding.events:,} test events. "
        "Strongly correlated features carry nearly the same information. The last row is the score."
    )
    yield Picture(
        "correlations",
        figure,
        caption,
        tuple(_series(name, correlation, finding.names) for name, correlation in classes),
    )


def _labels(names: tuple[str, ...], titles: Titles) -> tuple[list[str], float]:
    """The names of the columns, none where there are too many, and their size in points."""
    size = 6.5 if len(names) > CROWDED else 9.5
    if len(names) > MAX_NAMED:
        return [], size
    return [feature_title(name, titles, 28) for name in names], size


def _matrix(ax: Axes, correlation: Correlation, cell: float) -> None:
    """Draw a matrix; `cell` is the width of a cell in points."""
    ax.imshow(100 * correlation.value, cmap=SIGNED, vmin=-100, vmax=100, interpolation="nearest")
    ax.tick_params(which="both", length=0)
    ax.minorticks_off()
    count = len(correlation.value)
    ax.axhline(count - 1.5, color="black", linewidth=0.8)
    ax.axvline(count - 1.5, color="black", linewidth=0.8)
    if count > MAX_NUMBERED:
        return
    for (row, column), value in np.ndenumerate(correlation.value):
        if np.isfinite(value) and row != column:
            ax.text(
                column,
                row,
                f"{round(100 * value)}",
                ha="center",
                va="center",
                fontsize=min(8.0, 0.36 * cell),
                color=text_colour(abs(value), 0.6),
            )


def _series(name: str, correlation: Correlation, names: tuple[str, ...]) -> Series:
    i, j = np.triu_indices(len(names), 1)
    columns = {"first": [names[index] for index in i], "second": [names[index] for index in j]}
    return Series(
        name, {**columns, "correlation": correlation.value[i, j], "correlation_error": correlation.error[i, j]}
    )

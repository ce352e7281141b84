"""What a sweep found along one setting, or over the plane of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hepclf.presentation.plots.index import KINDS, IndexEntry, write_index
from hepclf.presentation.plots.picture import Picture, panel, write_figure
from hepclf.presentation.plots.style import BLUE, GREEN, SHARES, VERMILLION, style, text_colour

Array = NDArray[np.float64]
SPAN = 8.0  # largest over smallest value from which on an axis is logarithmic
CURVE = (
    "Mean log-loss of the jobs at each value of {key}, with their standard deviation (of a single job its statistical "
    "error). A gap between training and validation is overfitting; two high curves are underfitting."
)
PLANE = "Mean accuracy on test at each pair of values: the fraction of events that are put into their own class."


class Measured(NamedTuple):
    """A mean and its error at one value, or pair of values."""

    mean: float
    error: float


def draw_curve(folder: Path, key: str, losses: Mapping[str, Mapping[float, Measured]]) -> list[Path]:
    """Write `scan`: the losses by name, each by the value of the setting `key`."""
    with style():
        figure = panel(lambda ax: _curves(ax, key, losses), "")
        return _written(Picture("scan", figure, CURVE.format(key=key)), folder)


def draw_plane(folder: Path, keys: Sequence[str], accuracies: Mapping[tuple[float, float], float]) -> list[Path]:
    """Write `scan`: the accuracies by the values of two settings, the first of them downwards."""
    with style():
        figure = panel(lambda ax: _plane(ax, keys, accuracies), "accuracy on test")
        return _written(Picture("scan", figure, PLANE), folder)


def _written(picture: Picture, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = write_figure(picture.figure, folder, picture.stem)
    write_index(folder, {picture.stem: IndexEntry(picture.caption, None, KINDS)})
    return paths


def _curves(ax: Axes, key: str, losses: Mapping[str, Mapping[float, Measured]]) -> None:
    for (name, points), colour, marker in zip(losses.items(), (BLUE, VERMILLION, GREEN), "os^", strict=False):
        x = sorted(points)
        y, error = (np.array([points[value][i] for value in x]) for i in range(2))
        ax.errorbar(x, y, error, color=colour, marker=marker, markersize=4, elinewidth=1, capsize=2, label=name)
    values = [value for points in losses.values() for value in points]
    if min(values) > 0 and max(values) > SPAN * min(values):
        ax.set_xscale("log")
    ax.set(xlabel=key.replace("_", " "), ylabel="log-loss")
    ax.legend()


def _plane(ax: Axes, keys: Sequence[str], accuracies: Mapping[tuple[float, float], float]) -> None:
    rows, columns = (sorted({pair[i] for pair in accuracies}) for i in range(2))
    table = np.array([[accuracies.get((row, column), np.nan) for column in columns] for row in rows])
    low, high = np.nanmin(table), np.nanmax(table)
    shades = (table - low) / max(high - low, 1e-12)
    ax.imshow(shades, cmap=SHARES, vmin=0, vmax=1.25, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = text_colour(shades[row, column], 0.6)
            ax.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour)
    ax.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    ax.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    ax.tick_params(which="both", length=0)
    ax.set(ylabel=keys[0].replace("_", " "), xlabel=keys[1].replace("_", " "))

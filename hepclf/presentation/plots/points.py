"""The efficiency of each process at the cuts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.points import Point, WorkingPoints
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BACKGROUND_COLOURS

MARKERS = ("o", "s", "^", "D", "v", "P")
LIMIT = "upper_limit_95"
Array = NDArray[np.float64]


def pictures(finding: WorkingPoints, _: Results, title: str) -> Iterator[Picture]:
    """The efficiency of each process, where there are more processes than classes."""
    if not finding.points or not finding.points[0].processes:
        return
    names = tuple(finding.points[0].processes)
    series = tuple(_series(point, names) for point in finding.points)
    yield Picture(
        "processes",
        panel(lambda ax: _draw(ax, names, series), title, (6.6, 1.6 + 0.45 * len(names))),
        "Efficiency of each process on test, ±1σ, at cuts chosen on validation. The background with the largest "
        f"efficiency is the hardest to remove.{_limit_note(series)}",
        series,
    )


def _limit_note(series: tuple[Series, ...]) -> str:
    """The sentence of the caption on the open triangles, where there are any."""
    if not any(LIMIT in columns for _, columns in series):
        return ""
    return " An open triangle is an upper limit at 95 % confidence: no event of the process passes the cut."


def _series(point: Point, names: tuple[str, ...]) -> Series:
    efficiencies = np.array([point.processes[name].efficiency for name in names], dtype=np.float64)
    columns: dict[str, Any] = {
        "process": list(names),
        "efficiency": efficiencies[:, 0],
        "efficiency_error": efficiencies[:, 1],
    }
    limits = np.full(len(names), np.nan)
    for i, name in enumerate(names):
        if limit := point.processes[name].limit:
            limits[i] = limit.at_95
    if np.isfinite(limits).any():
        columns[LIMIT] = limits
    return Series(f"cut for {point.wish}", columns)


def _draw(ax: Axes, names: tuple[str, ...], series: tuple[Series, ...]) -> None:
    rows = np.arange(len(names))
    offsets = np.zeros(1)
    if len(series) > 1:
        offsets = np.linspace(-0.25, 0.25, len(series))
    styles = zip(cycle(BACKGROUND_COLOURS), cycle(MARKERS), strict=False)
    for curve, offset, (colour, marker) in zip(series, offsets, styles, strict=False):
        _points(ax, curve, rows + offset, colour, marker)
    drawn = [columns[name] for _, columns in series for name in ("efficiency", LIMIT) if name in columns]
    values = np.concatenate([np.asarray(column, dtype=np.float64) for column in drawn])
    ax.set_xscale("log")
    ax.set_xlim(min(float(values[values > 0].min(initial=0.5)) / 3, 0.1), 1.5)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks(rows, [one_line(name, 24) for name in names])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel("efficiency")
    ax.figure.legend(
        *ax.get_legend_handles_labels(), loc="outside right upper", title="cut for", alignment="left", handlelength=1
    )


def _points(ax: Axes, series: Series, y: Array, colour: str, marker: str) -> None:
    """Draw the efficiency of each process, or its upper limit; a bar goes down to a tenth of its point at most."""
    x, error = (np.asarray(series.columns[name], dtype=np.float64) for name in ("efficiency", "efficiency_error"))
    positive = x > 0
    up = np.nan_to_num(error)[positive]
    bars = np.stack([np.minimum(up, 0.9 * x[positive]), up])
    style: Any = {"fmt": marker, "color": colour, "markersize": 4, "elinewidth": 1}
    ax.errorbar(x[positive], y[positive], xerr=bars, label=series.name.removeprefix("cut for "), **style)
    if LIMIT in series.columns:
        limits = np.asarray(series.columns[LIMIT], dtype=np.float64)
        ax.plot(limits, y, "<", color=colour, markersize=6, fillstyle="none")

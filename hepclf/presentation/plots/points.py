"""The efficiency of each process at the cuts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

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
        "Efficiency of each process on test, ±1σ, at cuts chosen on validation: which background is hardest to "
        "remove. A process of which nothing is left has no point.",
        series,
    )


def _series(point: Point, names: tuple[str, ...]) -> Series:
    efficiencies = np.array([point.processes[name].efficiency for name in names], dtype=np.float64)
    return Series(
        f"cut for {point.wish}",
        {"process": list(names), "efficiency": efficiencies[:, 0], "efficiency_error": efficiencies[:, 1]},
    )


def _draw(ax: Axes, names: tuple[str, ...], series: tuple[Series, ...]) -> None:
    rows = np.arange(len(names))
    offsets = np.linspace(-0.25, 0.25, len(series)) if len(series) > 1 else np.zeros(1)
    for (label, columns), offset, colour, marker in zip(
        series, offsets, cycle(BACKGROUND_COLOURS), cycle(MARKERS), strict=False
    ):
        x, error = (np.asarray(columns[name], dtype=np.float64) for name in ("efficiency", "efficiency_error"))
        positive = x > 0
        # On a logarithmic axis the bar ends at a tenth of the point.
        down, up = np.minimum(np.nan_to_num(error), 0.9 * x)[positive], np.nan_to_num(error)[positive]
        text = label.removeprefix("cut for ")
        ax.errorbar(
            x[positive],
            (rows + offset)[positive],
            xerr=np.stack([down, up]),
            fmt=marker,
            color=colour,
            markersize=4,
            elinewidth=1,
            label=text,
        )
    values = np.concatenate([np.asarray(columns["efficiency"], dtype=np.float64) for _, columns in series])
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

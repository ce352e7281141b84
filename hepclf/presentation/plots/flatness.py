"""Efficiencies in bins of a spectator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.flatness import KINDS, Against, EfficiencyShapes
from hepclf.presentation.plots.label import axis_label, one_line
from hepclf.presentation.plots.picture import TOP, Picture, Series
from hepclf.presentation.plots.style import BACKGROUND_COLOURS

Array = NDArray[np.float64]
MARKERS = ("o", "s", "^", "D", "v", "P")


def pictures(finding: EfficiencyShapes, results: Results, title: str) -> Iterator[Picture]:
    """A picture for each spectator: the signal's efficiencies above, the background's below."""
    if not finding.cuts:
        return
    for number, (name, against) in enumerate(finding.shapes.items(), 1):
        yield Picture(
            f"flatness_{number}",
            _figure(axis_label(name, results.titles), against, results.signal, title),
            f"Signal and background efficiency in bins of {name}, ±1σ, at cuts chosen on validation. Dotted lines are "
            f"the means over all bins. The efficiencies are flat if the score is independent of {name}.",
            tuple(_series(against)),
        )


def _figure(label: str, against: Against, signal: str, title: str) -> Figure:
    figure = Figure(figsize=(6.6, 5.2))
    upper, lower = figure.subplots(2, 1, sharex=True)
    for ax, kind in ((lower, 0), (upper, 1)):
        for (target, pair), colour, marker in zip(
            against.shapes.items(), cycle(BACKGROUND_COLOURS), cycle(MARKERS), strict=False
        ):
            shape = pair[kind]
            _points(ax, against, shape.efficiency, shape.error, colour, marker, str(target))
            if shape.mean.value is not None:
                ax.axhline(shape.mean.value, color=colour, linewidth=0.8, linestyle=":")
    upper.set_ylim(-0.03, 1.05)
    upper.set_ylabel(f"efficiency of {one_line(signal, 16)}")
    _set_limits(lower, [pair[0].efficiency for pair in against.shapes.values()])
    lower.set_ylabel("background efficiency")
    lower.set_xlabel(label)
    _set_range(lower, against)
    upper.set_title(title, y=TOP)
    figure.legend(
        *upper.get_legend_handles_labels(), loc="outside right upper", title="cut for", alignment="left", handlelength=1
    )
    return figure


def _points(ax: Axes, against: Against, y: Array, error: Array, colour: str, marker: str, label: str) -> None:
    edges = against.bins.edges
    widths = None
    if edges is not None:
        widths = np.stack([against.bins.places - edges[:-1], edges[1:] - against.bins.places])
    ax.errorbar(
        against.bins.places,
        y,
        np.nan_to_num(error),
        widths,
        fmt=marker,
        color=colour,
        markersize=3.5,
        elinewidth=1,
        label=label,
    )


def _set_limits(ax: Axes, efficiencies: list[Array]) -> None:
    values = np.concatenate(efficiencies)
    positive = values[values > 0]
    if len(positive):
        ax.set_yscale("log")
        ax.set_ylim(float(positive.min()) / 2.5, min(float(positive.max()) * 2.5, 2))
        ax.yaxis.set_minor_formatter(NullFormatter())


def _set_range(ax: Axes, against: Against) -> None:
    """Cut the axis at the outer bins, which are as wide as the tails of the distribution."""
    edges, names = against.bins.edges, against.bins.names
    if edges is None:
        ax.set_xticks(against.bins.places, [one_line(name, 12) for name in names], rotation=30 * (len(names) > 4))
        ax.set_xlim(-0.5, len(names) - 0.5)
        return
    first, last = against.bins.places[0], against.bins.places[-1]
    ax.set_xlim(max(edges[0], 3 * first - 2 * edges[1]), min(edges[-1], 3 * last - 2 * edges[-2]))


def _series(against: Against) -> Iterator[Series]:
    edges = against.bins.edges
    x: dict[str, Any] = {"bin": against.bins.names}
    if edges is not None:
        x = {"low": edges[:-1], "high": edges[1:]}
    for target, pair in against.shapes.items():
        for kind, shape in zip(KINDS, pair, strict=True):
            yield Series(
                f"{kind}, cut for {target}",
                {
                    **x,
                    "efficiency": shape.efficiency,
                    "efficiency_error": np.where(shape.error > 0, shape.error, np.nan),
                },
            )

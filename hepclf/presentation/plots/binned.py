"""The score as a template: expected events by process in each bin, and what each bin is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.binned import Shape
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from hepclf.statistics.counting.template import Template
from hepclf.words import number, percent

Array = NDArray[np.float64]

SHADES = (BLUE, SKY, GREEN, PURPLE, ORANGE)
ROOM = 0.3


def binned(found: Shape, results: Results, title: str) -> Iterator[Picture]:
    """The stacked template over the significance of its bins."""
    z, error = found.by_bin
    of = found.template
    low, high = of.edges[:-1], of.edges[1:]
    contents = {
        one_line(name): {"low": low, "high": high, "events": sums[0], "events_error": np.sqrt(sums[1])}
        for name, sums in zip(of.names, of.sums.swapaxes(0, 1), strict=True)
    }
    worth = {"low": low, "high": high, "significance": z, "significance_error": error}
    yield Picture(
        "binned",
        _binned(found, results.signal, title),
        "Expected events of test in bins of the score that validation chose, the background stacked under the signal, "
        "hatched its statistical error. Below, what each bin adds: the Asimov significance of it alone, the background "
        "known to that error.",
        (*(Series(name, columns) for name, columns in contents.items()), Series("significance", worth)),
    )


def _binned(found: Shape, signal: str, title: str) -> Figure:
    figure = Figure(figsize=(6.2, 5.4))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _stack(top, found.template)
    top.set(ylabel="expected events", title=title)
    top.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.4)
    z, error = found.by_bin
    places = np.arange(len(z)) + 0.5
    bottom.bar(places, z, width=1.0, color=BLUE, alpha=0.3)
    bottom.errorbar(places, z, error, fmt="o", color=BLUE, markersize=4)
    bottom.set(ylabel="Asimov", xlabel=f"probability of {one_line(signal, 24)}, edges of the bins")
    bottom.set_ylim(0, 1.35 * float(np.max(z + error)) or 1.0)
    whole = found.significances["asimov_systematic"]
    said = f"all bins, background ± simulation and {percent(found.rules.systematic, None)}: {with_error(whole)}"
    bottom.text(0.02, 0.93, said, transform=bottom.transAxes, va="top", fontsize=9.5)
    _edges(bottom, found.template.edges)
    return figure


def _edges(ax: Axes, edges: Array) -> None:
    """Bins of equal width, so that the narrow ones near 1 are seen; their edges below."""
    ax.set_xlim(0, len(edges) - 1)
    ax.set_xticks(range(len(edges)), [_short(edge) for edge in edges], fontsize=9.5)
    ax.xaxis.set_minor_locator(NullLocator())


def _short(edge: float) -> str:
    # The last edge is the next number above 1, so that a score of 1 is in the last bin.
    return f"{edge:.3g}" if edge < 0.995 or edge >= 1 else number(edge)


def _stack(ax: Axes, of: Template) -> None:
    """Backgrounds from the smallest up, many small ones as one, the signal on top; what is below zero adds nothing."""
    places = np.arange(len(of.edges))
    floor = np.zeros(len(places) - 1)
    layers = _layers(of)
    for (label, values), colour in zip(layers, (*SHADES, GREY)[len(layers) - 1 :: -1], strict=True):
        top = floor + np.maximum(values, 0.0)
        ax.stairs(top, places, baseline=floor, fill=True, color=colour, alpha=0.45, label=label)
        ax.stairs(top, places, color=colour, linewidth=1.0)
        floor = top
    channels = of.channels
    ax.stairs(floor + channels.s, places, baseline=floor, fill=True, color=VERMILLION, alpha=0.5)
    ax.stairs(floor + channels.s, places, color=VERMILLION, linewidth=1.6, label=_signal(of))
    error = np.sqrt(channels.b_squares)
    shade: Any = {"fill": False, "hatch": "////", "edgecolor": BLACK, "linewidth": 0.0, "alpha": 0.6}
    centres = places[:-1] + 0.5
    ax.bar(centres, 2 * error, bottom=floor - error, width=1.0, label="background, stat. error", **shade)
    positive = floor[floor > 0]
    low = max(float((positive - error[floor > 0]).min()), float(positive.min()) / 3) / 2
    high = 1.5 * float((floor + channels.s).max())
    ax.set_yscale("log")
    ax.set_ylim(low, low * (high / low) ** (1 / (1 - ROOM)))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _layers(of: Template) -> list[tuple[str, Array]]:
    """Backgrounds from the smallest up, at most five, those beyond as one."""
    backgrounds = sorted(np.flatnonzero(~of.signal), key=lambda g: float(of.sums[0, g].sum()))
    values = [(one_line(of.names[g], 20), of.sums[0, g]) for g in backgrounds]
    rest, shown = values[: -len(SHADES)], values[-len(SHADES) :]
    if not rest:
        return shown
    return [(f"{len(rest)} others", np.sum([one for _, one in rest], axis=0)), *shown]


def _signal(of: Template) -> str:
    names = [of.names[g] for g in np.flatnonzero(of.signal)]
    return one_line(names[0], 20) if len(names) == 1 else f"{len(names)} signals"

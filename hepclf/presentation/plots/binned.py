"""The score as a template: expected events by process in each bin, and the significance of each bin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.binned import BinnedScore
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from hepclf.statistics.counting.template import Template
from hepclf.words import number, percent

Array = NDArray[np.float64]

SHADES = (BLUE, ORANGE, GREEN, PURPLE, SKY)  # neighbours in a stack differ in hue and in lightness
SPAN = 1e7  # of the axis at most, whatever the smallest process has
INVISIBLE = 0.1  # of the background in every bin, below which a signal is drawn again, scaled up
LEGEND_ROOM = 0.3  # share of the height that belongs to the legend


def pictures(finding: BinnedScore, results: Results, title: str) -> Iterator[Picture]:
    """The stacked template, and the significance of its bins below it."""
    z, error = finding.by_bin
    template = finding.template
    low, high = template.edges[:-1], template.edges[1:]
    contents = {
        one_line(name): {"low": low, "high": high, "events": sums[0], "events_error": np.sqrt(sums[1])}
        for name, sums in zip(template.names, template.sums.swapaxes(0, 1), strict=True)
    }
    significances = {"low": low, "high": high, "significance": z, "significance_error": error}
    yield Picture(
        "binned",
        _figure(finding, results.signal, title),
        "Expected events in bins of the score, counted on test, with bin edges chosen on validation. Backgrounds and "
        "signal are stacked; hatched: MC statistical uncertainty of the background. Below: the Asimov significance of "
        "each bin alone, with this uncertainty.",
        (*(Series(name, columns) for name, columns in contents.items()), Series("significance", significances)),
    )


def _figure(finding: BinnedScore, signal: str, title: str) -> Figure:
    figure = Figure(figsize=(6.2, 5.4))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _stack(top, finding.template)
    top.set(ylabel="expected events", title=title)
    top.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.4)
    z, error = finding.by_bin
    centres = np.arange(len(z)) + 0.5
    bottom.bar(centres, z, width=1.0, color=BLUE, alpha=0.3)
    bottom.errorbar(centres, z, error, fmt="o", color=BLUE, markersize=4)
    bottom.set(ylabel="Asimov Z\n(MC stat. only)", xlabel=f"probability of {one_line(signal, 24)}, bin edges")
    bottom.set_ylim(0, 1.35 * float(np.max(z + error)) or 1.0)
    combined = finding.significances["asimov_systematic"]
    sigma = f"$\\sigma_B$ = {percent(finding.rules.systematic, None)} $\\oplus$ MC stat."
    text = f"all bins, {sigma}: Z = {with_error(combined)}"
    bottom.text(0.02, 0.93, text, transform=bottom.transAxes, va="top", fontsize=9.5)
    _edges(bottom, finding.template.edges)
    return figure


def _edges(ax: Axes, edges: Array) -> None:
    """Draw bins of equal width, so that the narrow ones near 1 are visible, with their edges as labels."""
    ax.set_xlim(0, len(edges) - 1)
    ax.set_xticks(range(len(edges)), [_short(edge) for edge in edges], fontsize=9.5)
    ax.xaxis.set_minor_locator(NullLocator())


def _short(edge: float) -> str:
    # The last edge is the next number above 1, so that a score of 1 is in the last bin.
    if 0.995 <= edge < 1:  # three digits would read 1
        return number(edge)
    return f"{edge:.3g}"


def _stack(ax: Axes, template: Template) -> None:
    """Draw backgrounds from the smallest up, then the signal on top; negative contents count as zero."""
    positions = np.arange(len(template.edges))
    floor = np.zeros(len(positions) - 1)
    layers, bottoms = _layers(template), list[Array]()
    for (label, values), colour in zip(layers, (*SHADES, GREY)[len(layers) - 1 :: -1], strict=True):
        top = floor + np.maximum(values, 0.0)
        ax.stairs(top, positions, baseline=floor, fill=True, color=colour, alpha=0.45, label=label)
        ax.stairs(top, positions, color=colour, linewidth=1.0)
        floor = top
        bottoms.append(top)
    channels = template.channels
    ax.stairs(floor + channels.s, positions, baseline=floor, fill=True, color=VERMILLION, alpha=0.5)
    ax.stairs(floor + channels.s, positions, color=VERMILLION, linewidth=1.6, label=_signal_label(template))
    error = np.sqrt(channels.b_squares)
    shade: Any = {"fill": False, "hatch": "////", "edgecolor": BLACK, "linewidth": 0.0, "alpha": 0.6}
    centres = positions[:-1] + 0.5
    ax.bar(centres, 2 * error, bottom=floor - error, width=1.0, label="MC stat. uncertainty", **shade)
    positive = floor[floor > 0]
    overlay = overlay_factor(channels.s, floor)
    if overlay > 1:
        label = f"{_signal_label(template)} × {overlay:,}"
        ax.stairs(overlay * channels.s, positions, color=VERMILLION, linewidth=1.4, linestyle="--", label=label)
    high = 1.5 * float(max((floor + channels.s).max(), (overlay * channels.s).max()))
    lowest = min(float(positive.min()), *(float(top[top > 0].min(initial=high)) for top in bottoms))
    low = max(lowest / 2, high / SPAN)
    ax.set_yscale("log")
    ax.set_ylim(low, low * (high / low) ** (1 / (1 - LEGEND_ROOM)))
    ax.yaxis.set_minor_formatter(NullFormatter())


def overlay_factor(signal: Array, background: Array) -> int:
    """A round number that makes a signal as high as the background somewhere; 1 where it can be seen without."""
    where = (signal > 0) & (background > 0)
    if not where.any() or (signal[where] > INVISIBLE * background[where]).any():
        return 1
    return int(10 ** math.floor(math.log10(float((background[where] / signal[where]).min()))))


def _layers(template: Template) -> list[tuple[str, Array]]:
    """Backgrounds from the smallest up: the five largest, and the sum of all others as one."""
    backgrounds = sorted(np.flatnonzero(~template.signal), key=lambda g: float(template.sums[0, g].sum()))
    layers = [(one_line(template.names[g], 20), template.sums[0, g]) for g in backgrounds]
    small, large = layers[: -len(SHADES)], layers[-len(SHADES) :]
    if not small:
        return large
    return [(f"{len(small)} others", np.sum([sums for _, sums in small], axis=0)), *large]


def _signal_label(template: Template) -> str:
    names = [template.names[g] for g in np.flatnonzero(template.signal)]
    if len(names) > 1:
        return f"{len(names)} signals"
    return one_line(names[0], 20)

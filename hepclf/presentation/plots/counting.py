"""Expected events and their significances against the cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.counting import NAMES, Yields
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLACK, BLUE, DASHES, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

Array = NDArray[np.float64]

STYLES = {
    "s_over_sqrt_b": (BLUE, "--"),
    "s_over_sqrt_s_plus_b": (SKY, "-."),
    "asimov": (VERMILLION, "-"),
    "asimov_systematic": (GREEN, "-"),
    "ams": (ORANGE, ":"),
    "li_ma": (PURPLE, "--"),
    "punzi": (GREY, "-"),
}
SHADES = (BLUE, SKY, GREEN, PURPLE, ORANGE, BLACK)
BAND = 0.25


def pictures(finding: Yields, results: Results, title: str) -> Iterator[Picture]:
    """The measures, and the expected events; nothing where no cut on test keeps enough background."""
    if len(finding.scan.cuts) < 2:
        return
    figures = {name: finding.scan.figures(name, finding.rules) for name in STYLES if name in finding.best}
    yield Picture(
        "figures_of_merit",
        _measures_figure(finding, figures, results.signal, title),
        "Figures of merit against the cut, on test, with bands of ±1σ. A point marks the cut that is best for a figure "
        "of merit on validation, and its value on test.",
        tuple(
            Series(NAMES[name], {"cut": finding.scan.cuts, "value": z, "value_error": error})
            for name, (z, error) in figures.items()
        ),
    )
    yield Picture(
        "yields",
        _yields_figure(finding, results.signal, title),
        "Expected events of each process at or above the cut, with bands of their statistical error sqrt(sum w²). "
        "The dotted line is the best cut, chosen on validation.",
        tuple(
            Series(name, {"cut": finding.scan.cuts, "events": sums, "events_error": np.sqrt(squares)})
            for name, sums, squares in zip(finding.scan.names, *finding.scan.above[:2], strict=True)
        ),
    )


def _measures_figure(finding: Yields, figures: dict[str, tuple[Array, Array]], signal: str, title: str) -> Figure:
    """Significances above; below them Punzi's figure of merit, which is on another scale."""
    figure = Figure(figsize=(6.2, 5.4))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for name, (z, error) in figures.items():
        ax = top
        if name == "punzi":
            ax = bottom
        colour, dashes = STYLES[name]
        _band(ax, finding.scan.cuts, z, error, colour, dashes, NAMES[name].replace("sigma_B", "$\\sigma_B$"))
        best = finding.best[name].figure(name, finding.rules)
        if best.value is not None:
            ax.errorbar(finding.best[name].cuts, best.value, best.error or 0.0, fmt="o", color=colour, markersize=5)
    for ax in (top, bottom):
        ax.set_ylim(0, None)
    set_limits(top, [z for name, (z, _) in figures.items() if name != "punzi"])
    top.set(ylabel="significance", title=title)
    top.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.8)
    bottom.set(ylabel="Punzi", xlabel=f"cut on the probability of {one_line(signal, 24)}")
    return figure


def _yields_figure(finding: Yields, signal: str, title: str) -> Figure:
    figure = Figure(figsize=(5.8, 4.2))
    ax = figure.subplots()
    scan = finding.scan
    shades, dashes = cycle(SHADES), cycle(DASHES)
    for g in np.argsort(-scan.before[0]):
        colour = VERMILLION
        if not scan.signal[g]:
            colour = next(shades)
        sums, errors = scan.above[0, g], np.sqrt(scan.above[1, g])
        _band(
            ax, scan.cuts, np.where(sums > 0, sums, np.nan), errors, colour, next(dashes), one_line(scan.names[g], 20)
        )
    set_limits(ax, [scan.above[0].ravel()], logarithmic=True)
    cut = float(finding.chosen.cuts[0])
    ax.axvline(cut, color=BLACK, linestyle=":", linewidth=1.2, ymax=0.8, label=f"cut {cut:.4g}")
    ax.set(
        xlabel=f"cut on the probability of {one_line(signal, 24)}", ylabel="expected events above the cut", title=title
    )
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.8)
    return figure


def _band(ax: Axes, x: Array, y: Array, error: Array, colour: str, dashes: str, label: str) -> None:
    low = y
    if np.isfinite(y).any():
        low = np.maximum(y - error, np.nanmin(y) * 1e-3)  # above zero, for a logarithmic axis
    ax.fill_between(x, low, y + error, color=colour, alpha=BAND, linewidth=0)
    ax.plot(x, y, color=colour, linestyle=dashes, label=label)


def set_limits(ax: Axes, lines: list[Array], *, logarithmic: bool = False, room: float = 0.24) -> None:
    """Leave room for the legend; make the axis logarithmic where the tops of the lines differ by a factor above 8."""
    tops = [float(np.nanmax(line)) for line in lines if np.nanmax(line, initial=0.0) > 0]
    if not tops:
        return
    high = 1.2 * max(tops)
    if not logarithmic and high <= 8 * min(tops):
        ax.set_ylim(0, high / (1 - room))
        return
    positive = np.concatenate([line[np.isfinite(line) & (line > 0)] for line in lines])
    low = max(float(positive.min()) / 2, high / 1e6)
    ax.set_yscale("log")
    ax.set_ylim(low, low * (high / low) ** (1 / (1 - room)))
    ax.yaxis.set_minor_formatter(NullFormatter())

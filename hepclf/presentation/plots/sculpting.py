"""The shape of the background in a spectator above each cut, and 1/JSD against the rejection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.sculpting import BackgroundShape, Sculpted, SculptingPoint
from hepclf.presentation.plots.label import Titles, axis_label, feature_title
from hepclf.presentation.plots.picture import TOP, Picture, Series
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from hepclf.statistics.shapes.divergence import BinSums
from hepclf.words import percent

Array = NDArray[np.float64]
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
TAIL = 3  # maximum drawn width of an outer bin, in widths of the bin beside it


def pictures(finding: Sculpted, results: Results, title: str) -> Iterator[Picture]:
    """Two pictures a spectator: shapes with their ratio, and 1/JSD against rejection."""
    for number, (name, shape) in enumerate(finding.spectators.items(), 1):
        stem = f"sculpting_{number}_" + re.sub(r"[^A-Za-z0-9.+-]+", "_", name).strip("_.")[:40]
        if shape.points:
            yield _shapes_picture(name, shape, stem, title, results.titles)
        scan = [point for point in shape.scan if _has_divergence(point)]
        if scan:
            yield _divergence_picture(name, shape, scan, stem, title, results.titles)


def _shapes_picture(name: str, shape: BackgroundShape, stem: str, title: str, titles: Titles) -> Picture:
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    before, points = _density(shape.before, shape.edges), shape.points[: len(COLOURS)]
    edges = _axis_edges(shape.edges)
    top.stairs(before[0], edges, fill=True, color=GREY, alpha=0.25)
    top.stairs(before[0], edges, color=BLACK, linewidth=1.2, label="all background")
    columns = {"low": shape.edges[:-1], "high": shape.edges[1:], "before": before[0], "before_error": before[1]}
    highest = before[0].max()
    for point, colour in zip(points, COLOURS, strict=False):
        density, error = _density(point.passing, shape.edges)
        if not np.isfinite(density).all():
            continue
        label = f"$\\epsilon_s$ = {percent(point.working_point.signal_efficiency, 0)}"
        _step(top, edges, density, error, colour, label)
        with np.errstate(divide="ignore", invalid="ignore"):
            _step(bottom, edges, density / before[0], error / before[0], colour, None)
        column = f"kept_{point.working_point.target:g}"
        columns |= {column: density, f"{column}_error": error}
        highest = max(highest, min((density + error).max(), 1.5 * density.max()))
    bottom.axhline(1, color=BLACK, linewidth=0.8)
    bottom.set(xlabel=axis_label(name, titles), xlim=(edges[0], edges[-1]))
    bottom.set_ylabel("ratio to all", loc="center")
    reach = bottom.get_ylim()
    bottom.set_ylim(max(reach[0], 0), min(reach[1], 6))
    top.set_ylabel("background, unit area")
    top.set_ylim(0, highest / (0.86 - 0.07 * ((len(points) + 2) // 2)))
    top.set_title(title, y=TOP)
    top.legend(
        title="background above cuts with signal efficiency $\\epsilon_s$", alignment="left", ncols=2, loc="upper right"
    )
    figure.align_ylabels()
    caption = (
        f"Background in {name} before any cut and above the cut of each working point, bands ±1σ. "
        "A ratio of one in all bins means that the cut does not sculpt it."
    )
    return Picture(stem, figure, caption, (Series("shapes", columns),))


def _step(ax: Axes, edges: Array, values: Array, error: Array, colour: str, label: str | None) -> None:
    ax.stairs(values + error, edges, baseline=values - error, fill=True, color=colour, alpha=0.2, linewidth=0)
    ax.stairs(values, edges, color=colour, linewidth=1.4, label=label, baseline=None)


def _axis_edges(edges: Array) -> Array:
    """The edges with narrower outer bins, which hold the tails and would fill the axis."""
    axis_edges = edges.copy()
    if len(edges) > 3:
        axis_edges[0] = max(edges[0], edges[1] - TAIL * (edges[2] - edges[1]))
        axis_edges[-1] = min(edges[-1], edges[-2] + TAIL * (edges[-2] - edges[-3]))
    return axis_edges


def _density(counts: BinSums, edges: Array) -> tuple[Array, Array]:
    """Densities of unit area and their errors; the outer bins have the width that they are drawn with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        norm = counts.sums.sum() * np.diff(_axis_edges(edges))
        return counts.sums / norm, np.sqrt(counts.squares) / norm


def _has_divergence(point: SculptingPoint) -> bool:
    return point.divergence.bits.value is not None and point.working_point.rejection.value is not None


def _divergence_picture(
    name: str, shape: BackgroundShape, scan: Sequence[SculptingPoint], stem: str, title: str, titles: Titles
) -> Picture:
    figure = Figure(figsize=(5.2, 4.2))
    ax = figure.subplots()
    columns = _columns(scan)
    ax.fill_between(
        columns["rejection"], columns["lowest"], columns["highest"], color=BLUE, alpha=0.2, linewidth=0, label="±1σ"
    )
    ax.plot(columns["rejection"], columns["inverse_jsd"], color=BLUE, label="all cuts")
    if points := [point for point in shape.points if _has_divergence(point)]:
        quoted = _columns(points)
        ax.plot(quoted["rejection"], quoted["inverse_jsd"], "s", color=BLACK, markersize=5, label="working points")
        for point, x, y in zip(points, quoted["rejection"], quoted["inverse_jsd"], strict=True):
            text = percent(point.working_point.signal_efficiency, 0)
            ax.annotate(text, (x, y), (5, 5), textcoords="offset points", fontsize=9)
    reach = columns["lowest"].min() / 2, max(2 * columns["highest"].max(), 10 * columns["lowest"].min())
    ax.set(xscale="log", yscale="log", ylim=reach, xlim=(1, max(2 * columns["rejection"].max(), 10)))
    ax.set_xlabel("rejection, 1 / background efficiency")
    ax.set_ylabel(f"1/JSD in {feature_title(name, titles, 24)}, 1/bits")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    ax.set_title(title, y=TOP)
    ax.legend(loc="upper right")
    caption = (
        f"Inverse Jensen-Shannon divergence in {name} between the background that passes a cut and the background that "
        "fails it, against the rejection. A higher 1/JSD is less sculpting. The numbers are signal efficiencies."
    )
    return Picture(f"{stem}_jsd", figure, caption, (Series("jsd", columns),))


def _columns(points: Sequence[SculptingPoint]) -> dict[str, Array]:
    """The drawn columns. A divergence below its error is drawn as the inverse of that error."""
    rows = [
        (point.working_point.signal_efficiency, point.working_point.rejection.value, *point.divergence.bits)
        for point in points
    ]
    efficiency, rejection, bits, error = np.array(rows, dtype=np.float64).T
    error = np.nan_to_num(error)
    floor = np.maximum(error, 1e-12)
    return {
        "signal_efficiency": efficiency,
        "rejection": rejection,
        "jsd_bits": bits,
        "jsd_bits_error": error,
        "inverse_jsd": 1 / np.maximum(bits, floor),
        "lowest": 1 / (np.maximum(bits, 0) + floor),
        "highest": 1 / np.maximum(bits - error, floor / 4),
    }

"""Observed data over the expected events of each class, with their ratio."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.evidence import equation
from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.observed import SCORE, Overlaid
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLACK, GREY, colours
from hepclf.statistics.shapes.agreement import Agreement

CAPTION = (
    "Observed events over the expected ones, class upon class; the hatched band is the statistical error of the "
    "simulation, the outer bins hold what lies beyond. Below, observed over expected, with the error of the data."
)


def observed(finding: Overlaid, results: Results, title: str) -> Iterator[Picture]:
    """One picture of the score, and one of each feature."""
    for place, (name, of) in enumerate(finding.agreements.items()):
        stem = (
            "observed"
            if name == SCORE
            else f"observed_{place}_" + re.sub(r"[^A-Za-z0-9.+-]+", "_", name).strip("_.")[:40]
        )
        label = f"probability of {one_line(results.signal, 24)}" if name == SCORE else one_line(name, 40)
        yield Picture(stem, _figure(of, finding, results, label, title), CAPTION, (_series(name, of, finding),))


def _figure(of: Agreement, finding: Overlaid, results: Results, label: str, title: str) -> Figure:
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    total, error = of.expected.sum(axis=0), np.sqrt(of.squares)
    _stack(top, of, finding, results)
    _band(top, of.edges, total - error, total + error, "simulation's error")
    centres, seen = (of.edges[1:] + of.edges[:-1]) / 2, of.seen
    known = of.seen_squares > 0
    points = {"fmt": "o", "color": BLACK, "markersize": 3.2, "elinewidth": 1}
    top.errorbar(centres[known], seen[known], np.sqrt(of.seen_squares[known]), label="data", **points)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, spread, band = seen / total, np.sqrt(of.seen_squares) / total, error / total
    shown = known & (total > 0)
    bottom.errorbar(centres[shown], ratio[shown], spread[shown], **points)
    _band(bottom, of.edges, np.where(total > 0, 1 - band, 1), np.where(total > 0, 1 + band, 1), None)
    bottom.axhline(1, color=BLACK, linewidth=0.8)
    reach = float(np.clip(np.quantile(np.abs(ratio[shown] - 1) + spread[shown], 0.9), 0.1, 1)) if shown.any() else 1.0
    bottom.set(xlabel=label, xlim=(of.edges[0], of.edges[-1]), ylim=(1 - 1.3 * reach, 1 + 1.3 * reach))
    bottom.set_ylabel("data / sim.", loc="center")
    top.set_ylabel("events" + (", simulation scaled" if finding.scaled else ""))
    _limit(top, total, seen)
    p = "" if of.p is None else f"χ²/ndf = {of.chi2:.1f}/{of.ndf}, {equation(of.p)}"
    top.legend(loc="upper center", ncols=2, title=p, columnspacing=1.2)
    top.set_title(title)
    return figure


def _stack(ax: Axes, of: Agreement, finding: Overlaid, results: Results) -> None:
    """The signal on top."""
    palette = colours(results.classes, results.signal)
    base = np.zeros(len(of.seen))
    for name in sorted(finding.classes, key=lambda name: name == results.signal):
        above = base + of.expected[finding.classes.index(name)]
        ax.stairs(above, of.edges, baseline=base, fill=True, color=palette[name], alpha=0.35, label=one_line(name, 20))
        ax.stairs(above, of.edges, color=palette[name], linewidth=1)
        base = above


def _band(ax: Axes, edges: object, low: object, high: object, label: str | None) -> None:
    style = {"fill": True, "facecolor": "none", "edgecolor": GREY, "hatch": "/////", "linewidth": 0}
    ax.stairs(high, edges, baseline=low, label=label, **style)  # type: ignore[arg-type]


def _limit(ax: Axes, total: object, seen: object) -> None:
    """A logarithmic axis where counts span more than a hundred."""
    every = np.concatenate([np.asarray(total), np.asarray(seen)])
    high = float(every.max(initial=1.0))
    low = float(every[every > 0].min(initial=high))
    if high > 100 * low:
        ax.set_yscale("log")
        ax.set_ylim(low / 2, high * (2 * high / low) ** 0.5)
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.5 * high)


def _series(name: str, of: Agreement, finding: Overlaid) -> Series:
    columns = {"low": of.edges[:-1], "high": of.edges[1:], "data": of.seen, "data_error": np.sqrt(of.seen_squares)}
    columns |= {"expected": of.expected.sum(axis=0), "expected_error": np.sqrt(of.squares)}
    columns |= {f"expected {each}": of.expected[i] for i, each in enumerate(finding.classes)}
    return Series(name, columns)

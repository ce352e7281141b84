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
from hepclf.evaluation.studies.observed import SCORE, DataAgreement
from hepclf.presentation.plots.label import axis_label, one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLACK, GREY, colours
from hepclf.statistics.shapes.agreement import Agreement

CAPTION = (
    "Observed data (points) and the stacked expected events of each class; hatched: MC statistical uncertainty. The "
    "outer bins contain underflow and overflow. Below: the ratio of data to MC, with the statistical error of the data."
)


def pictures(finding: DataAgreement, results: Results, title: str) -> Iterator[Picture]:
    """One picture of the score, and one of each feature."""
    for index, (name, agreement) in enumerate(finding.agreements.items()):
        stem = f"observed_{index}_" + re.sub(r"[^A-Za-z0-9.+-]+", "_", name).strip("_.")[:40]
        label = axis_label(name, results.titles)
        if name == SCORE:
            stem, label = "observed", f"probability of {one_line(results.signal, 24)}"
        yield Picture(
            stem, _figure(agreement, finding, results, label, title), CAPTION, (_series(name, agreement, finding),)
        )


def _figure(agreement: Agreement, finding: DataAgreement, results: Results, label: str, title: str) -> Figure:
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    total, error = agreement.expected.sum(axis=0), np.sqrt(agreement.squares)
    _stack(top, agreement, finding, results)
    _band(top, agreement.edges, total - error, total + error, "MC stat. uncertainty")
    centres, data = (agreement.edges[1:] + agreement.edges[:-1]) / 2, agreement.seen
    measured = agreement.seen_squares > 0
    style = {"fmt": "o", "color": BLACK, "markersize": 3.2, "elinewidth": 1}
    top.errorbar(centres[measured], data[measured], np.sqrt(agreement.seen_squares[measured]), label="data", **style)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, spread, band = data / total, np.sqrt(agreement.seen_squares) / total, error / total
    drawn = measured & (total > 0)
    bottom.errorbar(centres[drawn], ratio[drawn], spread[drawn], **style)
    _band(bottom, agreement.edges, np.where(total > 0, 1 - band, 1), np.where(total > 0, 1 + band, 1), None)
    bottom.axhline(1, color=BLACK, linewidth=0.8)
    reach = 1.0
    if drawn.any():
        reach = float(np.clip(np.quantile(np.abs(ratio[drawn] - 1) + spread[drawn], 0.9), 0.1, 1))
    bottom.set(xlabel=label, xlim=(agreement.edges[0], agreement.edges[-1]), ylim=(1 - 1.3 * reach, 1 + 1.3 * reach))
    bottom.set_ylabel("data / MC", loc="center")
    top.set_ylabel("events" + ", MC scaled to data" * finding.scaled)
    _set_limits(top, total, data)
    p = ""
    if agreement.p is not None:
        p = f"χ²/ndf = {agreement.chi2:.1f}/{agreement.ndf}, {equation(agreement.p)}"
    top.legend(loc="upper center", ncols=2, title=p, columnspacing=1.2)
    top.set_title(title)
    return figure


def _stack(ax: Axes, agreement: Agreement, finding: DataAgreement, results: Results) -> None:
    """Stack the expected events of the classes, with the signal on top."""
    palette = colours(results.classes, results.signal)
    base = np.zeros(len(agreement.seen))
    for name in sorted(finding.classes, key=lambda name: name == results.signal):
        top = base + agreement.expected[finding.classes.index(name)]
        ax.stairs(
            top, agreement.edges, baseline=base, fill=True, color=palette[name], alpha=0.35, label=one_line(name, 20)
        )
        ax.stairs(top, agreement.edges, color=palette[name], linewidth=1)
        base = top


def _band(ax: Axes, edges: object, low: object, high: object, label: str | None) -> None:
    style = {"fill": True, "facecolor": "none", "edgecolor": GREY, "hatch": "/////", "linewidth": 0}
    ax.stairs(high, edges, baseline=low, label=label, **style)  # type: ignore[arg-type]


def _set_limits(ax: Axes, total: object, data: object) -> None:
    """Make the axis logarithmic where the counts span a factor above 100."""
    counts = np.concatenate([np.asarray(total), np.asarray(data)])
    high = float(counts.max(initial=1.0))
    low = float(counts[counts > 0].min(initial=high))
    if high > 100 * low:
        ax.set_yscale("log")
        ax.set_ylim(low / 2, high * (2 * high / low) ** 0.5)
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.5 * high)


def _series(name: str, agreement: Agreement, finding: DataAgreement) -> Series:
    columns = {
        "low": agreement.edges[:-1],
        "high": agreement.edges[1:],
        "data": agreement.seen,
        "data_error": np.sqrt(agreement.seen_squares),
    }
    columns |= {"expected": agreement.expected.sum(axis=0), "expected_error": np.sqrt(agreement.squares)}
    columns |= {f"expected {class_name}": agreement.expected[i] for i, class_name in enumerate(finding.classes)}
    return Series(name, columns)

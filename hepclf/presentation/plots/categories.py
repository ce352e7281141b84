"""What each category is worth before and above its cut, and all of them together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.categories import Region, Regions
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series
from hepclf.presentation.plots.style import BLUE, GREY, VERMILLION
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.value import NOTHING, Value

KINDS = {"s_over_sqrt_b": "S/√B", "asimov_systematic": "Asimov, B uncertain"}
WHEN = (("before the cut", GREY, "o", 0.12), ("above the cut", VERMILLION, "s", -0.12))
ALL = "combined"


def categories(found: Regions, _: Results, title: str) -> Iterator[Picture]:
    """A panel a measure: a line a category, the combination below them."""
    rows = {kind: _rows(found, kind) for kind in KINDS}
    names = [one_line(name, 24) for name in (*found.regions, ALL)]
    figure = Figure(figsize=(7.2, 1.9 + 0.45 * len(names)))
    for ax, kind in zip(figure.subplots(1, 2, sharey=True), KINDS, strict=True):
        _panel(ax, rows[kind], len(names))
        ax.set_xlabel(KINDS[kind])
    left, right = figure.axes
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    right.set_title(title)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    yield Picture(
        "categories",
        figure,
        "What each category is worth on test before its cut and above it (chosen on validation), and all together: "
        "S/√B in quadrature, the other as one likelihood whose background systematic is common to all. A category "
        "without a point has too little background for a significance.",
        tuple(_series(KINDS[kind], (*found.regions, ALL), rows[kind]) for kind in KINDS),
    )


def _rows(found: Regions, kind: str) -> list[list[Value]]:
    """The measure of each region and of all, before and after the cut."""
    return [
        [*(_of(region, kind, index, found.rules) for region in found.regions.values()), found.combined(index)[kind]]
        for index in (0, 1)
    ]


def _of(region: Region, kind: str, index: int, rules: Rules) -> Value:
    return region.at(index).figure(kind, rules) if region.counts(index) else NOTHING


def _panel(ax: Axes, rows: list[list[Value]], count: int) -> None:
    for values, (label, colour, marker, shift) in zip(rows, WHEN, strict=True):
        x = np.array([np.nan if one.value is None else one.value for one in values], dtype=np.float64)
        errors, y = [one.error or 0.0 for one in values], np.arange(count) - shift
        ax.errorbar(x, y, xerr=errors, fmt=marker, color=colour, markersize=6, elinewidth=1.4, label=label)
    ax.axhspan(count - 1.5, count - 0.5, color=BLUE, alpha=0.1, linewidth=0)
    ax.set_ylim(-0.5, count - 0.5)
    ax.set_xlim(-0.03 * ax.get_xlim()[1], None)
    ax.tick_params(axis="y", which="minor", left=False, right=False)


def _series(name: str, names: tuple[str, ...], rows: list[list[Value]]) -> Series:
    columns: dict[str, list[float] | tuple[str, ...]] = {"category": names}
    for values, when in zip(rows, ("before", "after"), strict=True):
        columns[when] = [np.nan if one.value is None else one.value for one in values]
        columns[f"{when}_error"] = [np.nan if one.error is None else one.error for one in values]
    return Series(name, columns)

"""The significance of each category before and above its cut, and of all categories together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.categories import Region, Regions
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, value_columns
from hepclf.presentation.plots.style import BLUE, GREY, VERMILLION
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.value import NOTHING, Value

MEASURES = {"s_over_sqrt_b": "S/√B", "asimov_systematic": "Asimov Z with $\\sigma_B$"}
STAGES = (("before the cut", GREY, "o", 0.12), ("above the cut", VERMILLION, "s", -0.12))
COMBINED = "combined"


def pictures(finding: Regions, _: Results, title: str) -> Iterator[Picture]:
    """A panel for each measure, with a line for each category and the combination below them."""
    rows = {measure: _rows(finding, measure) for measure in MEASURES}
    names = [one_line(name, 24) for name in (*finding.regions, COMBINED)]
    figure = Figure(figsize=(7.2, 1.9 + 0.45 * len(names)))
    for ax, measure in zip(figure.subplots(1, 2, sharey=True), MEASURES, strict=True):
        _panel(ax, rows[measure], len(names))
        ax.set_xlabel(MEASURES[measure])
    first_ax, last_ax = figure.axes
    first_ax.set_yticks(range(len(names)), names)
    first_ax.invert_yaxis()
    last_ax.set_title(title)
    figure.legend(*first_ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    yield Picture(
        "categories",
        figure,
        "Expected significance of each category and of their combination, on test, before and above cuts chosen on "
        "validation. S/√B combines in quadrature, Asimov Z in one likelihood with a correlated systematic. A category "
        "without a point has too little background for a significance.",
        tuple(_series(MEASURES[measure], (*finding.regions, COMBINED), rows[measure]) for measure in MEASURES),
    )


def _rows(finding: Regions, measure: str) -> list[list[Value]]:
    """The measure of each region and of their combination, before and after the cut."""
    return [
        [
            *(_measure(region, measure, stage, finding.rules) for region in finding.regions.values()),
            finding.combined(stage)[measure],
        ]
        for stage in (0, 1)
    ]


def _measure(region: Region, measure: str, stage: int, rules: Rules) -> Value:
    if not region.counts(stage):
        return NOTHING
    return region.yields(stage).figure(measure, rules)


def _panel(ax: Axes, rows: list[list[Value]], count: int) -> None:
    for values, (label, colour, marker, shift) in zip(rows, STAGES, strict=True):
        (x, errors), y = value_columns(values), np.arange(count) - shift
        ax.errorbar(
            x, y, xerr=np.nan_to_num(errors), fmt=marker, color=colour, markersize=6, elinewidth=1.4, label=label
        )
    ax.axhspan(count - 1.5, count - 0.5, color=BLUE, alpha=0.1, linewidth=0)
    ax.set_ylim(-0.5, count - 0.5)
    ax.set_xlim(-0.03 * ax.get_xlim()[1], None)
    ax.tick_params(axis="y", which="minor", left=False, right=False)


def _series(name: str, names: tuple[str, ...], rows: list[list[Value]]) -> Series:
    columns: dict[str, Any] = {"category": names}
    for values, stage in zip(rows, ("before", "after"), strict=True):
        columns[stage], columns[f"{stage}_error"] = value_columns(values)
    return Series(name, columns)

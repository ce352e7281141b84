"""The rejections of a discriminant against its class fractions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.discriminants import ClassDiscriminants, Discriminant
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import DASHES, GREY, colours


def pictures(finding: ClassDiscriminants, results: Results, title: str) -> Iterator[Picture]:
    """A picture for each varied class fraction, at the middle signal efficiency."""
    for row, (name, discriminant) in enumerate(finding.discriminants.items()):
        for place, varied in enumerate(discriminant.trades):
            yield _picture(
                f"fractions_{row + 1}_{place + 1}", name, discriminant, varied, results, _validation_title(title)
            )


def _picture(stem: str, name: str, discriminant: Discriminant, varied: str, results: Results, title: str) -> Picture:
    column = (len(discriminant.targets) - 1) // 2
    target = discriminant.targets[column]
    series = _series(discriminant, results.classes, varied, column)
    return Picture(
        stem,
        panel(lambda ax: _draw(ax, results, name, discriminant, series, varied), title),
        f"Rejection of each other class in the validation set, ±1σ, against the fraction of {varied} in the "
        f"discriminant of {name}, at an efficiency of {target:g} for {name}. The dashed line marks the fraction in "
        "use.",
        series,
    )


def _validation_title(title: str) -> str:
    """The title with validation instead of test: the scan uses validation, so that fractions may be tuned on it."""
    if not title.endswith("test"):
        return title
    return f"{title.removesuffix('test')}validation"


def _series(discriminant: Discriminant, classes: tuple[str, ...], varied: str, column: int) -> tuple[Series, ...]:
    trade = discriminant.trades[varied]
    series = []
    for label, name in enumerate(classes):
        if label != discriminant.target:
            efficiency, error = trade.efficiency[:, label, column], trade.error[:, label, column]
            positive = efficiency > 0
            rejection = np.divide(1, efficiency, out=np.full(len(efficiency), np.nan), where=positive)
            columns = {"fraction": trade.values, "rejection": rejection, "rejection_error": error * rejection**2}
            series.append(Series(name, columns))
    return tuple(series)


def _draw(
    ax: Axes, results: Results, name: str, discriminant: Discriminant, series: tuple[Series, ...], varied: str
) -> None:
    palette = colours(results.classes, name)
    for rejections, dashes in zip(series, cycle(DASHES), strict=False):
        x, y, error = (np.asarray(column, dtype=np.float64) for column in rejections.columns.values())
        colour, finite = palette[rejections.name], np.isfinite(y)
        ax.plot(x[finite], y[finite], color=colour, linestyle=dashes, label=one_line(rejections.name, 20))
        low, high = np.maximum(y - error, y / 10), y + error
        ax.fill_between(x, low, high, where=finite & np.isfinite(error), color=colour, alpha=0.2, linewidth=0)
    ax.axvline(discriminant.fractions[varied], color=GREY, linewidth=0.9, linestyle="--")
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), xlabel=f"fraction of {one_line(varied, 16)}", ylabel="rejection, 1 / efficiency")
    ax.legend(loc="best", title=f"{one_line(name, 16)} against", alignment="left")

"""What the fractions of a discriminant trade."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.discriminants import Discriminant, Mixtures
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import DASHES, GREY, colours


def discriminants(of: Mixtures, results: Results, title: str) -> Iterator[Picture]:
    """A picture for each class whose fraction is named, at the middle one of the efficiencies."""
    for row, (name, found) in enumerate(of.found.items()):
        for place, other in enumerate(found.trades):
            yield _picture(f"fractions_{row + 1}_{place + 1}", name, found, other, results, _validation(title))


def _picture(stem: str, name: str, of: Discriminant, varied: str, results: Results, title: str) -> Picture:
    column = (len(of.targets) - 1) // 2
    series = _series(of, results.classes, varied, column)
    return Picture(
        stem,
        panel(lambda ax: _draw(ax, results, name, of, series, varied), title),
        f"Rejection of each class, ±1σ, at the cut on the discriminant of {name} that keeps {of.targets[column]:g} of "
        f"it, on validation, as the fraction of {varied} varies; the line marks the one in use.",
        series,
    )


def _validation(title: str) -> str:
    """The title says test; the scan is of validation, so that a fraction may be chosen from it."""
    return f"{title.removesuffix('test')}validation" if title.endswith("test") else title


def _series(of: Discriminant, classes: tuple[str, ...], varied: str, column: int) -> tuple[Series, ...]:
    trade = of.trades[varied]
    found = []
    for label, name in enumerate(classes):
        if label != of.target:
            kept, error = trade.efficiency[:, label, column], trade.error[:, label, column]
            seen = kept > 0
            rejection = np.divide(1, kept, out=np.full(len(kept), np.nan), where=seen)
            columns = {"fraction": trade.values, "rejection": rejection, "rejection_error": error * rejection**2}
            found.append(Series(name, columns))
    return tuple(found)


def _draw(ax: Axes, results: Results, name: str, of: Discriminant, series: tuple[Series, ...], varied: str) -> None:
    palette = colours(results.classes, name)
    for each, dashes in zip(series, cycle(DASHES), strict=False):
        x, y, error = (np.asarray(column, dtype=np.float64) for column in each.columns.values())
        seen = np.isfinite(y)
        ax.plot(x[seen], y[seen], color=palette[each.name], linestyle=dashes, label=one_line(each.name, 20))
        low, high = np.maximum(y - error, y / 10), y + error
        ax.fill_between(x, low, high, where=seen & np.isfinite(error), color=palette[each.name], alpha=0.2, linewidth=0)
    ax.axvline(of.fractions[varied], color=GREY, linewidth=0.9, linestyle="--")
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), xlabel=f"fraction of {one_line(varied, 16)}", ylabel="rejection, 1 / efficiency")
    ax.legend(loc="best", title=f"{one_line(name, 16)} against", alignment="left")

"""Several classes: the composition of each decision, and the curves of pairs of classes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.multiclass import Classes
from hepclf.presentation.plots.confusion import cell_font_size
from hepclf.presentation.plots.label import one_line, wrapped
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import DASHES, SHARES, colours, text_colour
from hepclf.statistics.curves.pairs import Pair
from hepclf.statistics.curves.roc import thinned
from hepclf.statistics.value import Value
from hepclf.words import percent

Array = NDArray[np.float64]


def pictures(finding: Classes, results: Results, title: str) -> Iterator[Picture]:
    """The composition of each decision; the AUC of all pairs beside the signal's curves against each other class."""
    side = 2.6 + 0.75 * len(finding.classes)
    yield Picture(
        "decisions",
        panel(lambda ax: _decisions(ax, finding), title, (side, side)),
        "Rows: true class. Columns: predicted class. A cell has the fraction of the true class among the events with "
        "this prediction (each column sums to one) and the number of events. The fractions depend on the class "
        "proportions.",
        (_table(finding, finding.shares[0], "truth"),),
    )
    figure = Figure(figsize=(side + 5.2, max(side, 4.2)))
    areas_ax, rejections_ax = figure.subplots(1, 2, width_ratios=(side, 5.2))
    _areas(areas_ax, finding)
    curves = _rejection_curves(finding, results.signal)
    _rejections(rejections_ax, curves, finding, results.signal)
    rejections_ax.set_title(title)
    yield Picture(
        "pairs",
        figure,
        "Left: AUC of each pair of classes, separated by p/(p + q) with their probabilities p and q. Right: rejection "
        f"of each other class against the efficiency of {one_line(results.signal)}.",
        (
            _table(
                finding, np.array([[value.value for value in row] for row in finding.areas], dtype=np.float64), "class"
            ),
            *curves,
        ),
    )


def _table(finding: Classes, cells: Array, first: str) -> Series:
    columns = {name: cells[:, i] for i, name in enumerate(finding.classes)}
    return Series(first, {first: list(finding.classes), **columns})


def _decisions(ax: Axes, finding: Classes) -> None:
    shares, _ = finding.shares
    texts = [
        [f"{percent(share)}\n{count:,}" for share, count in zip(*row, strict=True)]
        for row in zip(shares, finding.cells.counts, strict=True)
    ]
    _matrix(ax, finding.classes, np.clip(shares, 0, 1), texts)
    ax.set(xlabel="predicted class", ylabel="true class")


def _areas(ax: Axes, finding: Classes) -> None:
    areas = np.array([[value.value for value in row] for row in finding.areas], dtype=np.float64)
    texts = [[_area_text(value) for value in row] for row in finding.areas]
    # The colours begin at 0.5, the AUC of a random classifier.
    _matrix(ax, finding.classes, np.clip(2 * areas - 1, 0, 1), texts)
    ax.set_xlabel("AUC of each pair")


def _area_text(area: Value) -> str:
    if area.value is None:
        return ""
    return f"{area.value:.3f}"


def _matrix(ax: Axes, names: tuple[str, ...], shades: Array, texts: list[list[str]]) -> None:
    k = len(names)
    size = cell_font_size(k)
    ax.imshow(shades, cmap=SHARES, vmin=0, vmax=1)
    for (row, column), shade in np.ndenumerate(shades):
        colour = text_colour(shade, 0.5)
        ax.text(column, row, texts[row][column], ha="center", va="center", fontsize=size, color=colour)
    labels = [wrapped(name, {3: 15}.get(k, 12)) for name in names]
    ax.set_xticks(range(k), labels, fontsize=size)
    ax.set_yticks(range(k), labels, fontsize=size, rotation=90 * (k <= 4), va="center")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_tick_params(length=0)


def _rejection_curves(finding: Classes, signal: str) -> tuple[Series, ...]:
    """Rejection of each other class against the signal efficiency, where events of that class pass the cut."""
    label, curves = finding.classes.index(signal), []
    for pair in finding.pairs:
        if label in (pair.first, pair.second) and pair.curve.defined:
            x, efficiency = _efficiencies(pair, label)
            background = finding.classes[pair.first + pair.second - label]
            curves.append(
                Series(background, {"efficiency": x[efficiency > 0], "rejection": 1 / efficiency[efficiency > 0]})
            )
    return tuple(curves)


def _rejections(ax: Axes, curves: tuple[Series, ...], finding: Classes, signal: str) -> None:
    palette, highest = colours(finding.classes, signal), 10.0
    for (background, columns), dashes in zip(curves, cycle(DASHES), strict=False):
        x, y = (np.asarray(column, dtype=np.float64) for column in columns.values())
        highest = max(highest, float(y.max(initial=1.0)))
        ax.plot(x, y, color=palette[background], linestyle=dashes, label=one_line(background, 20))
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, 4 * highest))
    ax.set(xlabel=f"efficiency of {one_line(signal, 16)}", ylabel="rejection, 1 / efficiency")
    if curves:
        ax.legend(loc="upper right", title=f"{one_line(signal, 16)} against", alignment="left")


def _efficiencies(pair: Pair, label: int) -> tuple[Array, Array]:
    """Efficiencies of this class and of the other one of the pair, above rising thresholds on this class."""
    x, y = pair.curve.signal_efficiency, pair.curve.background_efficiency
    if pair.first != label:
        # The second class is selected below the thresholds of the first.
        x, y = (1 - y)[::-1], (1 - x)[::-1]
    index = thinned(x, y)
    return x[index], y[index]

"""Several classes: what decisions are made of, and the classes two by two."""

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
from hepclf.presentation.plots.label import one_line, wrapped
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import DASHES, SHARES, colours
from hepclf.statistics.curves.pairs import Pair
from hepclf.statistics.curves.roc import thinned
from hepclf.words import percent

Array = NDArray[np.float64]


def multiclass(of: Classes, results: Results, title: str) -> Iterator[Picture]:
    """What decisions are made of; the areas of all pairs beside the signal's curve against each other class."""
    side = 2.6 + 0.75 * len(of.classes)
    yield Picture(
        "decisions",
        panel(lambda ax: _decisions(ax, of), title, (side, side)),
        "Truth by row, decision by column: the share of each decision that is truly of a class (each column sums to "
        "one), and the number of events. It depends on how many of each class there are.",
        (_table(of, of.shares[0], "truth"),),
    )
    figure = Figure(figsize=(side + 5.2, max(side, 4.2)))
    left, right = figure.subplots(1, 2, width_ratios=(side, 5.2))
    _areas(left, of)
    lines = _lines(of, results.signal)
    _rejections(right, lines, of, results.signal)
    right.set_title(title)
    yield Picture(
        "pairs",
        figure,
        "Left: the area under the curve of each pair of classes p and q, told apart by p/(p + q). Right: that of "
        f"{one_line(results.signal)} against each other class, as rejection against efficiency.",
        (_table(of, np.array([[v.value for v in row] for row in of.areas], dtype=np.float64), "class"), *lines),
    )


def _table(of: Classes, cells: Array, first: str) -> Series:
    columns = {name: cells[:, i] for i, name in enumerate(of.classes)}
    return Series(first, {first: list(of.classes), **columns})


def _decisions(ax: Axes, of: Classes) -> None:
    shares, _ = of.shares
    texts = [
        [f"{percent(share)}\n{count:,}" for share, count in zip(*row, strict=True)]
        for row in zip(shares, of.cells.counts, strict=True)
    ]
    _matrix(ax, of.classes, np.clip(shares, 0, 1), texts)
    ax.set(xlabel="decision", ylabel="truth")


def _areas(ax: Axes, of: Classes) -> None:
    areas = np.array([[value.value for value in row] for row in of.areas], dtype=np.float64)
    texts = [["" if np.isnan(cell) else f"{cell:.3f}" for cell in row] for row in areas]
    # Half is chance: the colours begin there.
    _matrix(ax, of.classes, np.clip(2 * areas - 1, 0, 1), texts)
    ax.set_xlabel("AUC of each pair")


def _matrix(ax: Axes, names: tuple[str, ...], shades: Array, texts: list[list[str]]) -> None:
    k = len(names)
    size = 11 if k <= 4 else max(11 - 0.7 * (k - 4), 6)
    ax.imshow(shades, cmap=SHARES, vmin=0, vmax=1)
    for (row, column), shade in np.ndenumerate(shades):
        colour = "white" if shade > 0.5 else "black"
        ax.text(column, row, texts[row][column], ha="center", va="center", fontsize=size, color=colour)
    labels = [wrapped(name, {3: 15}.get(k, 12)) for name in names]
    ax.set_xticks(range(k), labels, fontsize=size)
    ax.set_yticks(range(k), labels, fontsize=size, rotation=90 if k <= 4 else 0, va="center")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_tick_params(length=0)


def _lines(of: Classes, signal: str) -> tuple[Series, ...]:
    """Rejection of each other class against the efficiency of the signal, as far as the other is left."""
    place, found = of.classes.index(signal), []
    for pair in of.pairs:
        if place in (pair.first, pair.second) and pair.curve.defined:
            x, kept = _against(pair, place)
            other = of.classes[pair.second if pair.first == place else pair.first]
            found.append(Series(other, {"efficiency": x[kept > 0], "rejection": 1 / kept[kept > 0]}))
    return tuple(found)


def _rejections(ax: Axes, lines: tuple[Series, ...], of: Classes, signal: str) -> None:
    palette, highest = colours(of.classes, signal), 10.0
    for (other, columns), dashes in zip(lines, cycle(DASHES), strict=False):
        x, y = (np.asarray(column, dtype=np.float64) for column in columns.values())
        highest = max(highest, float(y.max(initial=1.0)))
        ax.plot(x, y, color=palette[other], linestyle=dashes, label=one_line(other, 20))
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, 4 * highest))
    ax.set(xlabel=f"efficiency of {one_line(signal, 16)}", ylabel="rejection, 1 / efficiency of the other")
    if lines:
        ax.legend(loc="upper right", title=f"{one_line(signal, 16)} against", alignment="left")


def _against(pair: Pair, place: int) -> tuple[Array, Array]:
    """Efficiency of the class at this place, and of the other, above thresholds that rise with its probability."""
    x, y = pair.curve.signal_efficiency, pair.curve.background_efficiency
    if pair.first != place:
        # Below the same thresholds the roles are turned.
        x, y = (1 - y)[::-1], (1 - x)[::-1]
    index = thinned(x, y)
    return x[index], y[index]

"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from hepclf.evaluation.results import Results
from hepclf.presentation.plots.label import weight_label, wrapped
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import SHARES, text_colour
from hepclf.statistics.confusion import Confusion
from hepclf.words import percent

CAPTION = (
    "Rows: true class. Columns: predicted class. A cell has the fraction of the true class and the sum of weights."
)


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The matrix of the last split."""
    split, classes = list(results.splits.values())[-1], results.classes
    side = 2.6 + 0.75 * len(classes)
    figure = panel(lambda ax: draw_confusion(ax, split.confusion, classes, split.threshold), title, (side, side))
    yield Picture("confusion", figure, CAPTION, (_series(split.confusion, classes),))


def draw_confusion(ax: Axes, matrix: Confusion, classes: tuple[str, ...], threshold: float | None = None) -> None:
    """Draw truth by row and decision by column, with the fraction of the true class as colour.

    The text of a cell is that fraction and the sum of weights.
    """
    k = len(classes)
    size = cell_font_size(k)
    ax.imshow(np.clip(matrix.fractions, 0, 1), cmap=SHARES, vmin=0, vmax=1)
    for (row, column), fraction in np.ndenumerate(matrix.fractions):
        text = f"{percent(fraction)}\n{weight_label(float(matrix.weights[row, column]))}"
        ax.text(column, row, text, ha="center", va="center", fontsize=size, color=text_colour(fraction, 0.5))
    names = [wrapped(name, {2: 18, 3: 15}.get(k, 12)) for name in classes]
    ax.set_xticks(range(k), names, fontsize=size)
    ax.set_yticks(range(k), names, fontsize=size, rotation=90 * (k <= 4), va="center")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_tick_params(length=0)
    ax.set(xlabel="predicted class", ylabel="true class")
    if threshold is not None:
        ax.set_xlabel(f"predicted class, cut {threshold:.3g}")


def cell_font_size(classes: int) -> float:
    """The font size in the cells of a matrix, smaller for more classes."""
    return min(11.0, max(11 - 0.7 * (classes - 4), 6))


def _series(cells: Confusion, classes: tuple[str, ...]) -> Series:
    """Every cell: its sum of weights with the error, and its fraction of the true class."""
    k = len(classes)
    columns: dict[str, Any] = {
        "truth": [classes[i // k] for i in range(k * k)],
        "decision": [classes[i % k] for i in range(k * k)],
        "weights": cells.weights.ravel(),
        "weights_error": np.sqrt(cells.squares).ravel(),
        "share": cells.fractions.ravel(),
    }
    return Series("confusion", columns)

"""The confusion matrix."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from hepclf.evaluation.confusion import Confusion
from hepclf.evaluation.plots.label import count, wrapped
from hepclf.evaluation.plots.style import SHARES


def confusion(ax: Axes, of: Confusion, classes: tuple[str, ...]) -> None:
    """Truth by row, decision by column: the share of the true class as colour, that and the sum of weights as text."""
    k = len(classes)
    ax.imshow(np.clip(of.fractions, 0, 1), cmap=SHARES, vmin=0, vmax=1)
    size = 11 if k <= 4 else max(11 - 0.7 * (k - 4), 5)
    for row in range(k):
        for column in range(k):
            share = of.fractions[row, column]
            text = f"{100 * share:.1f} %" if np.isfinite(share) else "–"
            ax.text(
                column,
                row,
                f"{text}\n{count(of.weights[row, column])}",
                ha="center",
                va="center",
                fontsize=size,
                color="white" if share > 0.5 else "black",
            )
    names = [wrapped(name) for name in classes]
    ax.set_xticks(range(k), names, fontsize=size)
    ax.set_yticks(range(k), names, fontsize=size, rotation=90 if k <= 4 else 0, va="center")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_tick_params(length=0)
    ax.set(xlabel="decided class", ylabel="true class")

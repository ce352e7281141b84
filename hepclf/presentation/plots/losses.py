"""The losses of each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hepclf.presentation.plots.style import BLACK, BLUE, VERMILLION

# With more epochs than this, markers would only hide the line.
MAX_MARKED = 40


def draw_losses(ax: Axes, history: Mapping[str, Sequence[float]]) -> None:
    """Draw training and validation loss, and mark the epoch with the lowest validation loss."""
    epochs = np.asarray(history["epoch"], dtype=np.int64)
    train, valid = (np.asarray(history[name], dtype=np.float64) for name in ("train_loss", "valid_loss"))
    marker = "o" if len(epochs) <= MAX_MARKED else ""
    for loss, label, colour in ((train, "training", BLUE), (valid, "validation", VERMILLION)):
        if np.isfinite(loss).any():
            ax.plot(epochs, loss, color=colour, marker=marker, markersize=3.5, label=label)
    if np.isfinite(valid).any():
        best = int(np.nanargmin(valid))
        label = f"best validation: epoch {epochs[best]}"
        ax.plot(epochs[best], valid[best], "o", color=BLACK, fillstyle="none", markersize=11, label=label)
    if len(epochs) == 1:
        ax.set_xlim(epochs[0] - 1, epochs[0] + 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], nbins=40))
    ax.set(xlabel="epoch", ylabel="loss")
    ax.margins(y=0.1)
    ax.legend(loc="best")

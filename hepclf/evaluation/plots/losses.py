"""The losses of each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hepclf.evaluation.plots.style import BLACK, BLUE, VERMILLION

# With more epochs than these, markers would only hide the line.
MARKED = 40


def losses(ax: Axes, history: Mapping[str, Sequence[float]]) -> None:
    """Training and validation loss, the epoch with the least validation loss marked: the one that is kept."""
    epochs = np.asarray(history["epoch"], dtype=np.int64)
    marker = "o" if len(epochs) <= MARKED else ""
    for name, label, colour in (("train_loss", "training", BLUE), ("valid_loss", "validation", VERMILLION)):
        loss = np.asarray(history[name], dtype=np.float64)
        if np.isfinite(loss).any():
            ax.plot(epochs, loss, color=colour, marker=marker, markersize=3.5, label=label)
    valid = np.asarray(history["valid_loss"], dtype=np.float64)
    if np.isfinite(valid).any():
        best = int(np.nanargmin(valid))
        ax.axvline(epochs[best], color=BLACK, linewidth=0.8, linestyle=":")
        ax.plot(
            epochs[best], valid[best], "*", color=BLACK, markersize=11, label=f"best validation: epoch {epochs[best]}"
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.xaxis.set_minor_locator(MaxNLocator(integer=True, nbins=40, min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel="loss")
    ax.legend(loc="upper right")

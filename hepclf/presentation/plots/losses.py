"""The losses of each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hepclf.presentation.plots.picture import Picture, Series, add_legend, panel
from hepclf.presentation.plots.style import BACKGROUND_COLOURS, BLACK, BLUE, GREY, VERMILLION

History = Mapping[str, Sequence[float]]

CAPTION = (
    "Loss of each epoch, with the training weights; the circle marks the lowest validation loss. A validation loss "
    "that rises or stays while the training loss falls is a sign of overtraining. The training loss of a network is "
    "its mean during the epoch, with dropout, and may lie above the validation loss."
)

MEMBERS_CAPTION = (
    "Loss of each epoch, with the training weights; a colour for each member, which is the training of a fold, and a "
    "circle at its lowest validation loss. A validation loss that rises or stays while the training loss falls is a "
    "sign of overtraining. The training loss of a network is its mean during the epoch, with dropout, and may lie "
    "above the validation loss."
)
MEMBER = "member"

# With more epochs than this, markers would only hide the line.
MAX_MARKED = 40


def pictures(history: History, title: str) -> Iterator[Picture]:
    """The loss by epoch; none without epochs. In folds each member has its lines."""
    if not len(history["epoch"]):
        return
    if MEMBER in history:
        names = (MEMBER, "epoch", "train_loss", "valid_loss")
        series = Series("losses", {name: history[name] for name in names})
        figure = panel(lambda ax: draw_members(ax, history), title)
        add_legend(figure, columns=3)
        yield Picture("losses", figure, MEMBERS_CAPTION, (series,))
    else:
        series = Series("losses", {name: history[name] for name in ("epoch", "train_loss", "valid_loss")})
        yield Picture("losses", panel(lambda ax: draw_losses(ax, history), title), CAPTION, (series,))


def draw_members(ax: Axes, history: History) -> None:
    """Draw the losses of the members in colours of their own, and mark the lowest validation loss of each.

    With more members than colours, the colours repeat and only the kinds of lines have a label.
    """
    members, epochs = (np.asarray(history[name], dtype=np.int64) for name in (MEMBER, "epoch"))
    train, valid = (np.asarray(history[name], dtype=np.float64) for name in ("train_loss", "valid_loss"))
    numbers = np.unique(members)
    are_named = len(numbers) <= len(BACKGROUND_COLOURS)
    for member, colour in zip(numbers.tolist(), cycle(BACKGROUND_COLOURS)):
        rows = members == member
        label = f"member {member}" * are_named
        ax.plot(epochs[rows], train[rows], color=colour, linewidth=0.9, linestyle="--")
        ax.plot(epochs[rows], valid[rows], color=colour, linewidth=0.9, label=label)
        if np.isfinite(valid[rows]).any():
            best = int(np.nanargmin(valid[rows]))
            ax.plot(epochs[rows][best], valid[rows][best], "o", color=colour, fillstyle="none", markersize=9)
    for label, dashes in (("validation", "-"), ("training", "--")):
        ax.plot([], [], color=GREY, linewidth=0.9, linestyle=dashes, label=label)
    ax.plot([], [], "o", color=GREY, fillstyle="none", markersize=9, label="best validation")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], nbins=40))
    ax.set(xlabel="epoch", ylabel="loss")
    ax.margins(y=0.1)


def draw_losses(ax: Axes, history: History) -> None:
    """Draw training and validation loss, and mark the epoch with the lowest validation loss."""
    epochs = np.asarray(history["epoch"], dtype=np.int64)
    train, valid = (np.asarray(history[name], dtype=np.float64) for name in ("train_loss", "valid_loss"))
    marker = "o" * (len(epochs) <= MAX_MARKED)
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

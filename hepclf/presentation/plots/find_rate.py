"""The loss while the learning rate grows: the learning-rate range test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREY, VERMILLION

Rates = Mapping[str, Sequence[float]]

CAPTION = (
    "Loss of single batches while the learning rate grows from step to step, and this loss smoothed. Where it falls "
    "fastest, the rate is good; beyond the lowest point, it is too large. The suggestion is a tenth of the rate at the "
    "lowest point. The training itself starts from the same weights as without this test."
)


def pictures(rates: Rates, title: str) -> Iterator[Picture]:
    """The loss by learning rate; none without a test."""
    if len(rates["rate"]):
        series = Series("find_rate", {name: rates[name] for name in ("rate", "loss", "smoothed")})
        yield Picture("find_rate", panel(lambda ax: draw_rates(ax, rates), title), CAPTION, (series,))


def draw_rates(ax: Axes, rates: Rates) -> None:
    """Draw the losses over the rate, and mark the suggested rate and that of the training."""
    ax.plot(rates["rate"], rates["loss"], color=GREY, linewidth=0.8, label="single batches")
    ax.plot(rates["rate"], rates["smoothed"], color=BLUE, label="smoothed")
    for name, colour, line in (("suggested", VERMILLION, "--"), ("used", BLACK, ":")):
        (rate,) = rates[name]
        ax.axvline(rate, color=colour, linestyle=line, label=f"{name}: {rate:.2g}")
    ax.set_xscale("log")
    ax.set(xlabel="learning rate", ylabel="loss", ylim=(0, 1.2 * float(np.max(rates["smoothed"]))))
    ax.legend(loc="best")

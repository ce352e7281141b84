"""The bands of a curve: bootstrap against analytic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.bands import Band, Intervals
from hepclf.presentation.plots.picture import TOP, Picture, Series, add_legend
from hepclf.presentation.plots.rejection import highest_measured
from hepclf.presentation.plots.roc import background_label
from hepclf.presentation.plots.style import BLUE, GREY, VERMILLION

Array = NDArray[np.float64]

MAX_ERROR = 1.0  # largest relative error that is drawn: a larger one says that nothing is known


def pictures(intervals: Intervals, results: Results, title: str) -> Iterator[Picture]:
    """The rejection with its bootstrap bands, and the relative errors below it."""
    band = intervals.band
    if not (band.background_efficiency > 0).any():
        return
    figure = Figure(figsize=(5.2, 5.4))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    _rejection(upper, band, intervals.replicas)
    upper.set_ylabel(f"rejection, 1 / {background_label(len(results.classes) > 2)}")
    _errors(lower, band)
    upper.set_title(title, y=TOP)
    add_legend(figure, columns=2)
    columns = {
        "signal_efficiency": band.signal_efficiency,
        "background_efficiency": band.background_efficiency,
        "background_efficiency_error": band.error,
        "bootstrap_low": band.narrow[0],
        "bootstrap_high": band.narrow[1],
        "bootstrap_low_95": band.wide[0],
        "bootstrap_high_95": band.wide[1],
    }
    yield Picture(
        "bands",
        figure,
        "Background rejection with the central 68 and 95 % of bootstrap replicas, in which each event has a Poisson(1) "
        "weight. Below: relative bootstrap error (half of the 68 % band) and analytic error. Where they differ, few or "
        "high-weight events dominate.",
        (Series("bands", columns),),
    )


def _rejection(ax: Axes, band: Band, replicas: int) -> None:
    positive = band.background_efficiency > 0
    x, y = band.signal_efficiency[positive], 1 / band.background_efficiency[positive]
    top = 4 * max(highest_measured(band.background_efficiency, band.error), 10.0)
    for ends, alpha, label in ((band.wide, 0.2, "95 %"), (band.narrow, 0.4, "68 %")):
        low, high = (_inverse(ends[side, positive], 2 * top) for side in (1, 0))
        if not np.isfinite(low).any():
            continue  # the sentences say why
        ax.fill_between(x, low, high, color=BLUE, alpha=alpha, linewidth=0, label=f"{label} of {replicas:,} replicas")
    ax.plot(x, y, color=BLUE, label="measured")
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(ylim=(1, top))


def _errors(ax: Axes, band: Band) -> None:
    region = (band.background_efficiency > 0) & (band.signal_efficiency < 1)
    x, efficiency = band.signal_efficiency[region], band.background_efficiency[region]
    analytic, bootstrap = band.error[region] / efficiency, np.diff(band.narrow[:, region], axis=0)[0] / 2 / efficiency
    analytic, bootstrap = (np.where(error <= MAX_ERROR, error, np.nan) for error in (analytic, bootstrap))
    ax.plot(x, analytic, color=VERMILLION, linestyle="--", label="analytic")
    if np.isfinite(bootstrap).any():
        ax.plot(x, bootstrap, color=BLUE, label="bootstrap")
    ax.axhline(0, color=GREY, linewidth=0.8)
    highest = float(np.nanmax(np.concatenate([analytic, bootstrap, [0.0]])))
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1.5 * highest or MAX_ERROR),  # with room for the legend
        xlabel="signal efficiency",
        ylabel="relative error",
    )
    ax.legend(loc="upper right", ncols=2)


def _inverse(efficiency: Array, highest: float) -> Array:
    """1 / efficiency, at most `highest`, so that it stays finite where no background is left."""
    return 1 / np.maximum(efficiency, 1 / highest)

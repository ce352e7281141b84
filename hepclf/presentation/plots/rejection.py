"""The background rejection at each signal efficiency."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import Results, SplitResults
from hepclf.presentation.plots.picture import Picture, Series, add_legend, panel
from hepclf.presentation.plots.roc import (
    ONE_VS_REST,
    StyledCurve,
    background_label,
    efficiency_label,
    named_curves,
    styled_curves,
)
from hepclf.presentation.plots.style import BLACK, GREY, VERMILLION
from hepclf.statistics.curves.roc import Roc

Array = NDArray[np.float64]
NARROW = 0.01  # signal efficiency below which the region of the limit is too narrow to be seen
CAPTION = (
    "Background rejection, 1 / background efficiency, against signal efficiency. The squares are the ROC curve at "
    "fixed signal efficiency, threshold uncertainty included: band and bars, ±1σ, are 1 / (efficiency ± its error). "
    "The table of cuts chosen on validation has fixed thresholds, so its errors lack that part."
)


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The rejection in the last split; none where no background is rejected."""
    name, split = list(results.splits.items())[-1]
    if highest_rejection(split, name, results.signal) > 1:
        figure = panel(lambda ax: draw_rejection(ax, split, name=name, signal=results.signal), title)
        legend_title = "bands ±1σ"
        if split.one_vs_rest:
            legend_title = f"{ONE_VS_REST}, bands ±1σ"
        add_legend(figure, legend_title, columns=2)
        yield Picture("rejection", figure, CAPTION, tuple(_series(split, name)))


def draw_rejection(ax: Axes, split: SplitResults, *, name: str = "test", signal: str = "signal") -> None:
    """Draw 1 / background efficiency against signal efficiency, its error band and points at fixed efficiency."""
    for curve in styled_curves(split, name, signal):
        _curve(ax, curve)
    several = bool(split.one_vs_rest)
    top = 4 * max(highest_rejection(split, name, signal), 10)
    if not several:
        _limit(ax, split.roc, top)
        _points(ax, split, name)
    if split.operating and split.operating.background_efficiency > 0:
        x, background = split.operating
        label = f"cut {split.threshold:.3g}"
        ax.plot(x, 1 / background, "o", color=VERMILLION, markersize=7, label=label, clip_on=False, zorder=5)
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, top), xlabel=efficiency_label(several))
    ax.set_ylabel(f"rejection, 1 / {background_label(several)}")


def highest_rejection(split: SplitResults, name: str, signal: str) -> float:
    """The highest measured rejection among the curves of a split; 1 says that there is nothing to draw."""
    rocs = (curve.roc for curve in styled_curves(split, name, signal))
    return max((highest_measured(roc.background_efficiency, roc.background_error) for roc in rocs), default=1.0)


def highest_measured(efficiency: Array, error: Array) -> float:
    """The highest rejection with a relative error below one, or the highest of all where there is none."""
    positive = efficiency > 0
    significant = positive & (error < efficiency)
    if significant.any():
        positive = significant
    return float(1 / efficiency[positive].min())


def _curve(ax: Axes, curve: StyledCurve) -> None:
    """Draw a curve and its band, efficiency ± error; where that reaches zero, the band is open at the top."""
    passed = curve.roc.background_efficiency > 0
    columns = (curve.roc.signal_efficiency, curve.roc.background_efficiency, curve.roc.background_error)
    x, background, error = (column[passed] for column in columns)
    ax.plot(x, 1 / background, color=curve.colour, linestyle=curve.dashes, label=curve.label)
    high = 1 / np.maximum(background - error, 1e-12)
    ax.fill_between(
        x, 1 / (background + error), high, where=np.isfinite(error), color=curve.colour, alpha=0.2, linewidth=0
    )


def _limit(ax: Axes, roc: Roc | None, top: float) -> None:
    """Where no background is left, draw the lower limit of the rejection at 95 % and hatch the region above it."""
    if roc is None or roc.limit is None or not (roc.background_efficiency > 0).any():
        return
    end = float(roc.signal_efficiency[np.argmax(roc.background_efficiency > 0)])
    if end < NARROW:
        return
    label = f"no background left: > {float(f'{roc.limit.at_95:.3g}'):,.4g} (95 %)"
    low = np.full(2, roc.limit.at_95)
    ax.fill_between(
        [0, end], low, top, facecolor="none", edgecolor=GREY, alpha=0.4, hatch="////", linewidth=0, label=label
    )
    ax.plot([0, end], low, color=GREY, linewidth=1.2)


def _points(ax: Axes, split: SplitResults, name: str) -> None:
    """Draw the points at fixed efficiency, with bars from efficiency - error to efficiency + error."""
    quoted = [(p.signal_efficiency, *p.background_efficiency) for p in split.working_points if p.rejection.value]
    if not quoted:
        return
    x, background, error = np.array(quoted, dtype=np.float64).T
    error = np.nan_to_num(error)
    y = 1 / background
    down, up = y - 1 / (background + error), 1 / np.maximum(background - error, 1e-12) - y
    ax.errorbar(x, y, np.stack([down, up]), fmt="s", color=BLACK, markersize=4, label=f"{name}, at fixed $\\epsilon_s$")


def _series(split: SplitResults, name: str) -> Iterator[Series]:
    """The rejection where any background is left."""
    for label, roc in named_curves(split, name):
        passed = roc.background_efficiency > 0
        efficiency = roc.background_efficiency[passed]
        columns = {
            "signal_efficiency": roc.signal_efficiency[passed],
            "rejection": 1 / efficiency,
            "rejection_error": roc.background_error[passed] / efficiency**2,
        }
        yield Series(label, columns)

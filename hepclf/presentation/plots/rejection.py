"""The background rejection at each signal efficiency."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hepclf.evaluation.results import SplitResults
from hepclf.presentation.plots.roc import ONE_VS_REST, Line, efficiency, lines
from hepclf.presentation.plots.style import BLACK, GREY, VERMILLION
from hepclf.statistics.curves.roc import Roc

Array = NDArray[np.float64]
NARROW = 0.01  # of the signal: less is no region that could be seen


def rejection(ax: Axes, split: SplitResults, *, name: str = "test", signal: str = "signal") -> None:
    """1 / background efficiency against signal efficiency, with the band of its error and the quoted points."""
    for line in lines(split, name, signal):
        _line(ax, line)
    several = bool(split.one_vs_rest)
    top = 4 * max(highest(split, name, signal), 10)
    if not several:
        _limit(ax, split.roc, top)
        _points(ax, split)
    if split.operating and split.operating.background_efficiency > 0:
        x, background = split.operating
        label = f"cut {split.threshold:.3g}"
        ax.plot(x, 1 / background, "o", color=VERMILLION, markersize=7, label=label, clip_on=False, zorder=5)
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, top), xlabel=efficiency(several))
    ax.set_ylabel("rejection, 1 / efficiency of the rest" if several else "rejection, 1 / background efficiency")
    title = f"{ONE_VS_REST}, bands ±1σ" if several else "bands ±1σ"
    ax.legend(loc="upper right", title=title, alignment="left", frameon=True, framealpha=0.8, edgecolor="none")


def highest(split: SplitResults, name: str, signal: str) -> float:
    """The greatest rejection that is measured; 1 says that there is nothing to draw."""
    return max(
        (measured(line.of.background_efficiency, line.of.background_error) for line in lines(split, name, signal)),
        default=1.0,
    )


def measured(kept: Array, error: Array) -> float:
    """The greatest rejection whose error is less than itself, or the greatest of all where none is."""
    some = kept > 0
    sure = some & (error < kept)
    return float(1 / kept[sure if sure.any() else some].min())


def _line(ax: Axes, line: Line) -> None:
    """The line and its band, efficiency ± error; where that reaches zero the band is open."""
    some = line.of.background_efficiency > 0
    x, kept, error = (
        getattr(line.of, f)[some] for f in ("signal_efficiency", "background_efficiency", "background_error")
    )
    ax.plot(x, 1 / kept, color=line.colour, linestyle=line.dashes, label=line.label)
    high = 1 / np.maximum(kept - error, 1e-12)
    ax.fill_between(x, 1 / (kept + error), high, where=np.isfinite(error), color=line.colour, alpha=0.2, linewidth=0)


def _limit(ax: Axes, of: Roc | None, top: float) -> None:
    """Where no background is left: what the rejection is greater than at 95 %, and all above as possible."""
    if of is None or of.limit is None or not (of.background_efficiency > 0).any():
        return
    end = float(of.signal_efficiency[np.argmax(of.background_efficiency > 0)])
    if end < NARROW:
        return
    label = f"none left: > {float(f'{of.limit.at_95:.3g}'):,.4g} (95 %)"
    low = np.full(2, of.limit.at_95)
    ax.fill_between(
        [0, end], low, top, facecolor="none", edgecolor=GREY, alpha=0.4, hatch="////", linewidth=0, label=label
    )
    ax.plot([0, end], low, color=GREY, linewidth=1.2)


def _points(ax: Axes, split: SplitResults) -> None:
    """The quoted points, with the interval that the band has there: efficiency ± error, turned over."""
    quoted = [(p.signal_efficiency, *p.background_efficiency) for p in split.working_points if p.rejection.value]
    if not quoted:
        return
    x, kept, error = np.array(quoted, dtype=np.float64).T
    error = np.nan_to_num(error)
    y = 1 / kept
    down, up = y - 1 / (kept + error), 1 / np.maximum(kept - error, 1e-12) - y
    ax.errorbar(x, y, np.stack([down, up]), fmt="s", color=BLACK, markersize=4, label="working points")

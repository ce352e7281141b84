"""The background rejection at each signal efficiency."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.plots.roc import Line, lines
from hepclf.evaluation.plots.style import BLACK, VERMILLION
from hepclf.evaluation.verdict import SplitVerdict


def rejection(ax: Axes, split: SplitVerdict, *, name: str = "test", signal: str = "signal") -> None:
    """1 / background efficiency against signal efficiency, with the band of its error and the quoted points."""
    highest = [_line(ax, line) for line in lines(split, name, signal)]
    if not split.one_vs_rest:
        _points(ax, split)
    if split.operating and split.operating.background_efficiency > 0:
        x, background = split.operating
        ax.plot(x, 1 / background, "o", color=VERMILLION, markersize=7, label=f"cut {split.threshold:.3g}", zorder=5)
    ax.set_yscale("log")
    rest = "rest" if split.one_vs_rest else "background"
    ax.set(xlim=(0, 1), ylim=(1, max(highest, default=1) * 3), xlabel="signal efficiency")
    ax.set_ylabel(f"rejection, 1 / {rest} efficiency")
    ax.legend(loc="upper right", title="one class against the rest" if split.one_vs_rest else None)


def _line(ax: Axes, line: Line) -> float:
    """The line and its band, efficiency ± error; where that reaches zero the band is open. Returns the top."""
    kept, error = line.of.background_efficiency, line.of.background_error
    some = kept > 0
    x, kept, error = line.of.signal_efficiency[some], kept[some], error[some]
    ax.plot(x, 1 / kept, color=line.colour, linestyle=line.dashes, label=line.label)
    if line.dashes == "-" or len(x) == 0:
        pass
    known = np.isfinite(error)
    high = 1 / np.maximum(kept - error, 1e-12)
    ax.fill_between(x[known], 1 / (kept + error)[known], high[known], color=line.colour, alpha=0.2, linewidth=0)
    return float((1 / kept).max(initial=1))


def _points(ax: Axes, split: SplitVerdict) -> None:
    quoted = [(p.signal_efficiency, *p.rejection) for p in split.working_points if p.rejection.value is not None]
    if quoted:
        x, y, error = np.array(quoted, dtype=np.float64).T
        ax.errorbar(x, y, np.nan_to_num(error), fmt="s", color=BLACK, markersize=4, label="working points")

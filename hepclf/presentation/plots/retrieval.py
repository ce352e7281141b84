"""Purity against efficiency, and both against the cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.retrieval import Cuts, Purities
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, VERMILLION

Array = NDArray[np.float64]

LINES = (("signal", VERMILLION, "-"), ("background", BLUE, "--"), ("purity", GREEN, "-."))
PURITY = ("purity", "purity_error", "cut")


def retrieval(found: Purities, results: Results, title: str) -> Iterator[Picture]:
    """Purity against signal efficiency, and what each cut keeps."""
    columns = {name: getattr(found.scan, name) for name in Cuts.__dataclass_fields__}
    yield Picture(
        "purity",
        panel(lambda ax: _purity(ax, found), title),
        "Purity (precision) against signal efficiency (recall), with a band of its statistical error; the dotted line "
        f"is the share of signal before any cut.{_left_over(found)}",
        (Series("purity", {"signal_efficiency": columns["signal"]} | {name: columns[name] for name in PURITY}),),
    )
    yield Picture(
        "kept",
        panel(lambda ax: _kept(ax, found, results.signal), title),
        "What a cut keeps of signal and background, and how pure it is, against the cut, with bands of the statistical "
        f"errors. A cut further right is purer and keeps less.{_left_over(found)}",
        (Series("kept", columns),),
    )


def _left_over(found: Purities) -> str:
    """What the hatched region says, where there is one."""
    if np.isnan(found.scan.purity_above_95).all():
        return ""
    return " Hatched: no simulated background event is left, and the purity lies above the line at 95 % confidence."


def _purity(ax: Axes, found: Purities) -> None:
    scan = found.scan
    label = f"average {with_error(found.average)}" if found.average.value is not None else "purity"
    ax.plot(scan.signal, _measured(scan), color=BLUE, label=label)
    _band(ax, scan.signal, scan.purity, scan.purity_error, BLUE)
    _limit(ax, scan.signal, scan, BLUE)
    ax.axhline(found.prevalence, color=GREY, linestyle=":", linewidth=1.2, label=f"no cut: {found.prevalence:.3g}")
    if found.chosen is not None:
        at = found.chosen
        y = at.purity if at.limit is None else at.purity_above_95
        ax.plot(
            at.signal,
            y,
            "o" if at.limit is None else "^",
            color=VERMILLION,
            markersize=7,
            label=f"cut {found.threshold:.3g}",
            zorder=5,
        )
    ax.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="signal efficiency", ylabel="purity, S / (S + B)")
    ax.legend(loc="lower left", frameon=True, framealpha=0.8, edgecolor="none")


def _kept(ax: Axes, found: Purities, signal: str) -> None:
    scan = found.scan
    for name, colour, dashes in LINES:
        y = _measured(scan) if name == "purity" else getattr(scan, name)
        ax.plot(scan.cut, y, color=colour, linestyle=dashes, label=name if name == "purity" else f"{name} efficiency")
        _band(ax, scan.cut, y, getattr(scan, f"{name}_error"), colour)
    _limit(ax, scan.cut, scan, GREEN)
    if found.threshold is not None:
        ax.axvline(
            found.threshold, ymax=1 / 1.4, color=BLACK, linestyle=":", linewidth=1.2, label=f"cut {found.threshold:.3g}"
        )
    if np.ptp(scan.cut) == 0:
        ax.set_xlim(-0.05, 1.05)
    ax.set(ylim=(0, 1.4), xlabel=f"cut on the probability of {one_line(signal, 20)}", ylabel="share")
    ax.legend(loc="upper center", ncols=2)


def _band(ax: Axes, x: Array, y: Array, error: Array, colour: str) -> None:
    ax.fill_between(x, y - error, y + error, where=np.isfinite(error), color=colour, alpha=0.2, linewidth=0)


def _measured(scan: Cuts) -> Array:
    """The purity where simulated background is left, nan elsewhere."""
    return np.where(np.isnan(scan.purity_above_95), scan.purity, np.nan)


def _limit(ax: Axes, x: Array, scan: Cuts, colour: str) -> None:
    """Where no simulated background event is left: what the purity is greater than, and all above as possible."""
    bounded = np.isfinite(scan.purity_above_95)
    if not bounded.any():
        return
    x, low = x[bounded], scan.purity_above_95[bounded]
    label = "none left: > (95 %)"
    ax.fill_between(x, low, 1, facecolor="none", edgecolor=colour, alpha=0.4, hatch="////", linewidth=0, label=label)
    ax.plot(x, low, color=colour, linewidth=1.2)

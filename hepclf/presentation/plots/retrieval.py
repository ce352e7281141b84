"""Purity against efficiency, and both against the cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.retrieval import Purities, PurityCurve
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series, add_legend, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, VERMILLION

Array = NDArray[np.float64]

STYLES = (("signal", VERMILLION, "-"), ("background", BLUE, "--"), ("purity", GREEN, "-."))
SMALL = 0.05  # purities that are drawn on a logarithmic axis where none is larger
PURITY = ("purity", "purity_error", "cut")


def pictures(finding: Purities, results: Results, title: str) -> Iterator[Picture]:
    """Purity against signal efficiency, and both efficiencies and the purity against the cut."""
    columns = {name: getattr(finding.scan, name) for name in PurityCurve.__dataclass_fields__}
    figure = panel(lambda ax: _purity(ax, finding), title)
    add_legend(figure, columns=2)
    yield Picture(
        "purity",
        figure,
        "Purity (precision) against signal efficiency (recall), with a band of ±1σ. The dotted line is a random "
        f"classifier, which gives the signal fraction before any cut.{_limit_note(finding)}",
        (Series("purity", {"signal_efficiency": columns["signal"]} | {name: columns[name] for name in PURITY}),),
    )
    figure = panel(lambda ax: _efficiencies(ax, finding, results.signal), title)
    add_legend(figure, columns=3)
    yield Picture(
        "kept",
        figure,
        "Signal efficiency, background efficiency and purity against the cut, with bands of ±1σ. A tighter cut is "
        f"purer and less efficient.{_limit_note(finding)}",
        (Series("kept", columns),),
    )


def _limit_note(finding: Purities) -> str:
    """The sentence of the caption on the hatched region, where there is one."""
    if np.isnan(finding.scan.purity_above_95).all():
        return ""
    return (
        " Hatched: no simulated background event is left; the line is the lower limit of the purity at 95 % confidence."
    )


def _purity(ax: Axes, finding: Purities) -> None:
    scan = finding.scan
    label = "purity"
    if finding.average.value is not None:
        label = f"average precision {with_error(finding.average)}"
    ax.plot(scan.signal, _measured_purity(scan), color=BLUE, label=label)
    _band(ax, scan.signal, scan.purity, scan.purity_error, BLUE)
    _draw_limit(ax, scan.signal, scan, BLUE)
    ax.axhline(
        finding.prevalence,
        color=GREY,
        linestyle=":",
        linewidth=1.2,
        label=f"random classifier: {finding.prevalence:.3g}",
    )
    if finding.chosen is not None:
        point = finding.chosen
        if point.limit is None:
            purity, marker = point.purity, "o"
        else:
            purity, marker = point.purity_above_95, "^"
        ax.plot(
            point.signal,
            purity,
            marker,
            color=VERMILLION,
            markersize=7,
            label=f"cut {finding.threshold:.3g}",
            zorder=5,
        )
    ax.set(xlim=(0, 1), xlabel="signal efficiency", ylabel="purity, S / (S + B)")
    purest = np.nanmax(_measured_purity(scan), initial=0.0)
    if 0 < purest < SMALL:
        ax.set(yscale="log", ylim=(finding.prevalence / 3, min(30 * purest, 1.05)))
    else:
        ax.set(ylim=(0, 1.05))


def _efficiencies(ax: Axes, finding: Purities, signal: str) -> None:
    scan = finding.scan
    for name, colour, dashes in STYLES:
        y, label = getattr(scan, name), f"{name} efficiency"
        if name == "purity":
            y, label = _measured_purity(scan), name
        ax.plot(scan.cut, y, color=colour, linestyle=dashes, label=label)
        _band(ax, scan.cut, y, getattr(scan, f"{name}_error"), colour)
    _draw_limit(ax, scan.cut, scan, GREEN)
    if finding.threshold is not None:
        ax.axvline(
            finding.threshold,
            color=BLACK,
            linestyle=":",
            linewidth=1.2,
            label=f"cut {finding.threshold:.3g}",
        )
    if np.ptp(scan.cut) == 0:
        ax.set_xlim(-0.05, 1.05)
    ax.set(ylim=(0, 1.05), xlabel=f"cut on the probability of {one_line(signal, 20)}", ylabel="efficiency or purity")


def _band(ax: Axes, x: Array, y: Array, error: Array, colour: str) -> None:
    ax.fill_between(x, y - error, y + error, where=np.isfinite(error), color=colour, alpha=0.2, linewidth=0)


def _measured_purity(scan: PurityCurve) -> Array:
    """The purity where simulated background is left, nan elsewhere."""
    return np.where(np.isnan(scan.purity_above_95), scan.purity, np.nan)


def _draw_limit(ax: Axes, x: Array, scan: PurityCurve, colour: str) -> None:
    """Where no simulated background is left, draw the lower limit of the purity and hatch the region above it."""
    bounded = np.isfinite(scan.purity_above_95)
    if not bounded.any():
        return
    x, low = x[bounded], scan.purity_above_95[bounded]
    label = "95 % lower limit"
    ax.fill_between(x, low, 1, facecolor="none", edgecolor=colour, alpha=0.4, hatch="////", linewidth=0, label=label)
    ax.plot(x, low, color=colour, linewidth=1.2, linestyle=":")  # no measurement, as the solid curve is

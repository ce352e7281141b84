"""The shifts of the efficiencies with each systematic variation, side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.variations import Shifts
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLUE, GREY, VERMILLION
from hepclf.statistics.curves.chosen import Wish

QUANTITIES = (("signal_efficiency", VERMILLION, "o"), ("background_efficiency", BLUE, "s"))


def pictures(finding: Shifts, results: Results, title: str) -> Iterator[Picture]:
    """A picture for each cut."""
    if not finding.shifted:
        return
    for number, (wish, cut) in enumerate(finding.cuts.items(), 1):
        height = 1.9 + 0.36 * len(finding.shifted)
        yield Picture(
            f"variations_{number}",
            panel(lambda ax, wish=wish: _draw(ax, finding, wish, results.signal), title, (6.2, height)),  # type: ignore[misc]
            f"Relative shifts of the efficiencies by each variation, ±1σ, at the cut for {wish} (score ≥ {cut:.6g}). "
            "The errors are small because nominal and varied events are the same, so that their fluctuations cancel.",
            (_series(finding, wish),),
        )


def _draw(ax: Axes, finding: Shifts, wish: Wish, signal: str) -> None:
    rows = np.arange(len(finding.shifted))
    labels = (f"efficiency of {one_line(signal, 16)}", "background efficiency")
    for (quantity, colour, marker), label, offset in zip(QUANTITIES, labels, (-0.12, 0.12), strict=True):
        x, error = _column(finding, wish, quantity)
        ax.errorbar(
            100 * x,
            rows + offset,
            xerr=100 * np.nan_to_num(error),
            fmt=marker,
            color=colour,
            markersize=4.5,
            label=label,
        )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(rows, [one_line(name, 24) for name in finding.shifted])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(f"shift in %, cut for {wish}")
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _column(finding: Shifts, wish: Wish, quantity: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    shifts = [variation.by_cut[wish][quantity] for variation in finding.shifted.values()]
    values, errors = [shift.value for shift in shifts], [shift.error for shift in shifts]
    return np.array(values, dtype=np.float64), np.array(errors, dtype=np.float64)


def _series(finding: Shifts, wish: Wish) -> Series:
    columns: dict[str, object] = {"variation": list(finding.shifted)}
    for quantity, *_ in QUANTITIES:
        columns[quantity], columns[f"{quantity}_error"] = _column(finding, wish, quantity)
    return Series(f"shifts at the cut for {wish}", columns)  # type: ignore[arg-type]

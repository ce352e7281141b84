"""What systematic variations move, side by side."""

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

DRAWN = (("signal_efficiency", VERMILLION, "o"), ("background_efficiency", BLUE, "s"))


def variations(of: Shifts, results: Results, title: str) -> Iterator[Picture]:
    """A picture for each cut."""
    for place, (wish, cut) in enumerate(of.cuts.items() if of.made else ()):
        height = 1.9 + 0.36 * len(of.made)
        yield Picture(
            f"variations_{place + 1}",
            panel(lambda ax, wish=wish: _draw(ax, of, wish, results.signal), title, (6.2, height)),  # type: ignore[misc]
            f"Relative shifts of the efficiencies of the cut for {wish} (score ≥ {cut:.6g}) with each variation, ±1σ: "
            "the error is small where nominal and varied events are the same ones.",
            (_series(of, wish),),
        )


def _draw(ax: Axes, of: Shifts, wish: Wish, signal: str) -> None:
    rows = np.arange(len(of.made))
    labels = (f"efficiency of {one_line(signal, 16)}", "background efficiency")
    for (what, colour, marker), label, offset in zip(DRAWN, labels, (-0.12, 0.12), strict=True):
        x, error = _column(of, wish, what)
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
    ax.set_yticks(rows, [one_line(name, 24) for name in of.made])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(f"shift in %, cut for {wish}")
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _column(of: Shifts, wish: Wish, what: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    found = [shifted.at[wish][what] for shifted in of.made.values()]
    return np.array([v.value for v in found], dtype=np.float64), np.array([v.error for v in found], dtype=np.float64)


def _series(of: Shifts, wish: Wish) -> Series:
    columns: dict[str, object] = {"variation": list(of.made)}
    for what, *_ in DRAWN:
        columns[what], columns[f"{what}_error"] = _column(of, wish, what)
    return Series(f"shifts at the cut for {wish}", columns)  # type: ignore[arg-type]

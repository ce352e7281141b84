"""The significance against the cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, VERMILLION
from hepclf.statistics.counting.scan import Scan, Significance

MEASURES = (
    ("s_over_sqrt_b", "S/√B", BLUE, "--"),
    ("asimov", "Asimov Z", VERMILLION, "-"),
    ("asimov_systematic", "Asimov Z with $\\sigma_B$", GREEN, "-."),
)
LEGEND_ROOM = 0.38  # share of the height that belongs to the legend
CAPTION = (
    "Expected significance of counting the events above a cut, scanned on test. Quote the points: their cut was chosen "
    "on validation. The maximum of the scan itself is biased upwards."
)


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The scan on test, where there is one."""
    if (scan := results.scan) is not None:
        chosen = results.significance
        figure = panel(lambda ax: draw_significance(ax, scan, chosen, results.signal), title)
        yield Picture("significance", figure, CAPTION, tuple(_series(scan, chosen)))


def draw_significance(ax: Axes, scan: Scan, chosen: Significance, signal: str = "signal") -> None:
    """Draw the scan on test, and with their errors the significances there of the cut chosen on validation."""
    marker = "." * (len(scan.cuts) < 5)
    for name, text, colour, dashes in MEASURES:
        z, quoted, label = getattr(scan, name), getattr(chosen, name), text
        if quoted.value is not None:
            label += f": {with_error(quoted)}"
        ax.plot(scan.cuts, z, color=colour, linestyle=dashes, marker=marker, label=label)
        if quoted.value is not None and chosen.cut is not None:
            ax.errorbar(chosen.cut, quoted.value, quoted.error or 0.0, fmt="o", color=colour, markersize=5)
    title = "scan on test, no cut chosen"
    if chosen.cut is not None:
        title = "scan on test, cut chosen on validation"
        label = f"cut {chosen.cut:.4g}, for the best {dict(d[:2] for d in MEASURES)[chosen.optimised]}"
        ax.axvline(chosen.cut, ymax=1 - LEGEND_ROOM, color=BLACK, linestyle=":", linewidth=1.2, label=label)
    ax.set(xlabel=f"cut on the probability of {one_line(signal, 20)}", ylabel="expected significance")
    if np.ptp(scan.cuts) == 0:
        ax.set_xlim(-0.05, 1.05)
    _set_limits(ax, [getattr(scan, name) for name, *_ in MEASURES])
    ax.legend(loc="upper left", title=title, alignment="left")


def _set_limits(ax: Axes, measures: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> None:
    """Leave room for the legend; make the axis logarithmic where a linear one would hide a measure."""
    tops = [top for values in measures if (top := float(np.nanmax(values, initial=0.0))) > 0]
    high = 1.1 * max(tops, default=1.0)
    if tops and high > 8 * min(tops):
        ax.set_yscale("log")
        low = min(tops) / 10
        ax.set_ylim(low, low * (high / low) ** (1 / (1 - LEGEND_ROOM)))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, high / (1 - LEGEND_ROOM))


def _series(scan: Scan, chosen: Significance) -> Iterator[Series]:
    """The scan, and the significances at the chosen cut."""
    yield Series("scan", {"cut": scan.cuts, **{name: getattr(scan, name) for name, *_ in MEASURES}})
    if chosen.cut is not None:
        quoted = {name: getattr(chosen, name) for name, *_ in MEASURES}
        measured = {name: value for name, value in quoted.items() if value.value is not None}
        columns = {name: [value.value] for name, value in measured.items()}
        errors = {f"{name}_error": [value.error] for name, value in measured.items() if value.error is not None}
        yield Series("chosen on validation", {"cut": [chosen.cut], **columns, **errors})

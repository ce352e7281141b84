"""The significance against the cut."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.plots.label import plain, with_error
from hepclf.evaluation.plots.style import BLACK, BLUE, GREEN, VERMILLION
from hepclf.evaluation.scan import Scan, Significance

DRAWN = (
    ("s_over_sqrt_b", "S/√B", BLUE, "--"),
    ("asimov", "Asimov", VERMILLION, "-"),
    ("asimov_systematic", "Asimov, with systematic", GREEN, "-."),
)


def significance(ax: Axes, scan: Scan, chosen: Significance, signal: str = "signal") -> None:
    """The scan on the test split, and what the cut that validation chose gives there, with its errors."""
    highest = 0.0
    for name, label, colour, dashes in DRAWN:
        z, quoted = getattr(scan, name), getattr(chosen, name)
        text = f"{label}: {with_error(quoted)}" if quoted.value is not None else label
        ax.plot(scan.cuts, z, color=colour, linestyle=dashes, label=text)
        highest = max(highest, float(np.nanmax(z, initial=0.0)))
        if quoted.value is not None and chosen.cut is not None:
            ax.errorbar(chosen.cut, quoted.value, quoted.error or 0.0, fmt="o", color=colour, markersize=5)
            highest = max(highest, quoted.value)
    if chosen.cut is not None:
        ax.axvline(chosen.cut, color=BLACK, linestyle="--", linewidth=1.0, label=f"cut {chosen.cut:.4g}")
    ax.set(xlabel=f"cut on the probability of {plain(signal)}", ylabel="significance")
    ax.set_ylim(0, 1.6 * highest or 1)
    ax.legend(loc="upper left", title="scan on test, cut chosen on validation", alignment="left")

"""Measured against predicted mistag fraction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.tagging import TagPower
from hepclf.presentation.plots.picture import Picture, Series, panel, value_columns
from hepclf.presentation.plots.style import BLACK, BLUE, VERMILLION

CAPTION = (
    "Points: fraction of wrong tags on test in categories of the predicted mistag probability. Line: calibration on "
    "the validation set; a perfect prediction lies on the diagonal. A mistag fraction of 0.5 is worth nothing."
)


def pictures(finding: TagPower, results: Results, title: str) -> Iterator[Picture]:  # noqa: ARG001
    """One picture."""
    eta, _ = value_columns(finding.eta)
    mistag, error = value_columns(row.mistag for row in finding.tags)
    series = Series("mistag", {"predicted": eta, "measured": mistag, "measured_error": error})
    yield Picture("tagging", panel(lambda ax: _mistags(ax, finding), title), CAPTION, (series,))


def _mistags(ax: Axes, finding: TagPower) -> None:
    eta, _ = value_columns(finding.eta)
    mistag, error = value_columns(row.mistag for row in finding.tags)
    ax.errorbar(eta, mistag, error, fmt="o", color=BLUE, markersize=4, elinewidth=1, label="categories on test")
    x = np.linspace(0, 0.5, 51)
    if finding.calibration is not None:
        ax.plot(x, finding.calibration.mistag(x), color=VERMILLION, label="calibration on validation")
    ax.plot(x, x, color=BLACK, linewidth=0.8, linestyle=":", label="perfect prediction")
    ax.set(xlim=(0, 0.5), ylim=(0, 0.55), xlabel="predicted mistag probability", ylabel="mistag fraction")
    ax.legend(loc="upper left")

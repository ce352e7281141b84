"""Reliability: what a probability says against how often it is true."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.calibration import Calibrated
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import TOP, Picture, Series
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, VERMILLION
from hepclf.statistics.shapes.reliability import Reliability

CAPTION = (
    "Events of equal weight a bin, ordered by their score: the share of signal among them against the mean score, and "
    "their difference below. A calibrated tagger's points lie on the diagonal, within their errors."
)
SHOWN = {
    "none": ("as they are", BLUE, "o"),
    "temperature": ("temperature", VERMILLION, "s"),
    "isotonic": ("isotonic", GREEN, "^"),
}


def calibration(finding: Calibrated, results: Results, title: str) -> Iterator[Picture]:  # noqa: ARG001
    """One picture: the reliability as it is and with each map."""
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    reach = 0.0
    for place, (name, quality) in enumerate(finding.qualities.items()):
        of, (label, colour, marker) = quality.reliability, SHOWN[name]
        style = {"fmt": marker, "color": colour, "markersize": 4 if place == 0 else 3.2, "elinewidth": 1}
        style |= {} if place == 0 else {"markerfacecolor": "white"}
        top.errorbar(of.predicted, of.observed, of.error, label=f"{label}: error {with_error(of.ece)}", **style)
        bottom.errorbar(of.predicted, of.observed - of.predicted, of.error, **style)
        far = np.abs(of.observed - of.predicted) + of.error
        reach = max(reach, float(far[np.isfinite(far)].max(initial=1e-3)))
    top.plot([0, 1], [0, 1], color=BLACK, linewidth=0.8)
    bottom.axhline(0, color=BLACK, linewidth=0.8)
    top.set(xlim=(0, 1), ylim=(0, 1.3))
    top.set_ylabel(f"share of {one_line(finding.signal, 24)}")
    bottom.set(xlabel=f"mean probability of {one_line(finding.signal, 24)}", ylim=(-1.15 * reach, 1.15 * reach))
    bottom.set_ylabel("difference", loc="center")
    top.legend(loc="upper left")
    top.set_title(title, y=TOP)
    yield Picture(
        "calibration", figure, CAPTION, tuple(_series(name, q.reliability) for name, q in finding.qualities.items())
    )


def _series(name: str, of: Reliability) -> Series:
    columns = {"predicted": of.predicted, "observed": of.observed, "observed_error": of.error, "share": of.share}
    return Series(SHOWN[name][0], columns)

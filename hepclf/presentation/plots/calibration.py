"""Reliability: the observed signal fraction against the predicted probability."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.calibration import Calibrated
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import TOP, Picture, Series, add_legend
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, VERMILLION
from hepclf.statistics.shapes.reliability import Reliability

CAPTION = (
    "Signal fraction against mean score, in bins of equal weight; below, their difference. The points of a calibrated "
    "tagger lie on the diagonal within their errors. ECE is the expected calibration error."
)
MAPS = {
    "none": ("as they are", BLUE, "o"),
    "temperature": ("temperature", VERMILLION, "s"),
    "isotonic": ("isotonic", GREEN, "^"),
}
LEGEND = {"none": "uncalibrated"}


def pictures(finding: Calibrated, results: Results, title: str) -> Iterator[Picture]:  # noqa: ARG001
    """One picture: the reliability of the scores as they are and after each calibration map."""
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    reach = 0.0
    for index, (name, quality) in enumerate(finding.qualities.items()):
        reliability, (_, colour, marker) = quality.reliability, MAPS[name]
        style = {"fmt": marker, "color": colour, "markersize": 4, "elinewidth": 1}
        if index > 0:
            style |= {"markersize": 3.2, "markerfacecolor": "white"}
        top.errorbar(
            reliability.predicted,
            reliability.observed,
            reliability.error,
            label=f"{LEGEND.get(name, name)}: ECE {with_error(reliability.ece)}",
            **style,
        )
        bottom.errorbar(reliability.predicted, reliability.observed - reliability.predicted, reliability.error, **style)
        distances = np.abs(reliability.observed - reliability.predicted) + reliability.error
        reach = max(reach, float(distances[np.isfinite(distances)].max(initial=1e-3)))
    top.plot([0, 1], [0, 1], color=BLACK, linewidth=0.8)
    bottom.axhline(0, color=BLACK, linewidth=0.8)
    top.set(xlim=(0, 1), ylim=(0, 1.05))
    top.set_ylabel(f"fraction of {one_line(finding.signal, 24)}")
    bottom.set(xlabel=f"mean probability of {one_line(finding.signal, 24)}", ylim=(-1.15 * reach, 1.15 * reach))
    bottom.set_ylabel("difference", loc="center")
    top.set_title(title, y=TOP)
    add_legend(figure)
    yield Picture(
        "calibration",
        figure,
        CAPTION,
        tuple(_series(name, quality.reliability) for name, quality in finding.qualities.items()),
    )


def _series(name: str, reliability: Reliability) -> Series:
    columns = {
        "predicted": reliability.predicted,
        "observed": reliability.observed,
        "observed_error": reliability.error,
        "share": reliability.share,
    }
    return Series(MAPS[name][0], columns)

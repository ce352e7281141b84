"""The tagger's probability over the plane of its two features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.plane import PlaneFinding, ProbabilityPlane
from hepclf.presentation.plots.confusion import draw_confusion
from hepclf.presentation.plots.label import Titles, axis_label, one_line
from hepclf.presentation.plots.picture import Picture, Series, add_legend
from hepclf.presentation.plots.roc import draw_roc
from hepclf.presentation.plots.style import BLACK, DASHES, PROBABILITY, colours

# More events would hide the colours below and swell the PDF.
EVENTS = 1000
SIDE = 50  # points of the grid along each feature whose numbers are written
CAPTION = (
    "Probability of {signal} as a function of the two features, with test events on top. The black line is the cut; "
    "dashed lines are those of evaluation.plane.thresholds."
)


def pictures(finding: ProbabilityPlane, results: Results, title: str) -> Iterator[Picture]:
    """The plane, the confusion matrix and the ROC curve side by side."""
    caption = CAPTION.format(signal=results.signal)
    yield Picture("decision", _figure(finding, results, title), caption, (_series(finding),))


def _figure(finding: ProbabilityPlane, results: Results, title: str) -> Figure:
    name, split = list(results.splits.items())[-1]
    figure = Figure(figsize=(14, 4.2))
    plane_ax, confusion_ax, roc_ax = figure.subplots(1, 3, width_ratios=(1.2, 1, 1), gridspec_kw={"wspace": 0.06})
    threshold = split.threshold
    if threshold is None:
        threshold = 0.5
    draw_decision(plane_ax, finding, threshold, results.classes, results.signal, results.titles)
    draw_confusion(confusion_ax, split.confusion, results.classes, split.threshold)
    draw_roc(roc_ax, split, name=name, signal=results.signal, axes=results.roc_axes)
    roc_ax.set_title(title)
    add_legend(figure, columns=4)
    return figure


def draw_decision(
    ax: Axes, plane: ProbabilityPlane, threshold: float, classes: tuple[str, ...], signal: str, titles: Titles
) -> None:
    """Draw the probability as colour, the line where it reaches the threshold, and events on top."""
    mesh = ax.pcolormesh(plane.x, plane.y, plane.probability, cmap=PROBABILITY, vmin=0, vmax=1, shading="nearest")
    mesh.set_rasterized(True)
    lines = {level: f", ε_s {signal:.2f}, ε_b {background:.3f}" for level, (signal, background) in plane.lines.items()}
    for (level, efficiencies), dashes in zip({threshold: "", **lines}.items(), cycle(DASHES), strict=False):
        if plane.probability.min() < level < plane.probability.max():
            grid = (plane.x, plane.y, plane.probability)
            ax.contour(*grid, levels=[level], colors=BLACK, linewidths=1.4, linestyles=dashes)
            ax.plot([], [], color=BLACK, linewidth=1.4, linestyle=dashes, label=f"cut {level:.3g}{efficiencies}")
    markers = ["^" if name == signal else "o" for name in classes]
    draw_events(ax, plane, colours(classes, signal), markers, titles)
    ax.figure.colorbar(mesh, ax=ax, label=f"probability of {one_line(signal, 20)}")


def draw_events(
    ax: Axes, plane: PlaneFinding, palette: Mapping[str, str], markers: Sequence[str], titles: Titles
) -> None:
    """Draw test events of each class in its colour and with its marker, and the axes of the plane."""
    subset = np.linspace(0, len(plane.points) - 1, min(len(plane.points), EVENTS)).astype(np.int64)
    for label, ((name, colour), marker) in enumerate(zip(palette.items(), markers, strict=True)):
        x, y = plane.points[subset[plane.labels[subset] == label]].T
        ax.plot(
            *(x, y, marker),
            color=colour,
            markersize=3.5,
            markeredgecolor="white",
            markeredgewidth=0.3,
            label=one_line(name),
        )
    ax.set(
        xlim=(plane.x[0], plane.x[-1]),
        ylim=(plane.y[0], plane.y[-1]),
        xlabel=axis_label(plane.names[0], titles),
        ylabel=axis_label(plane.names[1], titles),
    )


def thinned_grid(plane: PlaneFinding, values: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """The two features at the points of a thinned grid, and the values [j, i] there."""
    i, j = (np.unique(np.linspace(0, len(axis) - 1, SIDE).astype(int)) for axis in (plane.x, plane.y))
    x, y = np.meshgrid(plane.x[i], plane.y[j])
    return {plane.names[0]: x.ravel(), plane.names[1]: y.ravel()}, values[np.ix_(j, i)].ravel()


def _series(plane: ProbabilityPlane) -> Series:
    columns, probability = thinned_grid(plane, plane.probability)
    return Series("probability", {**columns, "probability": probability})

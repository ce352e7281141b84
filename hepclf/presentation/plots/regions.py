"""The decision regions of several classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.regions import DecisionRegions
from hepclf.presentation.plots.label import Titles, axis_label, one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, colours

EVENTS = 1000  # more would hide the regions
SIDE = 50  # points of the grid along each feature whose numbers are written
PALE = 0.65  # of white in the colour of a region
MARKERS = "o^svD<>p"
CAPTION = "The class with the largest score as a function of the two features, with test events of each class on top."


def pictures(finding: DecisionRegions, results: Results, title: str) -> Iterator[Picture]:
    """One picture."""
    palette = colours(results.classes, results.signal)
    figure = panel(lambda ax: draw_regions(ax, finding, palette, results.titles), title)
    yield Picture("regions", figure, CAPTION, (_series(finding, results.classes),))


def draw_regions(ax: Axes, regions: DecisionRegions, palette: dict[str, str], titles: Titles) -> None:
    """Draw the regions in pale colours, the borders between them, and events on top."""
    pale = [tuple(PALE + (1 - PALE) * part for part in to_rgb(colour)) for colour in palette.values()]
    last = len(pale) - 1
    mesh = ax.pcolormesh(
        regions.x, regions.y, regions.decision, cmap=ListedColormap(pale), vmin=-0.5, vmax=last + 0.5, shading="nearest"
    )
    mesh.set_rasterized(True)
    for label in range(last + 1):
        inside = (regions.decision == label).astype(np.float64)
        if 0 < inside.mean() < 1:
            ax.contour(regions.x, regions.y, inside, levels=[0.5], colors=BLACK, linewidths=0.9)
    subset = np.linspace(0, len(regions.points) - 1, min(len(regions.points), EVENTS)).astype(np.int64)
    for label, (name, colour) in enumerate(palette.items()):
        x, y = regions.points[subset[regions.labels[subset] == label]].T
        ax.plot(
            *(x, y, MARKERS[label % len(MARKERS)]),
            color=colour,
            markersize=3.5,
            markeredgecolor="white",
            markeredgewidth=0.3,
            label=one_line(name),
        )
    ax.set(
        xlim=(regions.x[0], regions.x[-1]),
        ylim=(regions.y[0], regions.y[-1]),
        xlabel=axis_label(regions.names[0], titles),
        ylabel=axis_label(regions.names[1], titles),
    )
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)


def _series(regions: DecisionRegions, classes: tuple[str, ...]) -> Series:
    """The decisions over the grid, thinned."""
    i, j = (np.unique(np.linspace(0, len(axis) - 1, SIDE).astype(int)) for axis in (regions.x, regions.y))
    x, y = np.meshgrid(regions.x[i], regions.y[j])
    decisions = [classes[label] for label in regions.decision[np.ix_(j, i)].ravel()]
    return Series("decision", {regions.names[0]: x.ravel(), regions.names[1]: y.ravel(), "decision": decisions})

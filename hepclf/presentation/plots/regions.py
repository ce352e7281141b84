"""The decision regions of several classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.regions import DecisionRegions
from hepclf.presentation.plots.label import Titles
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.plane import draw_events, thinned_grid
from hepclf.presentation.plots.style import BLACK, colours

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
    markers = [MARKERS[label % len(MARKERS)] for label in range(last + 1)]
    draw_events(ax, regions, palette, markers, titles)
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)


def _series(regions: DecisionRegions, classes: tuple[str, ...]) -> Series:
    columns, decisions = thinned_grid(regions, regions.decision)
    return Series("decision", {**columns, "decision": [classes[label] for label in decisions]})

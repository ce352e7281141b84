"""The tagger's probability over the plane of its two features."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.plane import Plane
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.style import BLACK, PROBABILITY, colours

# More events would hide the colours below and swell the PDF.
EVENTS = 1000


def draw_decision(ax: Axes, plane: Plane, threshold: float, classes: tuple[str, ...], signal: str) -> None:
    """Draw the probability as colour, the line where it reaches the threshold, and events on top."""
    mesh = ax.pcolormesh(plane.x, plane.y, plane.probability, cmap=PROBABILITY, vmin=0, vmax=1, shading="nearest")
    mesh.set_rasterized(True)
    if plane.probability.min() < threshold < plane.probability.max():
        ax.contour(plane.x, plane.y, plane.probability, levels=[threshold], colors=BLACK, linewidths=1.4)
        ax.plot([], [], color=BLACK, linewidth=1.4, label=f"cut {threshold:.3g}")
    subset = np.linspace(0, len(plane.points) - 1, min(len(plane.points), EVENTS)).astype(np.int64)
    for label, (name, colour) in enumerate(colours(classes, signal).items()):
        marker = "^" if name == signal else "o"
        x, y = plane.points[subset[plane.labels[subset] == label]].T
        ax.plot(
            x,
            y,
            marker,
            color=colour,
            markersize=3.5,
            markeredgecolor="white",
            markeredgewidth=0.3,
            label=one_line(name),
        )
    ax.set(
        xlim=(plane.x[0], plane.x[-1]),
        ylim=(plane.y[0], plane.y[-1]),
        xlabel=one_line(plane.names[0]),
        ylabel=one_line(plane.names[1]),
    )
    ax.figure.colorbar(mesh, ax=ax, label=f"probability of {one_line(signal, 20)}")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)

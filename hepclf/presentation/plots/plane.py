"""The tagger's probability over the plane of its two features."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.plane import Plane
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.style import BLACK, PROBABILITY, colours

# More events would hide the colours below and swell the PDF.
EVENTS = 1000


def draw_decision(ax: Axes, of: Plane, threshold: float, classes: tuple[str, ...], signal: str) -> None:
    """The probability as colour, the line where it reaches the threshold, and events on top."""
    mesh = ax.pcolormesh(of.x, of.y, of.probability, cmap=PROBABILITY, vmin=0, vmax=1, shading="nearest")
    mesh.set_rasterized(True)
    if of.probability.min() < threshold < of.probability.max():
        ax.contour(of.x, of.y, of.probability, levels=[threshold], colors=BLACK, linewidths=1.4)
        ax.plot([], [], color=BLACK, linewidth=1.4, label=f"cut {threshold:.3g}")
    some = np.linspace(0, len(of.points) - 1, min(len(of.points), EVENTS)).astype(np.int64)
    for label, (name, colour) in enumerate(colours(classes, signal).items()):
        marker = "^" if name == signal else "o"
        x, y = of.points[some[of.labels[some] == label]].T
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
        xlim=(of.x[0], of.x[-1]), ylim=(of.y[0], of.y[-1]), xlabel=one_line(of.names[0]), ylabel=one_line(of.names[1])
    )
    ax.figure.colorbar(mesh, ax=ax, label=f"probability of {one_line(signal, 20)}")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)

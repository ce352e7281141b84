"""A small drawing of the scores below the movable threshold of the page, as the paths of an SVG."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hepclf.evaluation.results import Results, SplitResults

WIDTH, HEIGHT = 1000.0, 160.0
DECADES = 4.0


class HistogramOutline(NamedTuple):
    """The histogram of a class as two paths, filled and drawn, and whether it is the signal."""

    name: str
    area: str
    edge: str
    signal: bool


class Sketch(NamedTuple):
    """Outlines over the scores from low to high."""

    low: float
    high: float
    outlines: tuple[HistogramOutline, ...]


def sketch(results: Results, split: SplitResults) -> Sketch | None:
    """The histograms of a split on a logarithmic axis over at most four decades; None without any."""
    if not split.histograms:
        return None
    edges = next(iter(split.histograms.values())).edges
    top = max(float(histogram.density.max()) for histogram in split.histograms.values())
    low, high = float(edges[0]), float(edges[-1])
    x = (edges - low) / (high - low) * WIDTH
    outlines = []
    for name, histogram in split.histograms.items():
        share = np.maximum(histogram.density / top, 10**-DECADES)
        y = HEIGHT - (1 + np.log10(share) / DECADES) * 0.95 * HEIGHT
        steps = " ".join(f"H{a:.0f}V{b:.1f}" for a, b in zip(x[:-1], y, strict=True))
        area, edge = f"M0,{HEIGHT:.0f} {steps} H{WIDTH:.0f} V{HEIGHT:.0f}Z", f"M0,{y[0]:.1f} {steps} H{WIDTH:.0f}"
        outlines.append(HistogramOutline(name, area, edge, name == results.signal))
    return Sketch(low, high, tuple(outlines))

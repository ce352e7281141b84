"""Taggers side by side: their ROC curves, and their rejections with the ratio to that of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.compare import GRID, Comparison, Ratio
from hepclf.evaluation.curves.roc import Roc
from hepclf.evaluation.curves.spread import Spread
from hepclf.evaluation.plots.label import plain, with_error
from hepclf.evaluation.plots.picture import KINDS, TOP, Listed, write, write_index
from hepclf.evaluation.plots.rejection import measured
from hepclf.evaluation.plots.spread import spread
from hepclf.evaluation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, style

DRAWN = 8  # curves in one picture that can still be told apart
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
BAND = 0.18
CAPTIONS = {
    "roc": "The ROC curves with bands of ±1σ, the best on validation first.",
    "rejection": "The rejections with bands of ±1σ, and below them the ratio to the best.",
    "spread": "Trainings that differ in seeds and folds alone: the rejection of each, and the band of mean ± standard "
    "deviation. Below, how far they are apart beside the error that the test events leave one of them.",
}


class Line(NamedTuple):
    """A tagger's curve and how it is drawn."""

    of: Roc
    ratio: Ratio
    name: str
    colour: str
    dashes: str

    @property
    def label(self) -> str:
        """Its name and the area under the curve."""
        return f"{self.name}: {with_error(self.of.area)}"


def draw(
    of: Comparison,
    folder: Path,
    *,
    title: str = "",
    rest_of: str | None = None,
    repeated: Mapping[str, Spread] | None = None,
) -> list[Path]:
    """Write `roc`, `rejection` and, of repeated trainings, `spread` as PNG and PDF.

    rest_of  the class that stands against several others
    """
    found = lines(of)
    if not found:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    above = f"{plain(title, 50)}, test" if title else "test"
    first = "best" if of.by_validation else "first"
    with style():
        curves, rejections = _roc(found, above), _rejection(found, above, first)
        for figure in (curves, rejections):
            key(figure, heading(of, rest_of))
        figures = {"roc": curves, "rejection": rejections}
        if repeated:
            figures["spread"] = spread(repeated, above, rest_of)
        written = [path for stem, figure in figures.items() for path in write(figure, folder, stem)]
    write_index(folder, {stem: Listed(CAPTIONS[stem], None, KINDS) for stem in figures})
    return written


def lines(of: Comparison) -> list[Line]:
    """The curves of the first taggers that have one: colours first, then dashes."""
    some = [(one, ratio) for one, ratio in zip(of.contenders, of.ratios, strict=True) if one.roc is not None]
    styles = product(("-", "--"), COLOURS)
    return [
        Line(one.roc, ratio, plain(one.name, 44), colour, dashes)
        for (one, ratio), (dashes, colour) in zip(some[:DRAWN], styles, strict=False)
        if one.roc is not None
    ]


def heading(of: Comparison, rest_of: str | None = None) -> str:
    """What is said above the names of the curves."""
    order = "best on validation first" if of.by_validation else "in the order given"
    count = sum(one.roc is not None for one in of.contenders)
    return ", ".join(
        filter(
            None,
            (
                f"AUC of {plain(rest_of, 20)} against the rest" if rest_of else "AUC",
                f"the first {DRAWN} of {count}" if count > DRAWN else None,
                order,
                "bands ±1σ",
            ),
        )
    )


def key(figure: Figure, head: str) -> None:
    """The legend above the panels, where no curve runs; the figure grows by its lines."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", title=head, alignment="left")
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.21 * (len(labels) + 1))


def _roc(found: Sequence[Line], title: str) -> Figure:
    figure = Figure(figsize=(5.2, 4.2))
    ax = figure.subplots()
    roc(ax, found)
    ax.set_title(title, y=TOP)
    return figure


def _rejection(found: Sequence[Line], title: str, first: str) -> Figure:
    figure = Figure(figsize=(5.2, 5.0))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    rejection(top, found)
    ratio(bottom, found)
    bottom.set_ylabel(f"ratio to the {first}", loc="center")
    top.set_title(title, y=TOP)
    figure.align_ylabels()
    return figure


def roc(ax: Axes, found: Sequence[Line]) -> None:
    """What is kept of the signal against what is removed of the background, each curve with its band."""
    for line in found:
        x, y = line.of.signal_efficiency, 1 - line.of.background_efficiency
        error = line.of.background_error
        ax.plot(x, y, color=line.colour, linestyle=line.dashes, label=line.label)
        ax.fill_between(x, y - error, y + error, where=np.isfinite(error), color=line.colour, alpha=BAND, linewidth=0)
    ax.plot([0, 1], [1, 0], color=GREY, linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="signal efficiency", ylabel="1 − background efficiency")


def rejection(ax: Axes, found: Sequence[Line]) -> None:
    """1 / background efficiency against signal efficiency, each curve with its band."""
    highest = 10.0
    for line in found:
        some = line.of.background_efficiency > 0
        columns = (line.of.signal_efficiency, line.of.background_efficiency, line.of.background_error)
        x, kept, error = (column[some] for column in columns)
        ax.plot(x, 1 / kept, color=line.colour, linestyle=line.dashes, label=line.label)
        low, high = 1 / (kept + error), 1 / np.maximum(kept - error, 1e-12)
        ax.fill_between(x, low, high, where=np.isfinite(error), color=line.colour, alpha=BAND, linewidth=0)
        highest = max(highest, measured(kept, error) if len(kept) else 1.0)
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, 3 * highest), ylabel="1 / background efficiency")


def ratio(ax: Axes, found: Sequence[Line]) -> None:
    """Rejection over that of the reference, where both are known."""
    reach = 0.1
    for line in found:
        value, error = line.ratio
        ax.plot(GRID, value, color=line.colour, linestyle=line.dashes)
        ax.fill_between(GRID, value - error, value + error, color=line.colour, alpha=BAND, linewidth=0)
        known = value[np.isfinite(value)]
        reach = max(reach, float(np.abs(known - 1).max(initial=0)))
    ax.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(max(0, 1 - 1.15 * reach), 1 + 1.15 * reach), xlabel="signal efficiency")

"""Taggers side by side: their ROC curves, and their rejections with the ratio to that of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hepclf.comparison.contenders import GRID, Comparison, Ratio
from hepclf.presentation.plots.label import plain, with_error
from hepclf.presentation.plots.picture import KINDS, TOP, Listed, Picture, write, write_index
from hepclf.presentation.plots.rejection import measured
from hepclf.presentation.plots.spread import spread
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, style
from hepclf.statistics.curves.roc import Roc
from hepclf.statistics.curves.spread import Spread
from hepclf.words import shortened

DRAWN = 8  # curves in one picture that can still be told apart
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
BAND = 0.18
SAMPLES = 8  # sets of test events that have pictures of their own
BANDS = "bands: statistical uncertainty of the test events, ±1σ."
CAPTIONS = {
    "roc": f"The ROC curves, {{order}}; {BANDS}",
    "rejection": f"The rejections, and below them the ratio to the {{first}}; {BANDS}",
}
APART = {
    "roc": f"ROC curves on different test events, which do not rank the runs; {BANDS}",
    "rejection": f"Rejections on different test events, which do not rank the runs; {BANDS}",
}
SPREAD = (
    "Trainings that differ in seeds and folds alone: the rejection of each, and the band of mean ± standard deviation "
    "between trainings. Below, that deviation beside the statistical uncertainty of one training."
)


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
    samples: Mapping[str, Comparison],
    folder: Path,
    *,
    title: str = "",
    rest_of: str | None = None,
    repeated: Mapping[str, Spread] | None = None,
) -> list[Path]:
    """Write `roc`, `rejection` and, of repeated trainings, `spread` as PNG and PDF.

    Each set of test events on which several trainings are judged has pictures of its own, `roc_2` those of the second.
    Where there is no such set, the curves of all are drawn together, without a ratio.

    samples  comparisons by what their test events are called
    rest_of  the class that stands against several others
    """
    with style():
        pictures = list(_pictures(samples, f"{plain(title, 50)}, test" if title else "test", rest_of, repeated or {}))
        if not pictures:
            return []
        folder.mkdir(parents=True, exist_ok=True)
        written = [path for picture in pictures for path in write(picture.figure, folder, picture.stem)]
    write_index(folder, {picture.stem: Listed(picture.caption, None, KINDS) for picture in pictures})
    return written


def _pictures(
    samples: Mapping[str, Comparison], title: str, rest_of: str | None, repeated: Mapping[str, Spread]
) -> Iterator[Picture]:
    ranked = {name: sample for name, sample in samples.items() if len(lines(sample)) > 1 or len(samples) == 1}
    for number, (name, sample) in enumerate(list(ranked.items())[:SAMPLES], 1):
        where = f"{title} events {plain(name, 40)}" if len(samples) > 1 else title
        yield from _together([sample], where, rest_of, f"_{number}" if number > 1 else "")
    if not ranked:
        yield from _together(list(samples.values()), title, rest_of, "")
    if repeated:
        yield Picture("spread", spread(repeated, title, rest_of), SPREAD)


def _together(samples: Sequence[Comparison], title: str, rest_of: str | None, suffix: str) -> Iterator[Picture]:
    """The curves of these comparisons in one picture; those of a single one with the ratio to its reference."""
    drawn = lines(*samples)
    if not drawn:
        return
    if len(samples) > 1:
        figures = {"roc": _roc(drawn, title), "rejection": _rejection(drawn, title, None)}
        captions = APART
    else:
        first, order = _order(samples[0])
        figures = {"roc": _roc(drawn, title), "rejection": _rejection(drawn, title, first)}
        captions = {stem: text.format(first=first, order=order) for stem, text in CAPTIONS.items()}
    for stem, figure in figures.items():
        key(figure, heading(*samples, rest_of=rest_of))
        yield Picture(f"{stem}{suffix}", figure, captions[stem])


def _order(sample: Comparison) -> tuple[str, str]:
    """What the reference is, and the order of the others."""
    return ("best", "best on validation first") if sample.by_validation else ("first", "in the order given")


def lines(*samples: Comparison) -> list[Line]:
    """The curves of the first trainings that have one, each training once: colours first, then dashes."""
    curves = [
        (tagger, tagger.roc, ratio)
        for sample in samples
        for tagger, ratio in zip(sample.contenders, sample.ratios, strict=True)
        if tagger.roc is not None and tagger.copy_of is None
    ]
    styles = product(("-", "--"), COLOURS)
    return [
        Line(curve, ratio, plain(shortened(tagger.name, 44), 44), colour, dashes)
        for (tagger, curve, ratio), (dashes, colour) in zip(curves[:DRAWN], styles, strict=False)
    ]


def heading(*samples: Comparison, rest_of: str | None = None) -> str:
    """What is said above the names of the curves."""
    trainings = [tagger for sample in samples for tagger in sample.trainings if tagger.roc is not None]
    order = "on different test events" if len(samples) > 1 else _order(samples[0])[1]
    area = f"AUC of {plain(rest_of, 20)} against the rest" if rest_of else "AUC"
    count = f", the first {DRAWN} of {len(trainings)}" if len(trainings) > DRAWN else ""
    return f"{area} ± statistical uncertainty, bands ±1σ,\n{order}{count}"


def key(figure: Figure, head: str) -> None:
    """The legend above the panels, where no curve runs; the figure grows by its lines."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", title=head, alignment="left")
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.21 * (len(labels) + 1 + head.count("\n")))


def _roc(found: Sequence[Line], title: str) -> Figure:
    figure = Figure(figsize=(5.2, 4.2))
    ax = figure.subplots()
    roc(ax, found)
    ax.set_title(title, y=TOP)
    return figure


def _rejection(found: Sequence[Line], title: str, first: str | None) -> Figure:
    """The rejections, and below them the ratio to the first where there is one."""
    if first is None:
        figure = Figure(figsize=(5.2, 4.2))
        top = figure.subplots()
        top.set_xlabel("signal efficiency")
    else:
        figure = Figure(figsize=(5.2, 5.0))
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
        ratio(bottom, found)
        bottom.set_ylabel(f"ratio to the {first}", loc="center")
    rejection(top, found)
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

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

from hepclf.comparison.comparison import Comparison, RejectionRatio
from hepclf.comparison.contenders import GRID
from hepclf.presentation.plots.compared_ratio import ratio_pictures
from hepclf.presentation.plots.index import KINDS, IndexEntry, write_index
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import TOP, Picture, add_legend, write_figure
from hepclf.presentation.plots.rejection import highest_measured
from hepclf.presentation.plots.spread import spread_figure
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, style
from hepclf.statistics.curves.roc import Roc
from hepclf.statistics.curves.spread import Spread
from hepclf.words import shortened

MAX_CURVES = 8  # in one picture, so that they can be told apart
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
BAND = 0.18
MAX_SAMPLES = 8  # of test events that have pictures of their own
BANDS = "bands: statistical uncertainty of the test events, ±1σ."
CAPTIONS = {
    "roc": f"ROC curves, {{order}}; {BANDS}",
    "rejection": f"Background rejections, and below them the ratio to the {{first}}; {BANDS}",
}
UNRANKED_CAPTIONS = {
    "roc": f"ROC curves on different test events, so the runs cannot be ranked; {BANDS}",
    "rejection": f"Background rejections on different test events, so the runs cannot be ranked; {BANDS}",
}
SPREAD = (
    "Trainings that differ only in seed and fold. Above: the rejection of each, and a band of mean ± standard "
    "deviation between trainings. Below: this standard deviation and the statistical uncertainty of one training."
)


class TaggerCurve(NamedTuple):
    """A tagger's curve and how it is drawn."""

    roc: Roc
    ratio: RejectionRatio
    name: str
    colour: str
    dashes: str

    @property
    def label(self) -> str:
        """The name of the tagger and the area under its curve."""
        return f"{self.name}: {with_error(self.roc.area)}"


def draw_comparison(
    samples: Mapping[str, Comparison],
    folder: Path,
    *,
    title: str = "",
    signal: str | None = None,
    repeated: Mapping[str, Spread] | None = None,
) -> list[Path]:
    """Write `roc` and `rejection`, and `spread` where trainings are repeated, as PNG and PDF.

    Each set of test events with several trainings has pictures of its own: `roc_2` belongs to the second set.
    Where there is no such set, the curves of all trainings are drawn together, without a ratio.

    samples  comparisons by the name of their test events
    signal   the signal class, where there are several other classes
    """
    title = ", ".join(filter(None, (one_line(title, 50), "test")))
    with style():
        pictures = list(_pictures(samples, title, signal, repeated or {}))
        if not pictures:
            return []
        folder.mkdir(parents=True, exist_ok=True)
        written = [path for picture in pictures for path in write_figure(picture.figure, folder, picture.stem)]
    write_index(folder, {picture.stem: IndexEntry(picture.caption, None, KINDS) for picture in pictures})
    return written


def _pictures(
    samples: Mapping[str, Comparison], title: str, signal: str | None, repeated: Mapping[str, Spread]
) -> Iterator[Picture]:
    ranked = {name: sample for name, sample in samples.items() if len(tagger_curves(sample)) > 1 or len(samples) == 1}
    suffixes = ["", *(f"_{number}" for number in range(2, MAX_SAMPLES + 1))]
    for suffix, (name, sample) in zip(suffixes, ranked.items(), strict=False):
        sample_title = title
        if len(samples) > 1:
            sample_title += f" events {one_line(name, 40)}"
        yield from _curve_pictures([sample], sample_title, signal, suffix)
    if not ranked:
        yield from _curve_pictures(list(samples.values()), title, signal, "")
    yield from ratio_pictures([run for sample in samples.values() for run in sample.trainings], title)
    if repeated:
        yield Picture("spread", spread_figure(repeated, title, signal), SPREAD)


def _curve_pictures(samples: Sequence[Comparison], title: str, signal: str | None, suffix: str) -> Iterator[Picture]:
    """The curves of these comparisons in one picture; a single comparison has the ratio to its reference below."""
    curves = tagger_curves(*samples)
    if not curves:
        return
    if len(samples) > 1:
        reference, captions = None, UNRANKED_CAPTIONS
    else:
        reference, order = _order(samples[0])
        captions = {stem: text.format(first=reference, order=order) for stem, text in CAPTIONS.items()}
    known = samples[0].reference.exact
    exact = known.roc if known else None
    figures = {
        "roc": _roc_figure(curves, title, exact),
        "rejection": _rejection_figure(curves, title, reference),
    }
    for stem, figure in figures.items():
        add_legend(figure, legend_title(*samples, signal=signal))
        yield Picture(f"{stem}{suffix}", figure, captions[stem])


def _order(sample: Comparison) -> tuple[str, str]:
    """The kind of the reference, and the order of the trainings."""
    if sample.by_validation:
        return "best", "best on validation first"
    return "first", "in the order given"


def tagger_curves(*samples: Comparison) -> list[TaggerCurve]:
    """The curves of the first trainings that have one, without copies; colours vary first, then dashes."""
    trainings = [
        (tagger, tagger.roc, ratio)
        for sample in samples
        for tagger, ratio in zip(sample.contenders, sample.ratios, strict=True)
        if tagger.roc is not None and tagger.copy_of is None
    ]
    styles = product(("-", "--"), COLOURS)
    return [
        TaggerCurve(roc, ratio, one_line(shortened(tagger.name, 44), 44), colour, dashes)
        for (tagger, roc, ratio), (dashes, colour) in zip(trainings[:MAX_CURVES], styles, strict=False)
    ]


def legend_title(*samples: Comparison, signal: str | None = None) -> str:
    """The title of the legend: the quantity, its errors, and the order of the curves."""
    trainings = [tagger for sample in samples for tagger in sample.trainings if tagger.roc is not None]
    area, order = "AUC", "on different test events"
    if signal:
        area = f"AUC of {one_line(signal, 20)} against the rest"
    if len(samples) == 1:
        _, order = _order(samples[0])
    if len(trainings) > MAX_CURVES:
        order += f", the first {MAX_CURVES} of {len(trainings)}"
    return f"{area} ± statistical uncertainty, bands ±1σ,\n{order}"


def _roc_figure(curves: Sequence[TaggerCurve], title: str, exact: Roc | None) -> Figure:
    figure = Figure(figsize=(5.2, 4.2))
    ax = figure.subplots()
    draw_rocs(ax, curves)
    if exact:
        label = f"exact likelihood ratio: {with_error(exact.area)}"
        x, y = exact.signal_efficiency, 1 - exact.background_efficiency
        ax.plot(x, y, color=BLACK, linewidth=1, linestyle=(0, (1, 1)), label=label)
    ax.set_title(title, y=TOP)
    return figure


def _rejection_figure(curves: Sequence[TaggerCurve], title: str, reference: str | None) -> Figure:
    """The rejections, and below them the ratio to the reference where there is one."""
    if reference is None:
        figure = Figure(figsize=(5.2, 4.2))
        top = figure.subplots()
        top.set_xlabel("signal efficiency")
    else:
        figure = Figure(figsize=(5.2, 5.0))
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
        draw_ratios(bottom, curves)
        bottom.set_ylabel(f"ratio to the {reference}", loc="center")
    draw_rejections(top, curves)
    top.set_title(title, y=TOP)
    figure.align_ylabels()
    return figure


def draw_rocs(ax: Axes, curves: Sequence[TaggerCurve]) -> None:
    """Draw 1 - background efficiency against signal efficiency, each curve with its band."""
    for curve in curves:
        x, y = curve.roc.signal_efficiency, 1 - curve.roc.background_efficiency
        error = curve.roc.background_error
        ax.plot(x, y, color=curve.colour, linestyle=curve.dashes, label=curve.label)
        ax.fill_between(x, y - error, y + error, where=np.isfinite(error), color=curve.colour, alpha=BAND, linewidth=0)
    ax.plot([0, 1], [1, 0], color=GREY, linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="signal efficiency", ylabel="1 − background efficiency")


def draw_rejections(ax: Axes, curves: Sequence[TaggerCurve]) -> None:
    """Draw 1 / background efficiency against signal efficiency, each curve with its band."""
    highest = 10.0
    for curve in curves:
        passed = curve.roc.background_efficiency > 0
        columns = (curve.roc.signal_efficiency, curve.roc.background_efficiency, curve.roc.background_error)
        x, background, error = (column[passed] for column in columns)
        ax.plot(x, 1 / background, color=curve.colour, linestyle=curve.dashes, label=curve.label)
        low, high = 1 / (background + error), 1 / np.maximum(background - error, 1e-12)
        ax.fill_between(x, low, high, where=np.isfinite(error), color=curve.colour, alpha=BAND, linewidth=0)
        if len(background):
            highest = max(highest, highest_measured(background, error))
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(0, 1), ylim=(1, 3 * highest), ylabel="1 / background efficiency")


def draw_ratios(ax: Axes, curves: Sequence[TaggerCurve]) -> None:
    """Draw the ratio of each rejection to that of the reference, where both are known."""
    reach = 0.1
    for curve in curves:
        value, error = curve.ratio
        ax.plot(GRID, value, color=curve.colour, linestyle=curve.dashes)
        ax.fill_between(GRID, value - error, value + error, color=curve.colour, alpha=BAND, linewidth=0)
        finite = value[np.isfinite(value)]
        reach = max(reach, float(np.abs(finite - 1).max(initial=0)))
    ax.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(max(0, 1 - 1.15 * reach), 1 + 1.15 * reach), xlabel="signal efficiency")

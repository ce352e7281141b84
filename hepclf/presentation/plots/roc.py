"""The ROC curve, and the curves that it shares with the rejection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from hepclf.evaluation.results import Results, RocAxes, SplitResults
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLUE, DASHES, GREY, VERMILLION, colours
from hepclf.statistics.curves.roc import Roc

ONE_VS_REST = "one class against the rest"
CAPTIONS = {
    "rejection": "ROC curve: 1 − background efficiency against signal efficiency, for all cuts on the score. The "
    "better tagger is closer to the upper right corner; the dotted line is a random classifier.",
    "tpr_fpr": "ROC curve: true positive rate against false positive rate, for all cuts on the score. The better "
    "tagger is closer to the upper left corner; the dotted line is a random classifier.",
}


class StyledCurve(NamedTuple):
    """A curve and how it is drawn."""

    roc: Roc
    label: str
    colour: str
    dashes: str


def pictures(results: Results, title: str) -> Iterator[Picture]:
    """The curves of the last split; none where no curve could be measured."""
    name, split = list(results.splits.items())[-1]
    if styled_curves(split, name, results.signal):
        figure = panel(lambda ax: draw_roc(ax, split, name=name, signal=results.signal, axes=results.roc_axes), title)
        caption = CAPTIONS[results.roc_axes]
        yield Picture("roc", figure, caption, tuple(_series(split, name)))


def styled_curves(split: SplitResults, name: str, signal: str) -> list[StyledCurve]:
    """The curves of a split: one for each of several classes, or one and that of the exact likelihood ratio."""
    if split.one_vs_rest:
        palette = colours(tuple(split.one_vs_rest), signal)
        classes = zip(split.one_vs_rest.items(), cycle(DASHES), strict=False)
        return [
            StyledCurve(quality.roc, one_line(label, 20), palette[label], dashes)
            for (label, quality), dashes in classes
            if quality.roc
        ]
    curves = []
    if split.roc:
        curves.append(StyledCurve(split.roc, name, BLUE, "-"))
    if split.optimal:
        curves.append(StyledCurve(split.optimal, "best possible", GREY, "--"))
    return curves


def draw_roc(
    ax: Axes, split: SplitResults, *, name: str = "test", signal: str = "signal", axes: RocAxes = "rejection"
) -> None:
    """Draw 1 - background efficiency against signal efficiency, or true against false positive rate.

    By default the signal efficiency is on x, as in the rejection, its companion, so that a working point is read at the
    same place in both; y is one minus the background efficiency (TMVA's convention), so that better is up and
    right, and the area under the line as it is drawn is the AUC of the legend. The band is one standard error.
    """
    has_rates, several = axes == "tpr_fpr", bool(split.one_vs_rest)
    for curve in styled_curves(split, name, signal):
        label = f"{curve.label}: AUC {with_error(curve.roc.area)}"
        _curve(ax, curve, label, has_rates=has_rates)
    random_classifier = np.linspace(0, 1, 2)
    ax.plot(
        *_placed(random_classifier, random_classifier, has_rates=has_rates), color=GREY, linewidth=0.8, linestyle=":"
    )
    if split.operating:
        point = _placed(*split.operating, has_rates=has_rates)
        label = f"cut {split.threshold:.3g}"
        ax.plot(*point, "o", color=VERMILLION, markersize=7, label=label, clip_on=False, zorder=5)
    signal_name, background_name = efficiency_label(several), background_label(several)
    labels = (signal_name, f"1 − {background_name}")
    corner: Literal["lower left", "lower right"] = "lower left"
    if has_rates:
        labels = (f"false positive rate ({background_name})", f"true positive rate ({signal_name})")
        corner = "lower right"
    ax.set(xlim=(0, 1), ylim=(0, 1.03), xlabel=labels[0], ylabel=labels[1])
    ax.legend(loc=corner, title=ONE_VS_REST * several or None, alignment="left")


def _placed(signal: Any, background: Any, *, has_rates: bool) -> tuple[Any, Any]:
    """The position (x, y) of a pair of efficiencies in the picture."""
    if has_rates:
        return background, signal
    return signal, 1 - background


def _curve(ax: Axes, curve: StyledCurve, label: str, *, has_rates: bool) -> None:
    """Draw a curve and its band, which is the error of the background efficiency."""
    signal, background, error = curve.roc.signal_efficiency, curve.roc.background_efficiency, curve.roc.background_error
    x, y = _placed(signal, background, has_rates=has_rates)
    ax.plot(x, y, color=curve.colour, linestyle=curve.dashes, label=label)
    band: Any = {"where": np.isfinite(error), "color": curve.colour, "alpha": 0.2, "linewidth": 0}
    if has_rates:
        ax.fill_betweenx(y, x - error, x + error, **band)
    else:
        ax.fill_between(x, y - error, y + error, **band)


def efficiency_label(several: bool) -> str:
    """The label of the x axis of a ROC curve."""
    return "efficiency of the class" if several else "signal efficiency"


def background_label(several: bool) -> str:
    """The name of the background efficiency; with several classes the background is the rest."""
    return "efficiency of the rest" if several else "background efficiency"


def named_curves(split: SplitResults, name: str) -> Iterator[tuple[str, Roc]]:
    """The drawn curves by their names in the files of numbers."""
    if split.one_vs_rest:
        yield from ((label, quality.roc) for label, quality in split.one_vs_rest.items() if quality.roc is not None)
        return
    for label, roc in ((name, split.roc), ("best possible", split.optimal)):
        if roc is not None:
            yield label, roc


def _series(split: SplitResults, name: str) -> Iterator[Series]:
    """Both efficiencies along each curve, and the threshold of each point."""
    for label, roc in named_curves(split, name):
        columns = {
            "signal_efficiency": roc.signal_efficiency,
            "background_efficiency": roc.background_efficiency,
            "background_efficiency_error": roc.background_error,
            "threshold": roc.thresholds,
        }
        yield Series(label, columns)

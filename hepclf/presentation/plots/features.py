"""The distributions of each feature by class: a picture for each feature, and pages with many of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

from hepclf.files import atomic, read_json
from hepclf.presentation.plots.label import axis_label, one_line, with_error
from hepclf.presentation.plots.picture import SIZE, write_png
from hepclf.presentation.plots.style import colours, style
from hepclf.survey.feature import FeatureSummary
from hepclf.survey.survey import Survey

INDEX = "pictures.json"  # which picture is of which feature
BOOK = "features.pdf"
ROWS, ACROSS = 4, 3  # of a page of the overview
WIDTH = 10.0
MAX_LABEL = 22  # letters of a legend label up to which two columns fit
PEAK_RATIO = 30  # peak over median bin above which the axis is logarithmic


def draw_features(survey: Survey, folder: Path, *, title: str = "") -> list[Path]:
    """Write a PNG for each feature, one PDF with a page for each, and PNG pages with many features.

    Files that an older index lists and that are not written again are removed. One PDF holds its fonts once, where
    hundreds of files would take minutes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    old_files = _indexed_files(index)
    features_by_stem = {
        picture_stem(place, feature.name): feature
        for place, feature in enumerate(survey.features, 1)
        if feature.shape is not None
    }
    written: list[Path] = []
    with style():
        if features_by_stem:
            written += _pictures(features_by_stem, survey, folder, one_line(title, 50))
            written += _pages(list(features_by_stem.values()), survey, folder, one_line(title, 60))
    pictures = {feature.name: f"{name}.png" for name, feature in features_by_stem.items()}
    with atomic(index) as path:
        path.write_text(json.dumps({"features": pictures, "files": [path.name for path in written]}, indent=2) + "\n")
    for path in old_files - set(written):
        path.unlink(missing_ok=True)
    return written


def picture_stem(place: int, name: str) -> str:
    """The stem of a feature's picture: its place, and the letters of its name that any file system takes."""
    return f"{place:03d}_{re.sub(r'[^A-Za-z0-9.+-]+', '_', name).strip('_.')[:60]}".rstrip("_.")


def _pictures(features: Mapping[str, FeatureSummary], survey: Survey, folder: Path, title: str) -> list[Path]:
    """Write a PNG for each feature, and one PDF with all of them.

    The PDF has no date, so that the same survey gives the same bytes.
    """
    pdf = folder / BOOK
    written = [pdf]
    with atomic(pdf) as hidden, PdfPages(hidden, metadata={"CreationDate": None}) as pages:
        for name, feature in features.items():
            figure = _picture(feature, survey, title)
            written.append(folder / f"{name}.png")
            write_png(figure, written[-1])
            vector: Any = FigureCanvasPdf(figure)
            vector.print_pdf(pages)  # which draws once, where savefig draws twice
    return written


def _pages(features: Sequence[FeatureSummary], survey: Survey, folder: Path, title: str) -> list[Path]:
    written = []
    for number, start in enumerate(range(0, len(features), ROWS * ACROSS), 1):
        written.append(folder / f"overview_{number}.png")
        write_png(_page(features[start : start + ROWS * ACROSS], survey, title), written[-1])
    return written


def _indexed_files(index: Path) -> set[Path]:
    """The PNG and PDF files that an older index lists, always taken from the folder of the index."""
    try:
        paths = [Path(str(name)) for name in read_json(index)["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {index.parent / path.name for path in paths if path.suffix in (".png", ".pdf")}


def _picture(feature: FeatureSummary, survey: Survey, title: str) -> Figure:
    figure = Figure(figsize=SIZE)
    figure.set_layout_engine("none")  # finding one takes longer than the drawing
    ax = figure.subplots(gridspec_kw={"left": 0.13, "right": 0.97, "bottom": 0.14, "top": 0.93})
    draw_feature(ax, feature, survey)
    labels = ax.get_legend_handles_labels()[1]
    columns = 1 + (max(map(len, labels), default=0) <= MAX_LABEL)
    lines = math.ceil(len(labels) / columns)
    _limit(ax, feature, room=0.07 * (lines + 1) + 0.04)
    ax.set_ylabel("(1/N) dN/dx")
    ax.set_title(title)
    ax.legend(loc="upper center", ncols=columns, columnspacing=1.2, title=_panel_title(feature), alignment="center")
    return figure


def _page(features: Sequence[FeatureSummary], survey: Survey, title: str) -> Figure:
    """A page of small panels, with one legend above them all."""
    down = math.ceil(len(features) / ACROSS)
    height = 2.6 * down + 0.8
    figure = Figure(figsize=(WIDTH, height))
    figure.set_layout_engine("none")
    edges = {"left": 0.05, "right": 0.98, "bottom": 0.5 / height, "top": 1 - 0.75 / height}
    axes = figure.subplots(down, ACROSS, squeeze=False, gridspec_kw={**edges, "wspace": 0.2, "hspace": 0.32}).ravel()
    for ax, feature in zip(axes, features, strict=False):
        draw_feature(ax, feature, survey)
        _limit(ax, feature, room=0.1)
        ax.tick_params(labelsize=7)
        ax.minorticks_off()
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_offset_text().set_fontsize(7)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=has_whole_numbers(feature)))
        ax.set_xlabel(ax.get_xlabel(), fontsize=8)
        ax.set_title(_panel_title(feature), fontsize=7)
    for ax in axes[len(features) :]:
        ax.set_axis_off()
    handles = [Line2D([], [], color=colour) for colour in _colours(survey).values()]
    names = [one_line(name, 24) for name in _colours(survey)]
    figure.legend(handles, names, loc="upper left", ncols=6, title=title, alignment="left")
    return figure


def draw_feature(ax: Axes, feature: FeatureSummary, survey: Survey) -> None:
    """Draw the histograms of a feature with their error bands, a colour for each class."""
    shape = feature.shape
    if shape is None:
        return
    fill = len(survey.classes) == 2
    for histogram, (name, colour) in zip(shape.histograms, _colours(survey).items(), strict=True):
        if histogram is None:
            continue
        if fill:
            ax.stairs(histogram.density, histogram.edges, fill=True, color=colour, alpha=0.15)
        low, high = histogram.density - histogram.error, histogram.density + histogram.error
        ax.stairs(high, histogram.edges, baseline=low, fill=True, color=colour, alpha=0.3, linewidth=0)
        ax.stairs(histogram.density, histogram.edges, color=colour, linewidth=1.4, label=_label(feature, survey, name))
    ax.set_xlim(shape.edges[0], shape.edges[-1])
    ax.ticklabel_format(axis="x", scilimits=(-3, 5), useOffset=False, useMathText=True)
    ax.xaxis.get_offset_text().set(x=0, horizontalalignment="left")  # on the right is the name
    ax.set_xlabel(axis_label(feature.name, survey.titles, 44))
    if has_whole_numbers(feature):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.xaxis.set_minor_locator(NullLocator())


def has_whole_numbers(feature: FeatureSummary) -> bool:
    """Whether the bins hold whole numbers, with edges halfway between them."""
    return feature.shape is not None and bool((feature.shape.edges % 1 == 0.5).all())


def _label(feature: FeatureSummary, survey: Survey, name: str) -> str:
    """The class, the fraction of its events without a value, and its AUC where each class has one."""
    events = next(sample.events for sample in survey.classes if sample.name == name)
    missing = feature.classes[name].missing / max(events, 1)
    label = one_line(name, 24)
    if len(feature.auc) > 1 and feature.auc[name].value is not None:
        label += f", AUC {feature.auc[name].value:.3f}"
    if missing:
        label += f", {100 * missing:.2g} % missing"
    return label


def _panel_title(feature: FeatureSummary) -> str:
    """The AUC of two classes, and the fraction of events outside the axis."""
    parts = []
    if len(feature.auc) == 1:
        parts = [f"single-feature AUC {with_error(area)}" for area in feature.auc.values()]
    if feature.shape is not None and feature.shape.outside:
        parts.append(f"{100 * feature.shape.outside:.2g} % out of range")
    return ", ".join(parts)


def _colours(survey: Survey) -> dict[str, str]:
    names = tuple(row.name for row in survey.classes)
    return colours(names, names[-1])


def _limit(ax: Axes, feature: FeatureSummary, room: float) -> None:
    """Leave room for the legend; make the axis logarithmic where a peak would hide all else."""
    histograms = []
    if feature.shape:
        histograms = [histogram for histogram in feature.shape.histograms if histogram is not None]
    densities = np.concatenate([histogram.density for histogram in histograms] or [np.ones(1)])
    tops = [histogram.density + histogram.error for histogram in histograms]
    positive = densities[densities > 0]
    top, low = float(np.concatenate(tops or [np.ones(1)]).max()), float(densities.min())
    if len(positive) and low >= 0 and top > PEAK_RATIO * float(np.median(positive)):
        bottom = float(positive.min()) / 2
        ax.set_yscale("log")
        ax.set_ylim(bottom, bottom * (1.5 * top / bottom) ** (1 / (1 - room)))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(min(1.1 * low, 0.0), 1.08 * max(top, 1e-300) / (1 - room))
        ax.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)

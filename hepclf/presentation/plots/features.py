"""Each feature's distribution in each class: a picture a feature, and pages with many of them."""

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
from matplotlib.ticker import MaxNLocator, NullFormatter

from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import SIZE, atomic, write_png
from hepclf.presentation.plots.style import colours, style
from hepclf.survey.feature import FeatureSummary
from hepclf.survey.survey import Survey

INDEX = "pictures.json"  # which picture is of which feature
BOOK = "features.pdf"
ROWS, ACROSS = 4, 3  # of a page of the overview
WIDTH = 10.0
WIDE = 22  # letters of a class and what is said of it, that fit twice beside each other
STEEP = 30  # peak over typical bin, from where on a logarithmic axis shows more


def draw_features(survey: Survey, folder: Path, *, title: str = "") -> list[Path]:
    """A PNG a feature, a page of a PDF each, and PNG pages of many; what an older index lists and is no more goes.

    One PDF holds its fonts once, where hundreds of files would take minutes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    older = _old_pictures(index)
    drawn = {
        picture_stem(place, row.name): row for place, row in enumerate(survey.features, 1) if row.shape is not None
    }
    written: list[Path] = []
    with style():
        if drawn:
            written += _pictures(drawn, survey, folder, one_line(title, 50))
            written += _pages(list(drawn.values()), survey, folder, one_line(title, 60))
    features = {row.name: f"{name}.png" for name, row in drawn.items()}
    with atomic(index) as path:
        path.write_text(json.dumps({"features": features, "files": [path.name for path in written]}, indent=2) + "\n")
    for path in older - set(written):
        path.unlink(missing_ok=True)
    return written


def picture_stem(place: int, name: str) -> str:
    """The name of a feature's picture: its place, and of its name what any file system takes."""
    return f"{place:03d}_{re.sub(r'[^A-Za-z0-9.+-]+', '_', name).strip('_.')[:60]}".rstrip("_.")


def _pictures(drawn: Mapping[str, FeatureSummary], survey: Survey, folder: Path, title: str) -> list[Path]:
    """A PNG each, and all of them as the pages of one PDF, without a date: the same survey gives the same bytes."""
    pdf = folder / BOOK
    written = [pdf]
    with atomic(pdf) as hidden, PdfPages(hidden, metadata={"CreationDate": None}) as pages:
        for name, row in drawn.items():
            figure = _picture(row, survey, title)
            written.append(folder / f"{name}.png")
            write_png(figure, written[-1])
            vector: Any = FigureCanvasPdf(figure)
            vector.print_pdf(pages)  # which draws once, where savefig draws twice
    return written


def _pages(rows: Sequence[FeatureSummary], survey: Survey, folder: Path, title: str) -> list[Path]:
    written = []
    for number, start in enumerate(range(0, len(rows), ROWS * ACROSS), 1):
        written.append(folder / f"overview_{number}.png")
        write_png(_page(rows[start : start + ROWS * ACROSS], survey, title), written[-1])
    return written


def _old_pictures(index: Path) -> set[Path]:
    """The pictures that an index of ours lists; nothing outside its folder, and no other kind of file."""
    try:
        listed = [Path(str(name)) for name in json.loads(index.read_text())["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {index.parent / path.name for path in listed if path.suffix in (".png", ".pdf")}


def _picture(row: FeatureSummary, survey: Survey, title: str) -> Figure:
    figure = Figure(figsize=SIZE)
    figure.set_layout_engine("none")  # finding one takes longer than the drawing
    ax = figure.subplots(gridspec_kw={"left": 0.13, "right": 0.97, "bottom": 0.14, "top": 0.93})
    draw_feature(ax, row, survey)
    labels = ax.get_legend_handles_labels()[1]
    columns = 2 if max(map(len, labels), default=0) <= WIDE else 1
    lines = math.ceil(len(labels) / columns)
    _limit(ax, row, room=0.07 * (lines + 1) + 0.04)
    ax.set_ylabel("events, normalised to unit area")
    ax.set_title(title)
    ax.legend(loc="upper center", ncols=columns, columnspacing=1.2, title=_alone(row), alignment="center")
    return figure


def _page(rows: Sequence[FeatureSummary], survey: Survey, title: str) -> Figure:
    """Small panels, with one legend above them all."""
    down = math.ceil(len(rows) / ACROSS)
    height = 2.6 * down + 0.8
    figure = Figure(figsize=(WIDTH, height))
    figure.set_layout_engine("none")
    edges = {"left": 0.05, "right": 0.98, "bottom": 0.5 / height, "top": 1 - 0.75 / height}
    axes = figure.subplots(down, ACROSS, squeeze=False, gridspec_kw={**edges, "wspace": 0.2, "hspace": 0.32}).ravel()
    for ax, row in zip(axes, rows, strict=False):
        draw_feature(ax, row, survey)
        _limit(ax, row, room=0.1)
        ax.tick_params(labelsize=7)
        ax.minorticks_off()
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_offset_text().set_fontsize(7)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.set_xlabel(ax.get_xlabel(), fontsize=8)
        ax.set_title(_alone(row), fontsize=7)
    for ax in axes[len(rows) :]:
        ax.set_axis_off()
    shown = [Line2D([], [], color=colour) for colour in _colours(survey).values()]
    names = [one_line(name, 24) for name in _colours(survey)]
    figure.legend(shown, names, loc="upper left", ncols=6, title=title, alignment="left")
    return figure


def draw_feature(ax: Axes, row: FeatureSummary, survey: Survey) -> None:
    """The histograms of a feature, a colour a class, with the band of their errors."""
    shape = row.shape
    if shape is None:
        return
    fill = len(survey.classes) == 2
    for of, (name, colour) in zip(shape.histograms, _colours(survey).items(), strict=True):
        if of is None:
            continue
        if fill:
            ax.stairs(of.density, of.edges, fill=True, color=colour, alpha=0.15)
        low, high = of.density - of.error, of.density + of.error
        ax.stairs(high, of.edges, baseline=low, fill=True, color=colour, alpha=0.3, linewidth=0)
        ax.stairs(of.density, of.edges, color=colour, linewidth=1.4, label=_label(row, survey, name))
    ax.set_xlim(shape.edges[0], shape.edges[-1])
    ax.ticklabel_format(axis="x", scilimits=(-3, 5), useOffset=False, useMathText=True)
    ax.xaxis.get_offset_text().set(x=0, horizontalalignment="left")  # on the right is the name
    ax.set_xlabel(one_line(row.name, 44))


def _label(row: FeatureSummary, survey: Survey, name: str) -> str:
    """The class, the share of its events that have no value, and its own area where there are several."""
    events = next(each.events for each in survey.classes if each.name == name)
    missing = row.classes[name].missing / max(events, 1)
    label = one_line(name, 24)
    if len(row.auc) > 1 and row.auc[name].value is not None:
        label += f", AUC {row.auc[name].value:.3f}"
    return f"{label}, {100 * missing:.2g} % missing" if missing else label


def _alone(row: FeatureSummary) -> str:
    """What stands above the classes: the area of two, and what the axis leaves out."""
    area = next(iter(row.auc.values())) if len(row.auc) == 1 else None
    parts = [] if area is None else [f"AUC alone {with_error(area)}"]
    if row.shape is not None and row.shape.outside:
        parts.append(f"{100 * row.shape.outside:.2g} % beyond the axis")
    return ", ".join(parts)


def _colours(survey: Survey) -> dict[str, str]:
    names = tuple(row.name for row in survey.classes)
    return colours(names, names[-1])


def _limit(ax: Axes, row: FeatureSummary, room: float) -> None:
    """Room above for words; a logarithmic axis where the peak would hide all else."""
    shape = row.shape
    known = [of for of in shape.histograms if of is not None] if shape else []
    every = np.concatenate([of.density for of in known] or [np.ones(1)])
    tops = [of.density + of.error for of in known]
    seen = every[every > 0]
    top, low = float(np.concatenate(tops or [np.ones(1)]).max()), float(every.min())
    if len(seen) and low >= 0 and top > STEEP * float(np.median(seen)):
        bottom = float(seen.min()) / 2
        ax.set_yscale("log")
        ax.set_ylim(bottom, bottom * (1.5 * top / bottom) ** (1 / (1 - room)))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(min(1.1 * low, 0.0), 1.08 * max(top, 1e-300) / (1 - room))
        ax.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)

"""A picture: a figure, the name of its files, its caption, and the numbers that it shows."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullFormatter
from numpy.typing import ArrayLike, NDArray

from hepclf.files import atomic
from hepclf.presentation.plots.index import KINDS
from hepclf.statistics.value import Value

Array = NDArray[np.float64]

SIZE = (5.2, 4.2)
MAX_SPAN = 30  # high / low of a logarithmic axis up to which minor ticks are labelled too
TOP = 1.0  # height of a title in its panel; with a fixed height matplotlib skips a search, a tenth of a picture's time


class Series(NamedTuple):
    """Points of a picture: columns of equal length. The first column holds the independent variable.

    The error of a column `x` is called `x_error`; a column of text has none.
    """

    name: str
    columns: Mapping[str, ArrayLike | Sequence[str]]


class Picture(NamedTuple):
    """A figure under the stem of its files; `caption` says how to read it, in a sentence or two."""

    stem: str
    figure: Figure
    caption: str = ""
    series: tuple[Series, ...] = ()


def value_columns(values: Iterable[Value]) -> tuple[Array, Array]:
    """Numbers and their errors as columns, [n] each; nan where there is none."""
    columns = np.array(list(values), dtype=np.float64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def panel(drawing: Callable[[Axes], None], title: str, size: tuple[float, float] = SIZE) -> Figure:
    """A figure of one panel."""
    figure = Figure(figsize=size)
    ax = figure.subplots()
    drawing(ax)
    ax.set_title(title, y=TOP)
    return figure


def add_legend(figure: Figure, title: str = "", columns: int = 1) -> None:
    """Add the legend of the first panel above the panels, where no curve runs; the figure grows by its rows."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", title=title or None, alignment="left", ncols=columns)
    rows = math.ceil(len(labels) / columns) + len(title.splitlines())
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.21 * rows)


def stamp(figure: Figure, experiment: str, status: str = "") -> None:
    """Write the experiment in bold and the status of the plot above the left of a panel.

    Where panels stand side by side, the stamp is above all of them.
    """
    if not figure.axes or not (experiment or status):
        return
    subplot = figure.axes[0].get_subplotspec()
    if subplot is not None and subplot.get_gridspec().ncols > 1:
        figure.suptitle(f"{experiment} {status}".strip(), x=0.99, ha="right", fontsize=12, fontweight="bold")
        return
    ax = next((ax for ax in figure.axes if ax.get_title("right")), figure.axes[0])
    bold = ax.set_title(experiment, loc="left", fontsize=12, fontweight="bold", color="black")
    ax.annotate(
        status,
        xy=(1, 0),
        xycoords=bold,
        xytext=(5 * bool(experiment), 0),
        textcoords="offset points",
        fontsize=11,
        fontstyle="italic",
        va="bottom",
        annotation_clip=False,
    )


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Stop the garbage collector within the block: it would search the figure again and again, and free nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@without_garbage_collection()
def write_figure(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """Write PNG and PDF. The figure is laid out once and drawn once for each file; savefig would do each twice."""
    png, pdf = (folder / f"{stem}.{kind}" for kind in KINDS)
    _set_minor_labels(figure)
    write_png(figure, png)
    figure.set_layout_engine("none")
    vector: Any = FigureCanvasPdf(figure)
    with atomic(pdf) as path:
        # Without a date the same results give the same bytes.
        vector.print_pdf(path, metadata={"CreationDate": None})
    return [png, pdf]


def _set_minor_labels(figure: Figure) -> None:
    """Switch off the labels of minor ticks, whose size matplotlib would otherwise compute in vain.

    A logarithmic axis of hardly more than a decade has its minor ticks labelled, as one number makes no scale.
    """
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if not isinstance(axis.get_minor_formatter(), NullFormatter):
            continue
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high < MAX_SPAN * low:
            axis.set_major_formatter(LogFormatter())
            axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.75)))
        else:
            axis.set_tick_params(which="minor", label1On=False, label2On=False)


def write_png(figure: Figure, png: Path) -> None:
    """Write PNG alone."""
    agg: Any = FigureCanvasAgg(figure)
    with atomic(png) as path:
        agg.print_png(path)

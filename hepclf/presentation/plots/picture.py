"""A picture: a figure, the name of its files, what a reader is told of it, and the numbers that it shows."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullFormatter
from numpy.typing import ArrayLike

KINDS = ("png", "pdf")
INDEX = "pictures.json"
SIZE = (5.2, 4.2)
SHORT = 30  # the ends of a logarithmic axis that needs more labels than its powers of ten are not further apart
TOP = 1.0  # the height of a title in its panel; given, it is not looked for, a tenth of the time of a picture


class Series(NamedTuple):
    """Points of a picture: columns of equal length, the first of them what the others depend on.

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


def panel(drawing: Callable[[Axes], None], title: str, size: tuple[float, float] = SIZE) -> Figure:
    """A figure of one panel."""
    figure = Figure(figsize=size)
    ax = figure.subplots()
    drawing(ax)
    ax.set_title(title, y=TOP)
    return figure


def stamp(figure: Figure, experiment: str, status: str = "") -> None:
    """The experiment in bold, and what its plot is: above the left of a panel, or above all that stand abreast."""
    if not figure.axes or not (experiment or status):
        return
    place = figure.axes[0].get_subplotspec()
    if place is not None and place.get_gridspec().ncols > 1:
        figure.suptitle(f"{experiment} {status}".strip(), x=0.99, ha="right", fontsize=12, fontweight="bold")
        return
    ax = next((ax for ax in figure.axes if ax.get_title("right")), figure.axes[0])
    bold = ax.set_title(experiment, loc="left", fontsize=12, fontweight="bold", color="black")
    ax.annotate(
        status,
        xy=(1, 0),
        xycoords=bold,
        xytext=(5 if experiment else 0, 0),
        textcoords="offset points",
        fontsize=11,
        fontstyle="italic",
        va="bottom",
        annotation_clip=False,
    )


class Listed(NamedTuple):
    """What the index of a folder says of a picture: how to read it, the study it belongs to, and its files."""

    caption: str
    study: str | None
    kinds: tuple[str, ...]


def write_index(folder: Path, listed: Mapping[str, Listed]) -> None:
    """Write pictures.json, which names the pictures of a folder."""
    contents = {stem: of._asdict() for stem, of in listed.items()}
    with beside(folder / INDEX) as path:
        path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def uncollected() -> Iterator[None]:
    """The garbage collector rests within the block: it would search what is drawn again and again, and free nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@uncollected()
def write(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """PNG and PDF. Laid out once and drawn once a file, which savefig would do twice."""
    png, pdf = (folder / f"{stem}.{kind}" for kind in KINDS)
    _unlabelled(figure)
    write_png(figure, png)
    figure.set_layout_engine("none")
    vector: Any = FigureCanvasPdf(figure)
    with beside(pdf) as path:
        # Without a date the same results gives the same bytes.
        vector.print_pdf(path, metadata={"CreationDate": None})
    return [png, pdf]


def _unlabelled(figure: Figure) -> None:
    """Ticks that are never labelled are not asked how large their labels are.

    A logarithmic axis of hardly more than a decade has minor ticks labelled, as one number makes no scale.
    """
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if not isinstance(axis.get_minor_formatter(), NullFormatter):
            continue
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high < SHORT * low:
            axis.set_major_formatter(LogFormatter())
            axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.75)))
        else:
            axis.set_tick_params(which="minor", label1On=False, label2On=False)


def write_png(figure: Figure, png: Path) -> None:
    """PNG alone."""
    agg: Any = FigureCanvasAgg(figure)
    with beside(png) as path:
        agg.print_png(path)


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A hidden place next to this one, moved there at the end, so that no half picture is ever found."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield hidden
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)

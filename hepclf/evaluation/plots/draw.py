"""The pictures of a verdict, each as PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.plots.confusion import confusion
from hepclf.evaluation.plots.label import plain
from hepclf.evaluation.plots.losses import losses
from hepclf.evaluation.plots.plane import decision
from hepclf.evaluation.plots.rejection import highest, rejection
from hepclf.evaluation.plots.roc import lines, roc
from hepclf.evaluation.plots.scores import scores
from hepclf.evaluation.plots.significance import significance
from hepclf.evaluation.plots.style import style
from hepclf.evaluation.verdict import Verdict

History = Mapping[str, Sequence[float]]

FIGURES = ("losses", "scores", "roc", "rejection", "confusion", "significance", "decision")
KINDS = ("png", "pdf")
SIZE = (5.2, 4.2)


def draw(
    verdict: Verdict, folder: Path, *, history: History | None = None, plane: Plane | None = None, title: str = ""
) -> list[Path]:
    """Write the figures that the verdict has values for; one that it has none for is removed if an older one is there.

    Of the splits, the pictures show test where there is one, else validation, else training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with style():
        for stem, figure in _figures(verdict, history, plane, plain(title, 50)):
            written += write(figure, folder, stem)
    for stem in FIGURES:
        for kind in KINDS:
            if (path := folder / f"{stem}.{kind}") not in written:
                path.unlink(missing_ok=True)
    return written


def _figures(
    verdict: Verdict, history: History | None, plane: Plane | None, title: str
) -> Iterator[tuple[str, Figure]]:
    name, split = list(verdict.splits.items())[-1]
    signal, classes, k = verdict.signal, verdict.classes, len(verdict.classes)
    of_split = f"{title}, {name}" if title else name
    if history and len(history["epoch"]):
        yield "losses", _panel(lambda ax: losses(ax, history), title)
    yield "scores", _panel(lambda ax: scores(ax, verdict, name), of_split)
    if lines(split, name, signal):
        yield "roc", _panel(lambda ax: roc(ax, split, name=name, signal=signal), of_split)
    if highest(split, name, signal) > 1:
        yield "rejection", _panel(lambda ax: rejection(ax, split, name=name, signal=signal), of_split)
    side = 2.6 + 0.75 * k
    yield (
        "confusion",
        _panel(lambda ax: confusion(ax, split.confusion, classes, split.threshold), of_split, (side, side)),
    )
    if (scan := verdict.scan) is not None:
        yield "significance", _panel(lambda ax: significance(ax, scan, verdict.significance, signal), of_split)
    if plane is not None:
        yield "decision", _decision(verdict, plane, of_split)


def _panel(drawing: Callable[[Axes], None], title: str, size: tuple[float, float] = SIZE) -> Figure:
    figure = Figure(figsize=size)
    ax = figure.subplots()
    drawing(ax)
    ax.set_title(title)
    return figure


def _decision(verdict: Verdict, plane: Plane, title: str) -> Figure:
    """The plane, the confusion matrix and the ROC curve side by side."""
    name, split = list(verdict.splits.items())[-1]
    figure = Figure(figsize=(14, 4.2))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    threshold = 0.5 if split.threshold is None else split.threshold
    decision(left, plane, threshold, verdict.classes, verdict.signal)
    confusion(middle, split.confusion, verdict.classes, split.threshold)
    roc(right, split, name=name, signal=verdict.signal)
    right.set_title(title)
    return figure


def write(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """PNG and PDF. Laid out once and drawn once a file, which savefig would do twice."""
    png, pdf = (folder / f"{stem}.{kind}" for kind in KINDS)
    write_png(figure, png)
    figure.set_layout_engine("none")
    vector: Any = FigureCanvasPdf(figure)
    with beside(pdf) as path:
        # Without a date the same verdict gives the same bytes.
        vector.print_pdf(path, metadata={"CreationDate": None})
    return [png, pdf]


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

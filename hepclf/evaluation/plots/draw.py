"""The pictures of a verdict, each as PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.plots.confusion import confusion
from hepclf.evaluation.plots.label import plain
from hepclf.evaluation.plots.losses import losses
from hepclf.evaluation.plots.plane import decision
from hepclf.evaluation.plots.rejection import rejection
from hepclf.evaluation.plots.roc import lines, roc
from hepclf.evaluation.plots.scores import scores
from hepclf.evaluation.plots.significance import significance
from hepclf.evaluation.plots.style import style
from hepclf.evaluation.verdict import Verdict

History = Mapping[str, Sequence[float]]

FIGURES = ("losses", "scores", "roc", "rejection", "confusion", "significance", "decision")
# Without a date the same verdict gives the same bytes.
METADATA: dict[str, dict[str, str | None]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
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
            written += [_write(figure, folder / f"{stem}.{kind}") for kind in METADATA]
    for stem in FIGURES:
        for kind in METADATA:
            if (path := folder / f"{stem}.{kind}") not in written:
                path.unlink(missing_ok=True)
    return written


def _figures(
    verdict: Verdict, history: History | None, plane: Plane | None, title: str
) -> Iterator[tuple[str, Figure]]:
    name, split = list(verdict.splits.items())[-1]
    signal, classes, k = verdict.signal, verdict.classes, len(verdict.classes)
    if history and len(history["epoch"]):
        yield "losses", _panel(lambda ax: losses(ax, history), title)
    yield "scores", _panel(lambda ax: scores(ax, verdict, name), title)
    if lines(split, name, signal):
        yield "roc", _panel(lambda ax: roc(ax, split, name=name, signal=signal), title)
        yield "rejection", _panel(lambda ax: rejection(ax, split, name=name, signal=signal), title)
    side = max(4.2, 1.5 + 0.9 * k)
    yield "confusion", _panel(lambda ax: confusion(ax, split.confusion, classes), title, (side, side))
    if (scan := verdict.scan) is not None:
        yield "significance", _panel(lambda ax: significance(ax, scan, verdict.significance, signal), title)
    if plane is not None:
        yield "decision", _decision(verdict, plane, title)


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
    decision(left, plane, split.threshold or 0.5, verdict.classes, verdict.signal)
    confusion(middle, split.confusion, verdict.classes)
    roc(right, split, name=name, signal=verdict.signal)
    right.set_title(title)
    return figure


def _write(figure: Figure, path: Path) -> Path:
    """Written beside its place and moved there, so that no half picture is ever found."""
    kind = path.suffix[1:]
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(beside, format=kind, metadata=METADATA[kind])
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path

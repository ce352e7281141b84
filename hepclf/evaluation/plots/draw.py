"""The pictures of a verdict, each as PNG and PDF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.plots.confusion import confusion
from hepclf.evaluation.plots.counting import counting
from hepclf.evaluation.plots.flatness import flatness
from hepclf.evaluation.plots.label import plain
from hepclf.evaluation.plots.losses import losses
from hepclf.evaluation.plots.picture import KINDS, Picture, beside, panel, write
from hepclf.evaluation.plots.plane import decision
from hepclf.evaluation.plots.rejection import highest, rejection
from hepclf.evaluation.plots.roc import lines, roc
from hepclf.evaluation.plots.scores import scores
from hepclf.evaluation.plots.sculpting import sculpting
from hepclf.evaluation.plots.significance import significance
from hepclf.evaluation.plots.style import style
from hepclf.evaluation.verdict import Verdict

History = Mapping[str, Sequence[float]]

INDEX = "pictures.json"
# How the finding of each study is drawn: finding, verdict and title to pictures.
STUDIES: Mapping[str, Callable[[Any, Verdict, str], Iterator[Picture]]] = {
    "counting": counting,
    "flatness": flatness,
    "sculpting": sculpting,
}


def draw(
    verdict: Verdict, folder: Path, *, history: History | None = None, plane: Plane | None = None, title: str = ""
) -> list[Path]:
    """Write the pictures that the verdict has values for, and pictures.json, which names them and says what they show.

    One that an earlier pictures.json names and that is no longer drawn is removed. Of the splits, the pictures show
    test where there is one, else validation, else training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    before = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    written, captions = [], {}
    with style():
        for picture in _pictures(verdict, history, plane, plain(title, 50)):
            written += write(picture.figure, folder, picture.stem)
            captions[picture.stem] = picture.caption
    for path in (folder / f"{Path(stem).name}.{kind}" for stem in before for kind in KINDS):
        if path not in written:
            path.unlink(missing_ok=True)
    with beside(index) as path:
        path.write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return written


def _pictures(verdict: Verdict, history: History | None, plane: Plane | None, title: str) -> Iterator[Picture]:
    name, split = list(verdict.splits.items())[-1]
    signal, classes, k = verdict.signal, verdict.classes, len(verdict.classes)
    of_split = f"{title}, {name}" if title else name
    if history and len(history["epoch"]):
        yield Picture("losses", panel(lambda ax: losses(ax, history), title))
    yield Picture("scores", panel(lambda ax: scores(ax, verdict, name), of_split))
    if lines(split, name, signal):
        yield Picture("roc", panel(lambda ax: roc(ax, split, name=name, signal=signal), of_split))
    if highest(split, name, signal) > 1:
        yield Picture("rejection", panel(lambda ax: rejection(ax, split, name=name, signal=signal), of_split))
    side = 2.6 + 0.75 * k
    square = panel(lambda ax: confusion(ax, split.confusion, classes, split.threshold), of_split, (side, side))
    yield Picture("confusion", square)
    if (scan := verdict.scan) is not None:
        chosen = verdict.significance
        yield Picture("significance", panel(lambda ax: significance(ax, scan, chosen, signal), of_split))
    if plane is not None:
        yield Picture("decision", _decision(verdict, plane, of_split))
    for study, found in verdict.studies.items():
        if study in STUDIES:
            yield from STUDIES[study](found, verdict, of_split)


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

"""The pictures of the results themselves, with their captions and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.figure import Figure

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.results import Results, SplitResults
from hepclf.presentation.plots import series
from hepclf.presentation.plots.confusion import draw_confusion
from hepclf.presentation.plots.losses import draw_losses
from hepclf.presentation.plots.picture import Picture, panel
from hepclf.presentation.plots.plane import draw_decision
from hepclf.presentation.plots.rejection import draw_rejection, highest_rejection
from hepclf.presentation.plots.roc import draw_roc, styled_curves
from hepclf.presentation.plots.scores import draw_scores
from hepclf.presentation.plots.significance import draw_significance

History = Mapping[str, Sequence[float]]

LOSSES = (
    "Loss after each epoch; the circle is the least validation loss. Validation that rises while training falls is "
    "a sign of overtraining."
)
SCORES = (
    "Probability of {signal} in each class, normalised to unit area: bars are {name}{points}. The further apart the "
    "classes, the better they are told apart."
)
POINTS = ", points training, which should lie on the bars"
ROC = (
    "What is kept of the signal against what is removed of the background, at every cut: up and right is better, the "
    "dotted line is a guess. The area is that of the full curve."
)
REJECTION = (
    "One over the background efficiency at each signal efficiency, with a band of ±1σ; squares are working points."
)
CONFUSION = "Truth by row, decision by column: the share of the true class, and the sum of weights."
SIGNIFICANCE = (
    "Significance of counting events above a cut, scanned on test. The points, at the cut that validation chose, are "
    "what may be quoted; a maximum of the scan itself may not."
)
DECISION = "Probability of {signal} over the two features with test events on top; the line is the decision."


def result_pictures(
    results: Results, history: History | None, plane: Plane | None, title: str, split_title: str
) -> Iterator[Picture]:
    """The pictures that the results have values for. They show the test split, or the last one where there is none.

    title        of pictures that belong to no split
    split_title  of all other pictures
    """
    name, split = list(results.splits.items())[-1]
    signal, classes = results.signal, results.classes
    if history and len(history["epoch"]):
        yield Picture(
            "losses", panel(lambda ax: draw_losses(ax, history), title), LOSSES, tuple(series.of_losses(history))
        )
    caption = SCORES.format(signal=signal, name=name, points=POINTS if name != "train" and results.train else "")
    figure = panel(lambda ax: draw_scores(ax, results, name), split_title)
    yield Picture("scores", figure, caption, tuple(series.of_scores(results, name)))
    if styled_curves(split, name, signal):
        figure = panel(lambda ax: draw_roc(ax, split, name=name, signal=signal), split_title)
        yield Picture("roc", figure, ROC, tuple(series.of_roc(split, name)))
    if highest_rejection(split, name, signal) > 1:
        figure = panel(lambda ax: draw_rejection(ax, split, name=name, signal=signal), split_title)
        yield Picture("rejection", figure, REJECTION, tuple(series.of_rejection(split, name)))
    yield _confusion(split, classes, split_title)
    if (scan := results.scan) is not None:
        chosen = results.significance
        figure = panel(lambda ax: draw_significance(ax, scan, chosen, signal), split_title)
        yield Picture("significance", figure, SIGNIFICANCE, tuple(series.of_significance(scan, chosen)))
    if plane is not None:
        figure = _decision(results, plane, split_title)
        yield Picture("decision", figure, DECISION.format(signal=signal), tuple(series.of_plane(plane)))


def _confusion(split: SplitResults, classes: tuple[str, ...], title: str) -> Picture:
    side = 2.6 + 0.75 * len(classes)
    square = panel(lambda ax: draw_confusion(ax, split.confusion, classes, split.threshold), title, (side, side))
    return Picture("confusion", square, CONFUSION, tuple(series.of_confusion(split, classes)))


def _decision(results: Results, plane: Plane, title: str) -> Figure:
    """The plane, the confusion matrix and the ROC curve side by side."""
    name, split = list(results.splits.items())[-1]
    figure = Figure(figsize=(14, 4.2))
    plane_ax, confusion_ax, roc_ax = figure.subplots(1, 3, width_ratios=(1.2, 1, 1), gridspec_kw={"wspace": 0.06})
    threshold = 0.5 if split.threshold is None else split.threshold
    draw_decision(plane_ax, plane, threshold, results.classes, results.signal)
    draw_confusion(confusion_ax, split.confusion, results.classes, split.threshold)
    draw_roc(roc_ax, split, name=name, signal=results.signal)
    roc_ax.set_title(title)
    return figure

"""The pictures of the results themselves: which there are, what they say and which numbers they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.figure import Figure

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.results import Results, SplitResults
from hepclf.presentation.plots import series
from hepclf.presentation.plots.confusion import confusion
from hepclf.presentation.plots.losses import losses
from hepclf.presentation.plots.picture import Picture, panel
from hepclf.presentation.plots.plane import decision
from hepclf.presentation.plots.rejection import highest, rejection
from hepclf.presentation.plots.roc import lines, roc
from hepclf.presentation.plots.scores import scores
from hepclf.presentation.plots.significance import significance

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


def pictures(
    results: Results, history: History | None, plane: Plane | None, title: str, of_split: str
) -> Iterator[Picture]:
    """Those that the results have values for; of the splits they show test where there is one, else the last."""
    name, split = list(results.splits.items())[-1]
    signal, classes = results.signal, results.classes
    if history and len(history["epoch"]):
        yield Picture("losses", panel(lambda ax: losses(ax, history), title), LOSSES, tuple(series.of_losses(history)))
    said = SCORES.format(signal=signal, name=name, points=POINTS if name != "train" and results.train else "")
    drawn = panel(lambda ax: scores(ax, results, name), of_split)
    yield Picture("scores", drawn, said, tuple(series.of_scores(results, name)))
    if lines(split, name, signal):
        drawn = panel(lambda ax: roc(ax, split, name=name, signal=signal), of_split)
        yield Picture("roc", drawn, ROC, tuple(series.of_roc(split, name)))
    if highest(split, name, signal) > 1:
        drawn = panel(lambda ax: rejection(ax, split, name=name, signal=signal), of_split)
        yield Picture("rejection", drawn, REJECTION, tuple(series.of_rejection(split, name)))
    yield _confusion(split, classes, of_split)
    if (scan := results.scan) is not None:
        chosen = results.significance
        drawn = panel(lambda ax: significance(ax, scan, chosen, signal), of_split)
        yield Picture("significance", drawn, SIGNIFICANCE, tuple(series.of_significance(scan, chosen)))
    if plane is not None:
        drawn = _decision(results, plane, of_split)
        yield Picture("decision", drawn, DECISION.format(signal=signal), tuple(series.of_plane(plane)))


def _confusion(split: SplitResults, classes: tuple[str, ...], title: str) -> Picture:
    side = 2.6 + 0.75 * len(classes)
    square = panel(lambda ax: confusion(ax, split.confusion, classes, split.threshold), title, (side, side))
    return Picture("confusion", square, CONFUSION, tuple(series.of_confusion(split, classes)))


def _decision(results: Results, plane: Plane, title: str) -> Figure:
    """The plane, the confusion matrix and the ROC curve side by side."""
    name, split = list(results.splits.items())[-1]
    figure = Figure(figsize=(14, 4.2))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1, 1), gridspec_kw={"wspace": 0.06})
    threshold = 0.5 if split.threshold is None else split.threshold
    decision(left, plane, threshold, results.classes, results.signal)
    confusion(middle, split.confusion, results.classes, split.threshold)
    roc(right, split, name=name, signal=results.signal)
    right.set_title(title)
    return figure

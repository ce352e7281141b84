"""The numbers behind the pictures of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hepclf.evaluation.plane import Plane
from hepclf.evaluation.results import Results, SplitResults
from hepclf.presentation.plots.picture import Series
from hepclf.presentation.plots.significance import MEASURES
from hepclf.statistics.counting.scan import Scan, Significance
from hepclf.statistics.curves.roc import Roc


def of_losses(history: Mapping[str, Sequence[float]]) -> Iterator[Series]:
    """Training and validation loss by epoch."""
    yield Series("losses", {name: history[name] for name in ("epoch", "train_loss", "valid_loss")})


def of_scores(results: Results, split: str) -> Iterator[Series]:
    """The histograms of a split and of training, class by class."""
    for split_name in dict.fromkeys(("train", split)):
        quality = results.splits.get(split_name)
        for name, histogram in quality.histograms.items() if quality else ():
            columns = {
                "low": histogram.edges[:-1],
                "high": histogram.edges[1:],
                "density": histogram.density,
                "density_error": histogram.error,
            }
            yield Series(f"{name}, {split_name}", columns)


def of_roc(split: SplitResults, name: str) -> Iterator[Series]:
    """Both efficiencies along each curve, and the threshold of each point."""
    for label, roc in _curves(split, name):
        yield Series(
            label,
            {
                "signal_efficiency": roc.signal_efficiency,
                "background_efficiency": roc.background_efficiency,
                "background_efficiency_error": roc.background_error,
                "threshold": roc.thresholds,
            },
        )


def of_rejection(split: SplitResults, name: str) -> Iterator[Series]:
    """The rejection, one over the background efficiency, where any background is left."""
    for label, roc in _curves(split, name):
        passed = roc.background_efficiency > 0
        efficiency = roc.background_efficiency[passed]
        yield Series(
            label,
            {
                "signal_efficiency": roc.signal_efficiency[passed],
                "rejection": 1 / efficiency,
                "rejection_error": roc.background_error[passed] / efficiency**2,
            },
        )


def _curves(split: SplitResults, name: str) -> Iterator[tuple[str, Roc]]:
    """The drawn curves by their names in the files of numbers."""
    if split.one_vs_rest:
        yield from ((label, quality.roc) for label, quality in split.one_vs_rest.items() if quality.roc is not None)
        return
    for label, roc in ((name, split.roc), ("best possible", split.optimal)):
        if roc is not None:
            yield label, roc


def of_confusion(split: SplitResults, classes: tuple[str, ...]) -> Iterator[Series]:
    """Every cell: its sum of weights with the error, and its share of the true class."""
    cells, k = split.confusion, len(classes)
    yield Series(
        "confusion",
        {
            "truth": [classes[i // k] for i in range(k * k)],
            "decision": [classes[i % k] for i in range(k * k)],
            "weights": cells.weights.ravel(),
            "weights_error": np.sqrt(cells.squares).ravel(),
            "share": cells.fractions.ravel(),
        },
    )


def of_significance(scan: Scan, chosen: Significance) -> Iterator[Series]:
    """The scan, and the significances at the chosen cut."""
    yield Series("scan", {"cut": scan.cuts, **{name: getattr(scan, name) for name, *_ in MEASURES}})
    if chosen.cut is not None:
        quoted = {name: getattr(chosen, name) for name, *_ in MEASURES}
        measured = {name: value for name, value in quoted.items() if value.value is not None}
        columns = {name: [value.value] for name, value in measured.items()}
        errors = {f"{name}_error": [value.error] for name, value in measured.items() if value.error is not None}
        yield Series("chosen on validation", {"cut": [chosen.cut], **columns, **errors})


def of_plane(plane: Plane) -> Iterator[Series]:
    """The probability over the grid, thinned to some fifty points a side."""
    i, j = (np.unique(np.linspace(0, len(axis) - 1, 50).astype(int)) for axis in (plane.x, plane.y))
    x, y = np.meshgrid(plane.x[i], plane.y[j])
    probability = plane.probability[np.ix_(j, i)]
    yield Series(
        "probability", {plane.names[0]: x.ravel(), plane.names[1]: y.ravel(), "probability": probability.ravel()}
    )

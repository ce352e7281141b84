"""The results of a tagger on one split."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.results import OneVsRest, Operating, SplitResults
from hepclf.scored import Scored, discriminant
from hepclf.statistics.confusion import Confusion, confusion_matrix
from hepclf.statistics.counting.mixture import mixed
from hepclf.statistics.curves.limit import Limit, heaviest, purity_limit, rejection_limit
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, Roc, curve, influence, roc_points
from hepclf.statistics.curves.working_point import WorkingPoint, working_point
from hepclf.statistics.losses import brier, log_loss
from hepclf.statistics.shapes.bins import DensityHistogram
from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured

Array = NDArray[np.float64]
LLR = "llr"


def split_results(case: Case, split_name: str, edges: Array) -> SplitResults:
    """The results of one split; `edges` are those of its histograms.

    Losses are means over the events with their own weights; everything else refers to the mixture.
    """
    part, signal, mixture = case.parts[split_name], case.signal, case.weights(split_name)
    k = len(part.classes)
    cells = confusion_matrix(part.labels, decisions(part, signal, case.threshold), mixture.weights, k)
    roc, points = with_limits(case.curves[split_name], case.targets, part, signal, mixture.within)
    averaged = [signal]
    if k > 2:
        averaged = list(range(k))
    results = SplitResults(
        events=len(part),
        negative_fraction=negative_fraction(part.weights),
        auc=_area(roc),
        log_loss=log_loss(part.labels, part.scores, part.weights),
        brier=brier(part.labels, part.scores, part.weights),
        accuracy=cells.accuracy,
        precision=cells.precision(averaged),
        recall=cells.recall(averaged),
        f1=cells.f1(averaged),
        confusion=cells,
        working_points=points,
        roc=roc,
        optimal=optimal_roc(part, signal, mixture.within),
        histograms=histograms(part, signal, edges, mixture.within),
    )
    if k > 2:
        one_vs_rest, mean = _one_vs_rest(part, case.targets, mixture.weights)
        return replace(results, auc=mean, one_vs_rest=one_vs_rest)
    return replace(
        results,
        threshold=case.threshold,
        operating=_operating(cells, signal),
        precision_limit=_precision_limit(cells, part, signal, mixture.weights),
    )


def histogram_edges(rankings: Iterable[Ranking]) -> Array:
    """The edges of 40 bins between the multiples of 0.05 that enclose all scores."""
    thresholds = [ranking.thresholds for ranking in rankings]
    first = min(math.floor(min(scores[-1] for scores in thresholds) * 20), 19)
    last = max(math.ceil(max(scores[0] for scores in thresholds) * 20), first + 1)
    return np.linspace(first, last, 41) / 20


def decisions(scored: Scored, signal: int, threshold: float) -> NDArray[np.int64]:
    """The class that each event is assigned to, [n].

    For two classes it is the signal from the threshold on; for several classes the most probable one.
    """
    if scored.scores.ndim == 2:
        return np.asarray(np.argmax(scored.scores, axis=1))
    return np.where(discriminant(scored, signal) >= threshold, signal, 1 - signal)


def negative_fraction(weights: Array) -> float | None:
    """Fraction of the sum of |w| from negative weights; None without weights."""
    total = float(np.abs(weights).sum())
    if total <= 0:
        return None
    return float(np.abs(weights[weights < 0]).sum()) / total


def histograms(part: Scored, signal: int, edges: Array, weights: Array) -> dict[str, DensityHistogram]:
    """The discriminant of each true class, normalised to unit area; none for a class without weight.

    The processes of a class with several have the parts that they contribute to its density.
    """
    by_class = {}
    # The last bin includes its upper edge: a score of 1 belongs to it.
    bins = np.clip(np.searchsorted(edges, discriminant(part, signal), side="right") - 1, 0, len(edges) - 2)
    for label, name in enumerate(part.classes):
        members = part.labels == label
        total, squares = float(weights[members].sum()), float((weights[members] ** 2).sum())
        if not has_positive_sum(total, squares):
            continue
        present = np.unique(part.processes[members]).tolist()
        parts = {}
        if len(present) > 1:
            chosen = {part.process_names[process]: members & (part.processes == process) for process in present}
            parts = {process: _density(bins[own], weights[own], edges, total) for process, own in chosen.items()}
        by_class[name] = replace(_density(bins[members], weights[members], edges, total), parts=parts)
    return by_class


def _density(bins: NDArray[np.intp], weights: Array, edges: Array, total: float) -> DensityHistogram:
    """The density of events in these bins, where `total` is the sum of weights that has unit area."""
    norm = total * np.diff(edges)
    sums = np.bincount(bins, weights, minlength=len(norm))
    squares = np.bincount(bins, weights**2, minlength=len(norm))
    return DensityHistogram(edges, sums / norm, np.sqrt(squares) / norm)


def _operating(cells: Confusion, signal: int) -> Operating | None:
    point = Operating(float(cells.fractions[signal, signal]), float(cells.fractions[1 - signal, signal]))
    if not np.isfinite(point).all():
        return None
    return point


def _precision_limit(cells: Confusion, part: Scored, signal: int, weights: Array) -> Limit | None:
    """Lower limit of the precision where no background event is classified as signal; None where one is."""
    if cells.squares[1 - signal, signal] > 0:
        return None
    background = part.labels != signal
    return purity_limit(float(cells.weights[signal, signal]), heaviest(weights[background], part.processes[background]))


def _one_vs_rest(part: Scored, targets: tuple[float, ...], mixture: Array) -> tuple[dict[str, OneVsRest], Value]:
    """Each class against the others, and the mean of the areas; its error includes that the areas share events."""
    results, influences = {}, np.zeros(len(part))
    for label, name in enumerate(part.classes):
        ranking, is_label = Ranking(discriminant(part, label)), part.labels == label
        weights = mixed(part.weights, mixture, is_label).within
        class_curve = curve(ranking, is_label, weights)
        drawn, points = with_limits(class_curve, targets, part, label, weights)
        results[name] = OneVsRest(_area(drawn), points, drawn)
        if drawn is not None:
            influences += influence(class_curve, ranking, is_label, weights) / len(part.classes)
    areas = [result.auc.value for result in results.values() if result.auc.value is not None]
    if len(areas) < len(results):
        return results, NOTHING
    return results, measured(float(np.mean(areas)), math.sqrt(float(influences @ influences)))


def with_limits(
    curve: Curve, targets: tuple[float, ...], part: Scored, signal: int, weights: Array
) -> tuple[Roc | None, tuple[WorkingPoint, ...]]:
    """The curve for drawing and its working points, with limits where no background event passes."""
    points, limit = limited(tuple(working_point(curve, target) for target in targets), curve, part, signal, weights)
    drawn = roc_points(curve)
    if drawn is not None:
        drawn = replace(drawn, limit=limit)
    return drawn, points


def limited(
    points: tuple[WorkingPoint, ...], curve: Curve, part: Scored, signal: int, weights: Array
) -> tuple[tuple[WorkingPoint, ...], Limit | None]:
    """The points with limits of the rejection where no background event passes, and the limit, None without one.

    `weights` are those of the curve.
    """
    if not curve.defined or curve.background_squares[0] > 0:
        return points, None
    background = part.labels != signal
    limit = rejection_limit(float(curve.background[-1]), heaviest(weights[background], part.processes[background]))
    highest = float(curve.thresholds[np.argmax(curve.background_squares > 0)])  # of a background event
    return tuple(_bounded(point, highest, limit) for point in points), limit


def _bounded(point: WorkingPoint, highest: float, limit: Limit) -> WorkingPoint:
    if point.threshold is None or point.threshold <= highest:
        return point
    return point._replace(rejection_limit=limit)


def _area(drawn: Roc | None) -> Value:
    if drawn is None:
        return NOTHING
    return drawn.area


def optimal_roc(part: Scored, signal: int, weights: Array) -> Roc | None:
    """The curve of the exact likelihood ratio on the same events: the best that any classifier can reach on average."""
    if LLR not in part.spectators or len(part.classes) != 2:
        return None
    llr = np.asarray(part.spectators[LLR], dtype=np.float64)
    if bad := int(np.isnan(llr).sum()):
        raise ValueError(f"spectator {LLR!r} must be a number in each event, not nan as in {bad:,} events")
    if signal == 0:  # llr is that of class 1 over class 0
        llr = -llr
    return roc_points(curve(Ranking(llr), part.labels == signal, weights))

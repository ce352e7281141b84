"""What one split says of a tagger."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.confusion import Confusion, confusion
from hepclf.evaluation.curves.limit import heaviest, rejection_limit
from hepclf.evaluation.curves.roc import Curve, Ranking, Roc, WorkingPoint, curve, influence, roc, working_point
from hepclf.evaluation.losses import brier, log_loss
from hepclf.evaluation.scored import Scored
from hepclf.evaluation.value import NOTHING, Value, measured, positive
from hepclf.evaluation.verdict import Histogram, OneVsRest, Operating, SplitVerdict

Array = NDArray[np.float64]
LLR = "llr"


def discriminant(scored: Scored, signal: int) -> Array:
    """The probability of the signal class, [n]."""
    return discriminant_of(scored.scores, signal)


def discriminant_of(scores: Array, signal: int) -> Array:
    """The same of scores alone, [n] or [n, k]."""
    if scores.ndim == 2:
        return np.ascontiguousarray(scores[:, signal])
    return scores if signal == 1 else 1 - scores


def judge(
    part: Scored,
    ranking: Ranking,
    signal: int,
    threshold: float,
    targets: tuple[float, ...],
    edges: Array,
    of: Curve | None = None,
) -> SplitVerdict:
    """The verdict of one split, ranking being that of its discriminant and edges those of its histograms.

    `of` is the curve of that ranking, where it is there already.
    """
    k = len(part.classes)
    labels, weights = part.labels, part.weights
    cells = confusion(labels, decisions(part, signal, threshold), weights, k)
    of = curve(ranking, labels == signal, weights) if of is None else of
    drawn, points = limited(roc(of), tuple(working_point(of, target) for target in targets), of, part, signal)
    rest, mean = _one_vs_rest(part, targets) if k > 2 else ({}, _area(drawn))
    averaged = list(range(k)) if k > 2 else [signal]
    return SplitVerdict(
        events=len(part),
        negative_fraction=negative_fraction(weights),
        auc=mean,
        log_loss=log_loss(labels, part.scores, weights),
        brier=brier(labels, part.scores, weights),
        accuracy=cells.accuracy,
        precision=cells.precision(averaged),
        recall=cells.recall(averaged),
        f1=cells.f1(averaged),
        threshold=threshold if k == 2 else None,
        confusion=cells,
        working_points=points,
        operating=_operating(cells, signal) if k == 2 else None,
        roc=drawn,
        optimal=_optimal(part, signal),
        one_vs_rest=rest,
        histograms=histograms(part, signal, edges),
    )


def decisions(scored: Scored, signal: int, threshold: float) -> NDArray[np.int64]:
    """Two classes: the signal where its probability reaches the threshold; several: the most probable, [n]."""
    if scored.scores.ndim == 2:
        return np.asarray(np.argmax(scored.scores, axis=1))
    return np.where(discriminant(scored, signal) >= threshold, signal, 1 - signal)


def negative_fraction(weights: Array) -> float | None:
    """Share of the sum of |w| that comes from negative weights; None without weights."""
    total = float(np.abs(weights).sum())
    return float(np.abs(weights[weights < 0]).sum()) / total if total > 0 else None


def histograms(part: Scored, signal: int, edges: Array) -> dict[str, Histogram]:
    """The discriminant of each true class, normalised to unit area; none for a class without weight."""
    found = {}
    last = len(edges) - 2
    bins = np.clip(np.searchsorted(edges, discriminant(part, signal), side="right") - 1, 0, last)
    for label, name in enumerate(part.classes):
        of = part.labels == label
        sums = np.bincount(bins[of], part.weights[of], minlength=last + 1)
        squares = np.bincount(bins[of], part.weights[of] ** 2, minlength=last + 1)
        if positive(float(sums.sum()), float(squares.sum())):
            norm = sums.sum() * np.diff(edges)
            found[name] = Histogram(edges, sums / norm, np.sqrt(squares) / norm)
    return found


def _operating(cells: Confusion, signal: int) -> Operating | None:
    point = Operating(float(cells.fractions[signal, signal]), float(cells.fractions[1 - signal, signal]))
    return point if np.isfinite(point).all() else None


def _one_vs_rest(part: Scored, targets: tuple[float, ...]) -> tuple[dict[str, OneVsRest], Value]:
    """Each class against the others, and the mean of the areas; its error knows that they share events."""
    found, moved = {}, np.zeros(len(part))
    for label, name in enumerate(part.classes):
        ranking, is_label = Ranking(discriminant(part, label)), part.labels == label
        of = curve(ranking, is_label, part.weights)
        points = tuple(working_point(of, target) for target in targets)
        drawn, points = limited(roc(of), points, of, part, label)
        found[name] = OneVsRest(_area(drawn), points, drawn)
        if drawn is not None:
            moved += influence(of, ranking, is_label, part.weights) / len(part.classes)
    areas = [one.auc.value for one in found.values() if one.auc.value is not None]
    whole = len(areas) == len(found)
    return found, measured(float(np.mean(areas)), math.sqrt(float(moved @ moved))) if whole else NOTHING


def limited(
    drawn: Roc | None, points: tuple[WorkingPoint, ...], of: Curve, part: Scored, signal: int
) -> tuple[Roc | None, tuple[WorkingPoint, ...]]:
    """The curve and its points, with limits of the rejection where no background event is left."""
    if drawn is None or of.background_squares[0] > 0:
        return drawn, points
    background = part.labels != signal
    weight = heaviest(part.weights[background], part.processes[background])
    limit = rejection_limit(float(of.background[-1]), weight)
    last = float(of.thresholds[np.argmax(of.background_squares > 0)])
    limited = (
        point._replace(rejection_limit=limit) if point.threshold is not None and point.threshold > last else point
        for point in points
    )
    return replace(drawn, limit=limit), tuple(limited)


def _area(of: Roc | None) -> Value:
    return NOTHING if of is None else of.area


def _optimal(part: Scored, signal: int) -> Roc | None:
    """The curve of the exact likelihood ratio on the same events, which no classifier beats but by chance."""
    if LLR not in part.spectators or len(part.classes) != 2:
        return None
    llr = np.asarray(part.spectators[LLR], dtype=np.float64)
    if bad := int(np.isnan(llr).sum()):
        raise ValueError(f"spectator {LLR!r} must be a number in each event, however {bad:,} are nan")
    return roc(_curve(llr if signal == 1 else -llr, part, signal))


def _curve(values: Array, part: Scored, label: int) -> Curve:
    return curve(Ranking(values), part.labels == label, part.weights)

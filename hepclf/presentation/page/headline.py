"""The results in three lines."""

from __future__ import annotations

from collections.abc import Iterator

from hepclf.evaluation.results import Results, SplitResults
from hepclf.evaluation.studies.counting import NAMES
from hepclf.evaluation.studies.points import Point, WorkingPoints
from hepclf.presentation.tables import SPLIT_NAMES, floor_note, uncertainty
from hepclf.statistics.curves.limit import Limit, rejection_text
from hepclf.statistics.curves.working_point import WorkingPoint
from hepclf.statistics.value import Value
from hepclf.words import number, score_cut, upper_limit

HALF = 0.5
EVENTS = {"train": "training", "valid": "validation", "test": "test"}


def headline(results: Results) -> tuple[str, ...]:
    """The AUC, the background rejection of a cut, and the significance of counting above the best cut."""
    name, split = list(results.splits.items())[-1]
    return (
        *_separation(results, split, name),
        *_background_line(results, split, name),
        *_significance_line(results),
        *_threshold_line(results),
    )


def _separation(results: Results, split: SplitResults, name: str) -> Iterator[str]:
    metric = f"AUC of {results.signal}"
    if len(results.classes) > 2:
        metric = "Mean AUC of each class against the rest"
    if split.auc.value is None:
        yield f"{metric}: none on the {SPLIT_NAMES[name]}, where a class has no weight."
        return
    comparisons = []
    if results.train is not None and name != "train":
        comparisons.append(f"{number(*results.train.auc)} on the training set")
    if split.optimal is not None:
        comparisons.append(f"{number(*split.optimal.area)} for the exact likelihood ratio")
    line = f"{metric}: {number(*split.auc)} on {split.events:,} {EVENTS[name]} events"
    if comparisons:
        line += f"; {', '.join(comparisons)}"
    yield f"{line}."


def _background_line(results: Results, split: SplitResults, name: str) -> Iterator[str]:
    """The background above the cut chosen on the validation set for half of the signal.

    Without such a cut, the last split's ROC curve is read near half of the signal.
    """
    chosen = _chosen_point(results)
    if chosen is not None:
        start = f"Cut chosen on the validation set for {chosen.wish}, score ≥ {score_cut(chosen.cut)}: on the test set,"
        yield _passing_background(start, results.signal, chosen, chosen.limit)
        return
    points = [point for point in split.working_points if point.signal_efficiency is not None]
    if points:
        point = min(points, key=lambda point: abs(point.target - HALF))
        yield _passing_background(
            f"ROC curve of the {SPLIT_NAMES[name]}:", results.signal, point, point.rejection_limit
        )


def _chosen_point(results: Results) -> Point | None:
    """The cut chosen for the signal efficiency nearest to a half; None where the study `points` has none."""
    study = results.studies.get("points")
    if not isinstance(study, WorkingPoints):
        return None
    points = [point for point in study.points if point.wish.quantity == "signal_efficiency"]
    return min(points, key=lambda point: abs(point.wish.target - HALF), default=None)


def _passing_background(start: str, signal: str, point: Point | WorkingPoint, limit: Limit | None) -> str:
    """A sentence with both efficiencies of a cut, and its rejection or the limit of that."""
    efficiency = point.signal_efficiency
    if not isinstance(efficiency, Value):
        efficiency = Value(efficiency)
    kept = f"{start} efficiency {number(*efficiency)} for {signal}"
    if point.rejection.value is not None:
        background = f"{number(*point.background_efficiency)} for background"
        return f"{kept} and {background}, a rejection of {rejection_text(point.rejection, limit)}."
    note = "its rejection is not measured"
    if limit is not None:
        note = f"a rejection above {limit.at_95:.3g} at 95 %"
    return f"{kept}, and no background event passes: {note}."


def _significance_line(results: Results) -> Iterator[str]:
    quoted = results.significance
    if quoted.reason is not None:
        yield f"No significance: {quoted.reason}."
        return
    yield (
        f"Best cut on the validation set by {NAMES[quoted.optimised]}, score ≥ {number(quoted.cut)}: "
        f"S = {number(*quoted.s, 1)}, B = {number(*quoted.b, 1)}, Asimov Z = {number(*quoted.asimov, 2)}, or "
        f"{number(*quoted.asimov_systematic, 2)} with {uncertainty(results)}"
    )
    if (note := floor_note(quoted)) is not None:
        yield note


def _threshold_line(results: Results) -> Iterator[str]:
    """Yields and significance at the decision threshold, where it differs from the best cut."""
    quoted = results.at_threshold
    if quoted is None or quoted is results.significance or quoted.cut is None:
        return
    background = f"B = {number(*quoted.b, 1)}"
    if quoted.b_limit is not None:
        background = f"B {upper_limit(quoted.b_limit.at_95)}"
    counts = f"Decision threshold, score ≥ {number(quoted.cut)}: S = {number(*quoted.s, 1)}, {background}"
    if quoted.reason is not None:
        yield f"{counts}, and no significance: {quoted.reason}."
        return
    yield (
        f"{counts}, Asimov Z = {number(*quoted.asimov, 2)}, or {number(*quoted.asimov_systematic, 2)} with "
        f"{uncertainty(results)}"
    )

"""The results in three lines."""

from __future__ import annotations

from collections.abc import Iterator

from hepclf.evaluation.results import Results, SplitResults
from hepclf.evaluation.studies.counting import NAMES
from hepclf.presentation.tables import SPLIT_NAMES, floor_note, uncertainty
from hepclf.words import number, percent, upper_limit

HALF = 0.5
EVENTS = {"train": "training", "valid": "validation", "test": "test"}


def headline(results: Results) -> tuple[str, ...]:
    """The AUC, the background rejection of a cut, and the significance of counting above the best cut."""
    name, split = list(results.splits.items())[-1]
    return (
        *_separation(results, split, name),
        *_background_line(split, name, results.signal),
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


def _background_line(split: SplitResults, name: str, signal: str) -> Iterator[str]:
    """The background and its rejection at the working point nearest to half of the signal."""
    points = [point for point in split.working_points if point.signal_efficiency is not None]
    if not points:
        return
    point = min(points, key=lambda point: abs(point.target - HALF))
    efficiency, rejection = point.background_efficiency, point.rejection
    cut = f"At an efficiency of {percent(point.signal_efficiency)} for {signal},"
    if rejection.value is None:
        note = "its rejection is not measured"
        if point.rejection_limit is not None:
            note = f"a rejection above {point.rejection_limit.at_95:.3g} at 95 %"
        yield f"{cut} no background event of the {SPLIT_NAMES[name]} passes: {note}."
    else:
        yield f"{cut} the background efficiency is {number(*efficiency)}, a rejection of {number(*rejection, 1)}."


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

"""The results in three lines."""

from __future__ import annotations

from collections.abc import Iterator

from hepclf.evaluation.results import Results, SplitResults
from hepclf.evaluation.studies.counting import NAMES
from hepclf.presentation.tables import floored
from hepclf.words import number, percent, upper_limit

HALF = 0.5


def headline(results: Results) -> tuple[str, ...]:
    """How well it separates, what a cut leaves, and what counting above the best cut is worth."""
    name, split = list(results.splits.items())[-1]
    leaves = _leaves(split, name, results.signal)
    return (*_separates(results, split, name), *leaves, *_worth(results), *_worth_at_threshold(results))


def _separates(results: Results, split: SplitResults, name: str) -> Iterator[str]:
    several = len(results.classes) > 2
    what = "Mean AUC of each class against the rest" if several else f"AUC of {results.signal}"
    if split.auc.value is None:
        yield f"{what}: none on {name}, where a class has no weight."
        return
    beside = []
    if results.train is not None and name != "train":
        beside.append(f"{number(*results.train.auc)} on training")
    if split.optimal is not None:
        beside.append(f"{number(*split.optimal.area)} the best possible")
    tail = f"; {', '.join(beside)}" if beside else ""
    yield f"{what}: {number(*split.auc)} on {split.events:,} {name} events{tail}."


def _leaves(split: SplitResults, name: str, signal: str) -> Iterator[str]:
    """The working point nearest to half of the signal."""
    points = [point for point in split.working_points if point.signal_efficiency is not None]
    if not points:
        return
    point = min(points, key=lambda one: abs(one.target - HALF))
    kept, rejected = point.background_efficiency, point.rejection
    reached = f"A cut that keeps {percent(point.signal_efficiency)} of {'the ' * (signal == 'signal')}{signal}"
    if rejected.value is None:
        limit = point.rejection_limit
        told = "its rejection is not measured" if limit is None else f"a rejection above {limit.at_95:.3g} at 95 %"
        yield f"{reached} leaves no background on {name}: {told}."
    else:
        yield f"{reached} passes a share of {number(*kept)} of the background: a rejection of {number(*rejected, 1)}."


def _worth(results: Results) -> Iterator[str]:
    found = results.significance
    if found.reason is not None:
        yield f"No significance is quoted: {found.reason}."
        return
    yield (
        f"Counting above {number(found.cut)}, the best cut on validation by {NAMES[found.optimised]}: S = "
        f"{number(*found.s, 1)}, B = {number(*found.b, 1)}, Asimov significance {number(*found.asimov, 2)}, "
        f"{number(*found.asimov_systematic, 2)} with an uncertain background."
    )
    if (held := floored(found)) is not None:
        yield held


def _worth_at_threshold(results: Results) -> Iterator[str]:
    """The same at the threshold that decides, where that is another cut than the best."""
    quoted = results.at_threshold
    if quoted is None or quoted is results.significance or quoted.cut is None:
        return
    background = f"B = {number(*quoted.b, 1)}" if quoted.b_limit is None else f"B {upper_limit(quoted.b_limit.at_95)}"
    counted = f"Counting above the threshold {number(quoted.cut)}: S = {number(*quoted.s, 1)}, {background}"
    if quoted.reason is not None:
        yield f"{counted}, and no significance: {quoted.reason}."
        return
    yield (
        f"{counted}, Asimov significance {number(*quoted.asimov, 2)}, {number(*quoted.asimov_systematic, 2)} with an "
        "uncertain background."
    )

"""A comparison in sentences, for a terminal or a page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hepclf.comparison.compared import Compared
from hepclf.comparison.comparison import Comparison
from hepclf.words import number

LEVEL = 0.05  # p (Holm) below which a tagger counts as worse or better
SIGMAS = 2.0  # standard errors by which a loss exceeds that of guessing
NAMED = 3  # runs that a line names of those left out for one reason


def comparison_headline(comparison: Compared) -> Iterator[str]:
    """For each set of test events: the reference, and the runs that differ from it significantly."""
    yield from separation(comparison)
    grouped = {run for group in comparison.repeated for run in group.runs}
    for name, sample in comparison.samples.items():
        prefix = ""
        if len(comparison.samples) > 1:
            prefix = f"On test events {name}: "
        if len(sample.trainings) > 1 or sample.reference.name not in grouped:
            yield from (prefix + line for line in _leader(sample))
    for group in comparison.repeated:
        mean = number(*group.spread.area)
        yield f"{group.name}: mean test AUC {mean} (error of the mean) over {len(group.runs)} seeds or folds."


def separation(comparison: Compared) -> Iterator[str]:
    """The reason why runs are not ranked against each other, if there is one."""
    if len(comparison.samples) > 1:
        columns = dict.fromkeys(str(sample.differs_in) for sample in list(comparison.samples.values())[1:])
        yield (
            f"The runs use {len(comparison.samples)} different sets of test events, which differ in "
            f"{', '.join(columns)}: they are ranked within each set, and not across sets."
        )


def _leader(sample: Comparison) -> Iterator[str]:
    first, count = sample.reference, len(sample.trainings)
    area = f"AUC {number(*first.test)} on {len(first.events):,} test events"
    if count == 1:
        yield f"{first.name} is the only training: {area}."
        return
    rank = "the first given"
    if sample.by_validation:
        rank = "the best on validation"
    yield f"{first.name} is {rank} of {count}: {area}."
    trainings = {tagger.name for tagger in sample.trainings}
    differences = [difference for difference in sample.differences if difference.name in trainings]
    significant = [difference for difference in differences if difference.holm is not None and difference.holm < LEVEL]
    worse = [difference.name for difference in significant if (difference.value.value or 0) < 0]
    better = [difference.name for difference in significant if (difference.value.value or 0) > 0]
    outcomes = {
        "significantly worse on test": worse,
        "significantly better on test": better,
        "not significantly different": [difference.name for difference in differences if difference not in significant],
    }
    groups = "; ".join(f"{', '.join(names)}: {outcome}" for outcome, names in outcomes.items() if names)
    yield f"{groups} (p after Holm below {LEVEL:g})."


def remarks(comparison: Compared) -> Iterator[str]:
    """The meaning of the numbers, and why some are missing or hard to compare."""
    yield from _left_out(comparison)
    if copies := [f"{run.name} as {run.copy_of}" for run in comparison.contenders if run.copy_of]:
        yield f"the same training (equal configuration and seed), counted once: {', '.join(copies)}"
    tests = sum(difference.p is not None for difference in comparison.differences)
    if tests:
        yield "p: probability that two equally good taggers differ at least as much on such test events"
    if tests > 1:
        yield f"p (Holm): the same, corrected for {tests} tests"
    if comparison.repeated:
        yield "error of the mean: standard deviation between trainings / √trainings"
    for difference in comparison.trained:
        if difference.reason:
            yield f"{difference.name}: no p, as {difference.reason}"
    for name, entry in comparison.entries.items():
        if entry.expected.reason:
            yield f"{name}: no significance, as {entry.expected.reason}"
    yield from _guesses(comparison)
    yield from comparison.notes


def _left_out(comparison: Compared) -> Iterator[str]:
    """The runs that are not compared, grouped by the reason."""
    reasons: dict[str, list[str]] = {}
    for run in comparison.left_out:
        reasons.setdefault(run.reason, []).append(run.short_path)
    for reason, paths in reasons.items():
        names = ", ".join(paths[:NAMED])
        if len(paths) > NAMED:
            names += f" and {len(paths) - NAMED} more"
        yield f"left out: {names}: {reason}"


def _guesses(comparison: Compared) -> Iterator[str]:
    """The trainings whose loss is above that of equal probabilities for all classes."""
    guess = math.log(len(comparison.classes))
    for run in comparison.contenders:
        loss, error = run.valid_loss
        if loss is not None and loss - SIGMAS * (error or 0.0) > guess:
            yield (
                f"{run.name}: its validation loss is above {guess:.4f}, that of a random classifier; the training did "
                "not converge, or its scores are not probabilities"
            )

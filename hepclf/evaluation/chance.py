"""Warnings where a tagger is not better than a random classifier, with the usual causes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hepclf.evaluation.results import SplitResults
from hepclf.statistics.value import Value
from hepclf.words import Caution, number

SIGMAS = 2  # an area this many standard errors from 0.5 is significantly different from it
RANDOM = 0.5  # the area under the curve of a random classifier
BACKGROUNDS = {"background", "backgrounds", "bkg", "bg", "noise", "fake", "fakes", "qcd"}
SIGNALS = {"signal", "signals", "sig"}
KINDS = (
    "worse_than_random",
    "no_separation",
    "opposite_ratio",
    "signal_name",
    "nothing_selected",
)  # all that an evaluation warns of


def tagger_warnings(
    splits: Mapping[str, SplitResults], classes: tuple[str, ...], signal: int, *, is_named: bool
) -> Iterator[Caution]:
    """All warnings about a tagger; a class that the settings name as the signal may have any name."""
    yield from chance(splits, classes[signal])
    yield from unselected(splits, classes, signal)
    if not is_named:
        yield from misnamed(classes, classes[signal])


def chance(splits: Mapping[str, SplitResults], signal: str) -> Iterator[Caution]:
    """Warnings of areas below 0.5 or compatible with it, on the last available split."""
    name, split = list(splits.items())[-1]
    areas = {label: results.auc for label, results in split.one_vs_rest.items()} or {signal: split.auc}
    before = {label: _trained(splits, label) for label in areas}
    for label, area in areas.items():
        if _below(area):
            yield Caution("worse_than_random", (label,), _worse(label, area, name, before[label]))
        elif _equal(area):
            yield Caution(
                "no_separation",
                (label,),
                f"the AUC of {label} on {name}, {number(*area)}, is within two standard errors of 0.5, that of random "
                "guessing: the features do not tell the classes apart, the training did not learn it, or there are too "
                "few events to see it",
            )
    if split.optimal is not None and _below(split.optimal.area):
        yield Caution(
            "opposite_ratio",
            (signal,),
            f"the exact likelihood ratio (spectator llr) has an AUC of {number(*split.optimal.area)} on {name}, so it "
            "ranks the classes the wrong way round: are the labels, or the classes, swapped?",
        )


def unselected(splits: Mapping[str, SplitResults], classes: tuple[str, ...], signal: int) -> Iterator[Caution]:
    """A warning for each class that no event is classified as; of two classes, for the signal alone."""
    name, split = list(splits.items())[-1]
    decided = split.confusion.counts.sum(axis=0)
    labels = range(len(classes)) if len(classes) > 2 else [signal]
    for label in labels:
        if decided[label]:
            continue
        way_out = "the other classes are larger where it is; trainer.balance=classes gives all the same weight"
        if split.threshold is not None:
            way_out = (
                f"no score reaches the threshold {split.threshold:g}; lower evaluation.threshold, or train with "
                "trainer.balance=classes"
            )
        yield Caution(
            "nothing_selected",
            (classes[label],),
            f"no event of {name} is classified as {classes[label]}: its recall is 0, and the accuracy of "
            f"{number(*split.accuracy)} is that of never choosing it, which says nothing about the tagger. {way_out}",
        )


def misnamed(classes: tuple[str, ...], signal: str) -> Iterator[Caution]:
    """A warning where the signal class has the name of a background, or another class has the name of a signal."""
    backgrounds = [name for name in classes if name != signal]
    better = [name for name in backgrounds if _words(name) & SIGNALS]
    if _words(signal) & SIGNALS:
        return
    if not better and _words(signal) & BACKGROUNDS:
        better = [name for name in backgrounds if not _words(name) & BACKGROUNDS]
    if better:
        yield Caution(
            "signal_name",
            (signal,),
            f"class {signal!r} is taken for the signal, as it is the last in data.classes, though there is a class "
            f"{better[-1]!r}: efficiencies and yields of the two are swapped if that is the signal; set "
            f"evaluation.signal={better[-1]}, or evaluation.signal={signal} if it is right",
        )


def _worse(label: str, area: Value, name: str, before: Value | None) -> str:
    """The usual cause of an area below 0.5: the training set's area separates swapped labels from a failed training."""
    lead = f"the AUC of {label} on {name}, {number(*area)}, is below 0.5: the tagger is worse than random guessing"
    if before is not None and before.value is not None and not _below(before) and not _equal(before):
        return (
            f"{lead}, though it is {number(*before)} on training. Usually labels are swapped in some of the events (a "
            "file, a fold, other data), or those events are of another kind; look at where the labels come from"
        )
    return (
        f"{lead}. Usually labels are swapped, the learning rate is too high, or the weights of the training differ "
        "from those of the evaluation (trainer.negative_weights); look at the labels, and lower trainer.learning_rate"
    )


def _trained(splits: Mapping[str, SplitResults], label: str) -> Value | None:
    """The area of this class on the training set; None without training events."""
    train = splits.get("train")
    if train is None or len(splits) == 1:
        return None
    if label in train.one_vs_rest:
        return train.one_vs_rest[label].auc
    return train.auc


def _below(area: Value) -> bool:
    return area.value is not None and area.value + SIGMAS * (area.error or 0.0) < RANDOM


def _equal(area: Value) -> bool:
    return area.value is not None and abs(area.value - RANDOM) <= SIGMAS * (area.error or 0.0)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", name.lower()))

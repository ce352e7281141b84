"""What an expert would say of a dataset before anything is trained on it, each with a way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

from hepclf.evaluation.duplicates import Duplicates
from hepclf.evaluation.feature import Feature
from hepclf.evaluation.population import Population
from hepclf.evaluation.suspects import looks_like_a_number, looks_like_truth, stands_in
from hepclf.events import Events

HEAVY = 0.05  # share of a class that one event may have
FEW = 100  # effective events, of which a mean has an error of 10 %
ALONE = 0.99
ENOUGH = 10  # events of either class, which chance does not keep apart
SHOWN = 5  # names that a line lists


class Caution(NamedTuple):
    """A warning: its kind, the classes, processes or features that it is about, and what to do."""

    kind: str
    about: tuple[str, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"kind": self.kind, "about": list(self.about), "text": self.text}


def refusal(events: Events) -> Iterator[Caution]:
    """What would stop any training."""
    try:
        events.check()
    except ValueError as error:
        yield Caution("refused", (), f"training stops here: {error}")


def of_populations(classes: Sequence[Population], processes: Sequence[Population], events: Events) -> Iterator[Caution]:
    """Of files, weights and numbers of events."""
    for origin in events.origins:
        for note in origin.notes:
            yield Caution("files", (origin.process,), f"{origin.process}: {note}")
    for row in processes:
        if row.events == 0 and row.name not in events.classes:
            yield Caution("empty_process", (row.name,), f"process {row.name!r} has no events; check its selection")
    for row in classes:
        if row.events:
            yield from _of_class(row)
    if negative := {row.name: f"{row.negative:.1%} of class {row.name!r}" for row in classes if row.negative}:
        yield Caution(
            "negative_weights",
            tuple(negative),
            f"negative weights make up {', '.join(negative.values())}; training asks for "
            "trainer.negative_weights=zero, abs or keep",
        )


def _of_class(row: Population) -> Iterator[Caution]:
    if row.heaviest is not None and row.heaviest > HEAVY and row.heaviest * row.events > 3:
        yield Caution(
            "outlier_weight",
            (row.name,),
            f"one event has {row.heaviest:.1%} of the weight of class {row.name!r}, and decides its figures; look at "
            "where its weight comes from, or cut it away",
        )
    if row.weight.value is not None and row.weight.value <= 0:
        yield Caution(
            "no_yield",
            (row.name,),
            f"the weights of class {row.name!r} sum to {row.weight.value:.4g}, which leaves no efficiencies; give it "
            "more events, or other weights",
        )
    if row.effective is not None and row.effective < FEW:
        yield Caution(
            "few_events",
            (row.name,),
            f"class {row.name!r} has the statistics of {row.effective:.3g} events: each of its figures will have an "
            f"error of about {max(row.effective, 1) ** -0.5:.0%} or more; give it more events",
        )


def of_features(features: Sequence[Feature], classes: Sequence[Population]) -> Iterator[Caution]:
    """Of features: one warning a kind, however many features there are."""
    apart = {row.name: pair for row in features if (pair := _apart(row, classes))}
    alone = [row for row in features if row.best > ALONE and row.name not in apart]
    yield from _told(
        "never vary",
        {row.name: "" for row in features if row.distinct == 1},
        "constant_feature",
        "leave them out, or set model.preprocess.constant=drop",
    )
    yield from _told(
        "never have a value",
        {row.name: "" for row in features if row.distinct == 0},
        "missing_feature",
        "leave them out",
    )
    yield from _told(
        "are missing in all events of a class",
        {row.name: pair for row in features if row.distinct and (pair := _absent(row, classes))},
        "missing_in_class",
        "a tagger learns the gap; leave them out",
    )
    yield from _told(
        "share no value between classes",
        apart,
        "no_overlap",
        "each alone tells them apart; make sure that it is known of real data",
    )
    yield from _told(
        "separate the classes almost alone",
        {row.name: f"AUC {row.best:.4f}" for row in alone},
        "separates_alone",
        "make sure that they are not made from the label",
    )
    yield from _told(
        "have a name like truth or a weight",
        {row.name: "" for row in features if looks_like_truth(row.name)},
        "truth_name",
        "leave out what real data do not have",
    )
    yield from _told(
        "number the events",
        {row.name: "" for row in features if looks_like_a_number(row.name)},
        "number_name",
        "carry them in data.spectators, and train on physics alone",
    )
    yield from _told("hold the values of another", _twins(features), "same_values", "leave them out")
    yield from _told(
        "hold what may stand for a missing value",
        {row.name: text for row in features if (text := _stand_in(row))},
        "stand_in",
        "declare it missing, as a tagger takes it for a value",
    )


def of_duplicates(found: Duplicates) -> Iterator[Caution]:
    """Of events that are there more than once."""
    if found.copies:
        yield Caution(
            "duplicates",
            (),
            f"{found.copies:,} events have all the features of an earlier event, values that no other has: is a file "
            "read twice, or do selections overlap? read each event once",
        )
    if found.contradict:
        yield Caution(
            "contradiction",
            (),
            f"{found.contradict:,} events have a copy in another class: one of the two is wrong; look at how the "
            "classes are selected",
        )
    for name, count in (found.in_training or {}).items():
        if count:
            yield Caution(
                "leakage",
                (name,),
                f"{count:,} events of the {name} split are in training too, so its figures are too good; drop copies, "
                "or split by a column that copies share (data.split.by=column)",
            )


def _told(what: str, about: Mapping[str, str], kind: str, way: str) -> Iterator[Caution]:
    if not about:
        return
    shown = [f"{name} ({note})" if note else name for name, note in list(about.items())[:SHOWN]]
    more = f" and {len(about) - SHOWN} more" if len(about) > SHOWN else ""
    yield Caution(kind, tuple(about), f"features that {what}: {', '.join(shown)}{more}; {way}")


def _apart(row: Feature, classes: Sequence[Population]) -> str:
    """Two classes that this feature keeps apart, and that have events enough to mean it."""
    known = [each for each in classes if each.events - row.classes[each.name].missing >= ENOUGH]
    for low, high in permutations((each.name for each in known), 2):
        top, bottom = row.classes[low].maximum, row.classes[high].minimum
        if top is not None and bottom is not None and top < bottom:
            return f"{low} and {high}"
    return ""


def _absent(row: Feature, classes: Sequence[Population]) -> str:
    return ", ".join(each.name for each in classes if each.events and row.classes[each.name].missing == each.events)


def _twins(features: Sequence[Feature]) -> dict[str, str]:
    """Features that equal an earlier one, which is named; one that never varies is told as such."""
    first: dict[int, str] = {}
    found = {}
    for row in features:
        if row.distinct > 1 and first.setdefault(row.digest, row.name) != row.name:
            found[row.name] = f"= {first[row.digest]}"
    return found


def _stand_in(row: Feature) -> str:
    """A stand-in at the lowest or highest value, in more than one event."""
    for value, count in zip((row.minimum, row.maximum), row.at_edges, strict=True):
        if row.distinct > 1 and count > 1 and value is not None and stands_in(value):
            return f"{value:g} in {count:,} events"
    return ""

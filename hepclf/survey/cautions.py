"""Warnings about a dataset before any training, each with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from hepclf.events import Events, Sentinels, shortest_text
from hepclf.survey.duplicates import Duplicates
from hepclf.survey.feature import FeatureSummary
from hepclf.survey.population import Population
from hepclf.survey.suspects import is_stand_in, looks_like_a_number, looks_like_truth
from hepclf.words import Caution, percent

HEAVY = 0.05  # fraction of a class's weight that a single event may have
FEW = 100  # effective events; a mean of as many has a relative error of 10 %
ALONE = 0.99  # AUC of one feature
ENOUGH = 10  # events of each class; with fewer, their ranges may be disjoint by chance
SHOWN = 5  # names that a line lists
SIGNS, ESCAPED = re.compile(r"[\\()\[\]{}:=, ]"), r"\\\g<0>"  # characters that Hydra needs escaped in a key


def training_refusal(events: Events) -> Iterator[Caution]:
    """A warning about an error that would stop every training."""
    try:
        events.check()
    except ValueError as error:
        yield Caution("refused", (), f"training stops here: {error}")


def population_warnings(classes: Sequence[Population], empty: Sequence[str], events: Events) -> Iterator[Caution]:
    """Warnings about files, weights and numbers of events; `empty` names the processes without events."""
    for origin in events.origins:
        for note in origin.notes:
            yield Caution("files", (origin.process,), f"{origin.process}: {note}")
    for name in empty:
        if name not in events.classes:
            yield Caution("empty_process", (name,), f"process {name!r} has no events; check its selection")
    for row in classes:
        if row.events:
            yield from _class_warnings(row)
    if negative := {row.name: f"{percent(row.negative)} of class {row.name!r}" for row in classes if row.negative}:
        yield Caution(
            "negative_weights",
            tuple(negative),
            f"negative weights make up {', '.join(negative.values())} (shares of Σ|w|); training asks for "
            "trainer.negative_weights=zero, abs or keep",
        )


def _class_warnings(row: Population) -> Iterator[Caution]:
    if row.heaviest is not None and row.heaviest > HEAVY and row.heaviest * row.events > 3:
        yield Caution(
            "outlier_weight",
            (row.name,),
            f"one event has {percent(row.heaviest)} of the weight of class {row.name!r}, and decides its figures; "
            "look at where its weight comes from, or cut it away",
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
            f"error of about {percent(max(row.effective, 1) ** -0.5, 0)} or more; give it more events",
        )


# For each kind of warning: what is wrong with the features, and the way out.
FEATURES = {
    "constant_feature": ("never vary", "leave them out, or set model.preprocess.constant=drop"),
    "missing_feature": ("never have a value", "leave them out"),
    "missing_in_class": ("are missing in all events of a class", "a tagger learns the gap; leave them out"),
    "no_overlap": (
        "share no value between classes",
        "each alone tells them apart; make sure that it is known of real data",
    ),
    "separates_alone": ("separate the classes almost alone", "make sure that they are not made from the label"),
    "truth_name": ("have a name like truth or a weight", "leave out what real data do not have"),
    "number_name": ("number the events", "carry them in data.spectators, and train on physics alone"),
    "same_values": ("hold the values of another", "leave them out"),
    "stand_in": (
        "hold what may stand for a missing value",
        "a tagger takes it for a value; declare it missing with {setting}",
    ),
}


def feature_warnings(
    features: Sequence[FeatureSummary], classes: Sequence[Population], sentinels: Sentinels | None = None
) -> Iterator[Caution]:
    """Warnings about features: one for each kind, which lists all its features.

    `sentinels` are the values that are already declared missing.
    """
    notes: dict[str, dict[str, str]] = {kind: {} for kind in FEATURES}
    notes["same_values"] = _twins(features)
    for row in features:
        for kind, note in _feature_notes(row, classes):
            notes[kind][row.name] = note
    for kind, about in notes.items():
        if about:
            complaint, way = FEATURES[kind]
            if kind == "stand_in":
                way = way.replace("{setting}", _missing_setting(features, sentinels or {}))
            yield Caution(kind, tuple(about), f"features that {complaint}: {_first_names(about)}; {way}")


def _feature_notes(row: FeatureSummary, classes: Sequence[Population]) -> Iterator[tuple[str, str]]:
    """The kinds of warning that apply to one feature, each with a note."""
    if row.distinct == 1:
        yield "constant_feature", ""
    if row.distinct == 0:
        yield "missing_feature", ""
    elif absent := _empty_classes(row, classes):
        yield "missing_in_class", absent
    if separated := _separated_classes(row, classes):
        yield "no_overlap", separated
    elif row.best > ALONE:
        yield "separates_alone", f"AUC {row.best:.4f}"
    if looks_like_truth(row.name):
        yield "truth_name", ""
    if looks_like_a_number(row.name):
        yield "number_name", ""
    if stand_in := _stand_ins_text(row):
        yield "stand_in", stand_in


def duplicate_warnings(duplicates: Duplicates) -> Iterator[Caution]:
    """Warnings about events that are in the data more than once."""
    if duplicates.copies:
        yield Caution(
            "duplicates",
            (),
            f"{duplicates.copies:,} events have all the features of an earlier event, values that no other has: is a "
            "file read twice, or do selections overlap? read each event once",
        )
    if duplicates.contradict:
        yield Caution(
            "contradiction",
            (),
            f"{duplicates.contradict:,} events have a copy in another class: one of the two is wrong; look at how the "
            "classes are selected",
        )
    for name, count in (duplicates.in_training or {}).items():
        if count:
            yield Caution(
                "leakage",
                (name,),
                f"{count:,} events of the {name} split are in training too, so its figures are too good; drop copies, "
                "or split by a column that copies share (data.split.by=column)",
            )


def _first_names(about: Mapping[str, str]) -> str:
    """The first few names, each with its note, and the number of others."""
    names = [_with_note(name, note) for name, note in about.items()]
    first = ", ".join(names[:SHOWN])
    if len(names) <= SHOWN:
        return first
    return f"{first} and {len(names) - SHOWN} more"


def _with_note(name: str, note: str) -> str:
    return f"{name} ({note})" if note else name


def _separated_classes(feature: FeatureSummary, classes: Sequence[Population]) -> str:
    """Two classes with enough events whose ranges of this feature do not overlap; empty where there are none."""
    filled = [row for row in classes if row.events - feature.classes[row.name].missing >= ENOUGH]
    for low, high in permutations((row.name for row in filled), 2):
        top, bottom = feature.classes[low].maximum, feature.classes[high].minimum
        if top is not None and bottom is not None and top < bottom:
            return f"{low} and {high}"
    return ""


def _empty_classes(feature: FeatureSummary, classes: Sequence[Population]) -> str:
    return ", ".join(
        population.name
        for population in classes
        if population.events and feature.classes[population.name].missing == population.events
    )


def _twins(features: Sequence[FeatureSummary]) -> dict[str, str]:
    """Features that equal an earlier one, with its name; constant features have another warning."""
    first: dict[int, str] = {}
    twins = {}
    for row in features:
        if row.distinct > 1 and first.setdefault(row.digest, row.name) != row.name:
            twins[row.name] = f"= {first[row.digest]}"
    return twins


def _stand_ins_text(row: FeatureSummary) -> str:
    """Possible stand-ins for a missing value: the lowest or highest value, in more than one event."""
    return ", ".join(f"{shortest_text(value)} in {count:,} events" for value, count in _stand_ins(row).items())


def _stand_ins(row: FeatureSummary) -> dict[float, int]:
    edges = zip((row.minimum, row.maximum), row.at_edges, strict=True)
    return {
        value: count
        for value, count in edges
        if row.distinct > 1 and count > 1 and value is not None and is_stand_in(value)
    }


def _missing_setting(features: Sequence[FeatureSummary], sentinels: Sentinels) -> str:
    """The setting that declares stand-ins missing, as typed on the command line.

    It is for all features, unless such a value is inside the range of another feature.
    """
    declared = {row.name: [*sentinels.get(row.name, ()), *_stand_ins(row)] for row in features}
    values = list(dict.fromkeys(value for sentinel_values in declared.values() for value in sentinel_values))
    if not any(_spans(row, value) for row in features for value in values if value not in declared[row.name]):
        return f"'data.missing={_yaml_list(values)}'"
    named = (
        f"{SIGNS.sub(ESCAPED, name)}:{_yaml_list(sentinel_values)}"
        for name, sentinel_values in declared.items()
        if sentinel_values
    )
    return f"'data.missing={{{','.join(named)}}}'"


def _spans(row: FeatureSummary, value: float) -> bool:
    return row.minimum is not None and row.maximum is not None and row.minimum <= value <= row.maximum


def _yaml_list(values: Iterable[float]) -> str:
    return f"[{','.join(map(shortest_text, values))}]"  # without blanks, at which a terminal would cut it

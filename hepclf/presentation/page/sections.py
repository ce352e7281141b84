"""The order in which a reader asks, and which pictures and findings answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hepclf.evaluation.finding import Finding

INDEX = "pictures.json"


class Question(NamedTuple):
    """A question, the pictures of the results that answer it, and the studies that do."""

    text: str
    key: str
    pictures: tuple[str, ...]
    studies: tuple[str, ...]


# A study that is not named here is asked last.
QUESTIONS = (
    Question(
        "Does it separate?",
        "separate",
        ("roc", "rejection", "scores"),
        ("bands", "retrieval", "multiclass", "discriminants"),
    ),
    Question(
        "Where do I cut?",
        "cut",
        ("significance", "confusion"),
        ("counting", "points", "triggers", "categories", "binned"),
    ),
    Question(
        "Do I believe it?",
        "believe",
        ("losses",),
        ("overtraining", "calibration", "likelihood_ratio", "variations", "flatness", "sculpting", "observed"),
    ),
    Question("What did it learn?", "learn", ("decision",), ("importance", "effective_cuts", "correlations")),
)
REST = Question("What else was asked?", "else", (), ())


class Shown(NamedTuple):
    """A picture on the page: its place, what is said of it, and which files it links to."""

    stem: str
    caption: str
    study: str | None
    kinds: tuple[str, ...]


class Answer(NamedTuple):
    """A study's finding and its pictures."""

    name: str
    finding: Finding
    pictures: tuple[Shown, ...]


class Section(NamedTuple):
    """A question, and what answers it."""

    question: Question
    pictures: tuple[Shown, ...]
    answers: tuple[Answer, ...]


def listed(plots: Path) -> list[Shown]:
    """The pictures that were drawn, by the index beside them; none where nothing was."""
    index = plots / INDEX
    if not index.is_file():
        return []
    found = json.loads(index.read_text(encoding="utf-8"))
    return [Shown(stem, of["caption"], of["study"], tuple(of["kinds"])) for stem, of in found.items()]


def sections(studies: Mapping[str, Finding], pictures: list[Shown]) -> Iterator[Section]:
    """Every question that has an answer; every picture and study stands under exactly one."""
    asked = {name for question in QUESTIONS for name in question.studies}
    drawn = {name for question in QUESTIONS for name in question.pictures}
    for question in (*QUESTIONS, REST):
        last = question is REST
        names = (
            [name for name in studies if name not in asked] if last else [n for n in question.studies if n in studies]
        )
        own = {one.stem: one for one in pictures if one.study is None}
        stems = [stem for stem in own if stem not in drawn] if last else [s for s in question.pictures if s in own]
        answers = tuple(Answer(n, studies[n], tuple(one for one in pictures if one.study == n)) for n in names)
        if stems or answers:
            yield Section(question, tuple(own[stem] for stem in stems), answers)

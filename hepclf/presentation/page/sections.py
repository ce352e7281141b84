"""The questions of a reader in their order, and the pictures and findings that answer them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hepclf.evaluation.finding import Finding

INDEX = "pictures.json"


class Question(NamedTuple):
    """A question with the pictures and the studies that answer it."""

    text: str
    key: str
    pictures: tuple[str, ...]
    studies: tuple[str, ...]


# Studies that are not named here stand last, under OTHER_STUDIES.
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
    Question("What did it learn?", "learn", (), ("plane", "importance", "effective_cuts", "correlations")),
)
OTHER_STUDIES = Question("What else was asked?", "else", (), ())


class PagePicture(NamedTuple):
    """A picture on the page: the stem of its files, its caption, its study, and the file types that it links to."""

    stem: str
    caption: str
    study: str | None
    kinds: tuple[str, ...]


class Answer(NamedTuple):
    """A study's finding and its pictures."""

    name: str
    finding: Finding
    pictures: tuple[PagePicture, ...]


class Section(NamedTuple):
    """A question with the pictures and studies that answer it."""

    question: Question
    pictures: tuple[PagePicture, ...]
    answers: tuple[Answer, ...]


def read_index(plots: Path) -> list[PagePicture]:
    """The pictures that the index of the folder names; none where there is no index."""
    index = plots / INDEX
    if not index.is_file():
        return []
    entries = json.loads(index.read_text(encoding="utf-8"))
    return [
        PagePicture(stem, entry["caption"], entry["study"], tuple(entry["kinds"])) for stem, entry in entries.items()
    ]


def sections(studies: Mapping[str, Finding], pictures: list[PagePicture]) -> Iterator[Section]:
    """Every question that has an answer; every picture and study stands under exactly one."""
    listed_studies = {name for question in QUESTIONS for name in question.studies}
    listed_pictures = {name for question in QUESTIONS for name in question.pictures}
    result_pictures = {picture.stem: picture for picture in pictures if picture.study is None}
    for question in (*QUESTIONS, OTHER_STUDIES):
        if question is OTHER_STUDIES:
            names = [name for name in studies if name not in listed_studies]
            stems = [stem for stem in result_pictures if stem not in listed_pictures]
        else:
            names = [name for name in question.studies if name in studies]
            stems = [stem for stem in question.pictures if stem in result_pictures]
        answers = tuple(
            Answer(name, studies[name], tuple(picture for picture in pictures if picture.study == name))
            for name in names
        )
        if stems or answers:
            yield Section(question, tuple(result_pictures[stem] for stem in stems), answers)

"""The sections of the page with their pictures and findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hepclf.evaluation.case import Study
from hepclf.evaluation.finding import Finding
from hepclf.evaluation.page_sections import LAST, PAGE_SECTIONS
from hepclf.files import read_json

INDEX = "pictures.json"


# The sections of the pictures of the results themselves, in their order there.
RESULT_PICTURES = {
    "roc": "separate",
    "rejection": "separate",
    "scores": "separate",
    "significance": "cut",
    "confusion": "cut",
    "losses": "believe",
    "find_rate": "believe",
}


class Question(NamedTuple):
    """What heads a section, and the name of the section."""

    text: str
    key: str


class PagePicture(NamedTuple):
    """A picture on the page: the stem of its files, its caption, its study, and the file types that it links to."""

    stem: str
    caption: str
    study: str | None
    kinds: tuple[str, ...]


class Answer(NamedTuple):
    """A study's finding and its pictures, below its title."""

    name: str
    title: str
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
    entries = read_json(index)
    return [
        PagePicture(stem, entry["caption"], entry["study"], tuple(entry["kinds"])) for stem, entry in entries.items()
    ]


def sections(
    findings: Mapping[str, Finding],
    studies: Mapping[str, Study],
    pictures: list[PagePicture],
    *,
    always: Collection[str] = (),
) -> Iterator[Section]:
    """Every section that has a picture or a finding, and those of `always`; each of these stands in exactly one."""
    ranked = sorted(findings, key=lambda name: getattr(studies.get(name), "page_rank", 0))
    result_pictures = {picture.stem: picture for picture in pictures if picture.study is None}
    stems = [stem for stem in dict.fromkeys((*RESULT_PICTURES, *result_pictures)) if stem in result_pictures]
    for key, text in PAGE_SECTIONS.items():
        shown = tuple(result_pictures[stem] for stem in stems if RESULT_PICTURES.get(stem, LAST) == key)
        answers = tuple(
            Answer(
                name,
                _title(name, studies.get(name)),
                findings[name],
                tuple(picture for picture in pictures if picture.study == name),
            )
            for name in ranked
            if getattr(studies.get(name), "page_section", LAST) == key
        )
        if shown or answers or key in always:
            yield Section(Question(text, key), shown, answers)


def _title(name: str, study: Study | None) -> str:
    """The title that the study gives itself, or its name."""
    title: str = getattr(study, "page_title", name.replace("_", " ").capitalize())
    return title

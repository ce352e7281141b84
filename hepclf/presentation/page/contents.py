"""The table of contents of a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hepclf.presentation.page.sections import Section

RESULTS, MADE, TERMS = "Results", "How was it made?", "What do the terms mean?"


class Heading(NamedTuple):
    """A heading of a page, the name of its place, and the headings below it."""

    text: str
    key: str
    parts: tuple[Heading, ...] = ()


def section_headings(sections: Iterable[Section]) -> Iterator[Heading]:
    """The headings of the page of a run, with those of the studies below them."""
    yield Heading(RESULTS, "results")
    for question, _, answers in sections:
        yield Heading(*question, tuple(Heading(answer.title, f"study-{answer.name}") for answer in answers))
    yield Heading(MADE, "again")

"""The terms of the page: a word of a table leads to its explanation at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hepclf.files import read_json

FILE = Path(__file__).parent / "terms.json"


class Term(NamedTuple):
    """A term: its heading in docs/glossary.md, the words that stand for it in the results, and its explanation."""

    name: str
    words: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        """The name of its place on the page."""
        return f"term-{'-'.join(re.findall('[a-z]+', self.name.lower()))}"


class Span(NamedTuple):
    """Part of a text, and the term that it stands for."""

    text: str
    term: Term | None = None


@cache
def terms() -> tuple[Term, ...]:
    """All terms, in the order of the page."""
    entries = read_json(FILE)
    return tuple(Term(entry["name"], tuple(entry["words"]), entry["text"]) for entry in entries)


@cache
def _words() -> tuple[re.Pattern[str], dict[str, Term]]:
    """What finds the words of all terms, the longest first, and the term of each."""
    by_word = {word.lower(): term for term in terms() for word in term.words}
    choices = "|".join(map(re.escape, sorted(by_word, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)", re.IGNORECASE), by_word


def spans(text: str) -> Iterator[Span]:
    """The text in parts: the first occurrence of each term, and what stands between."""
    pattern, by_word = _words()
    met: set[Term] = set()
    end = 0
    for match in pattern.finditer(text):
        term = by_word[match.group().lower()]
        if term in met:
            continue
        met.add(term)
        yield Span(text[end : match.start()])
        yield Span(match.group(), term)
        end = match.end()
    yield Span(text[end:])

"""The terms that the page explains."""

from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.presentation.page.terms import spans, terms

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"


def linked(text):
    """The words of a text that lead to a term, with the name of the term."""
    parts = list(spans(text))
    assert "".join(part.text for part in parts) == text
    return [(part.text, part.term.name) for part in parts if part.term]


def test_the_longest_word_wins_and_a_term_is_linked_once():
    assert linked("Asimov Z, sigma_B = 10 %") == [
        ("Asimov Z", "Asimov significance"),
        ("sigma_B", "Asimov significance with sigma_B"),
    ]
    assert linked("Best Asimov: S = 1, Asimov significance 3") == [("Asimov", "Asimov significance")]
    assert linked("S/sqrt(B)") == [("S/sqrt(B)", "S/sqrt(B)")]


def test_words_within_words_and_other_texts_are_left_alone():
    assert linked("rejections, AUCs, miscalibration and a feature recalled") == []
    assert linked("") == []


def test_a_word_stands_for_one_term_and_a_place_for_one_too():
    words = [word.lower() for term in terms() for word in term.words]
    assert len(words) == len(set(words))
    assert len({term.key for term in terms()}) == len(terms())


@pytest.mark.skipif(not GLOSSARY.is_file(), reason="docs/glossary.md is not written yet")
def test_every_term_has_a_heading_in_the_glossary():
    headings = {line.lstrip("# ") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line[:1] == "#"}
    assert {term.name for term in terms()} <= headings

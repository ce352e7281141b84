"""The contents of each page: every heading is listed, and every link has a place to go."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from hepclf.presentation.page.comparison import comparison_page
from hepclf.presentation.page.search import search_page
from hepclf.words import Grid

GRID = Grid("a table", ("", "AUC"), [("mlp", "0.9")])


class Finding:
    """Of a study with a name that needs escaping."""

    sentences = ("It is true.",)
    tables = (GRID,)

    def to_dict(self):
        return {}


@pytest.fixture
def run_page(results_of, write_page):
    """The page of a run with a picture, a movable cut, and a study of one's own."""
    results = results_of()
    object.__setattr__(results, "studies", {"50 % & more": Finding(), "bands": Finding()})
    return write_page(results, stems=("roc",)).read_text(encoding="utf-8")


def compared(origin):
    return comparison_page(["AUC"], [GRID], [], {"mlp": "runs/mlp"}, Path("nowhere"), origin(), folder=Path())


def searched(origin):
    notes = {"settings": ["too few trials"]}
    return search_page(["AUC"], GRID, {"space": GRID}, notes, None, {}, Path("nowhere"), origin(), folder=Path())


def headings(text):
    """What stands in the contents, then what stands above each section: a name of a place and words."""
    nav = re.search(r"<nav.*?</nav>", text, flags=re.S)[0]
    listed = re.findall(r'<a href="#([^"]+)">(.*?)</a>', nav)
    found = re.findall(r'<(?:section|article) id="([^"]+)">\s*(?:<h[23]>(.*?)</h[23]>)?', text)
    plain = [(unescape(key), re.sub(r"<[^>]+>", "", words)) for key, words in found]
    return [(unquote(key), words) for key, words in listed], plain


def test_the_contents_of_a_run_are_its_sections_and_studies(run_page):
    listed, found = headings(run_page)
    assert listed[0] == ("results", "Results")
    assert listed[1:] == found[1:]
    assert ("study-50 % & more", "50 % &amp; more") in listed
    assert [key for key, _ in listed if key not in ("again", "terms")] == [
        "results",
        "separate",
        "cut",
        "else",
        "study-50 % & more",
        "study-bands",
    ]


@pytest.mark.parametrize("make", [compared, searched])
def test_the_contents_of_the_other_pages_are_their_sections(origin, make):
    listed, found = headings(make(origin))
    assert listed == found
    assert len(listed) > 2


def test_every_link_within_a_page_has_a_place_to_go(run_page, origin):
    for text in (run_page, compared(origin), searched(origin)):
        places = re.findall(r' id="([^"]+)"', text)
        links = {unquote(unescape(link)) for link in re.findall(r'href="#([^"]+)"', text)}
        assert links <= set(map(unescape, places))
        assert len(places) == len(set(places))
        assert "term-roc-curve-auc" in links

"""The page of a search: sections and links, and nothing typed becomes markup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from hepclf.presentation.page.search import FinalTraining, search_page
from hepclf.words import Grid

NASTY = "</p><script>alert(1)</script>"


@pytest.fixture
def make_page(origin):
    """A function making a page with pictures of these stems."""

    def make(stems=("slices", "history", "history_auc"), **changes):
        plots = Path("plots")
        plots.mkdir()
        for stem in stems:
            Image.new("RGB", (60, 40), "white").save(plots / f"{stem}.png")
        entry = {"caption": NASTY, "study": None, "kinds": ["png", "csv"]}
        (plots / "pictures.json").write_text(json.dumps(dict.fromkeys(stems, entry)))
        grid = Grid(NASTY, ("trial", NASTY), [("1", NASTY)])
        contents = {
            "lines": [NASTY],
            "best": grid,
            "tables": {"space": grid, "course": grid},
            "notes": {"best": [NASTY]},
            "final": None,
            "files": {},
        }
        return search_page(*(contents | changes).values(), plots, origin(title=NASTY, config=NASTY), folder=Path())

    return make


def test_nothing_that_was_typed_becomes_markup(make_page):
    text = make_page(final=FinalTraining(NASTY, "best/report.html"), files={NASTY: "a file.yaml"})
    assert "<script" not in text
    assert 'href="a%20file.yaml"' in text
    assert 'href="best/report.html"' in text


def test_pictures_stand_under_their_question_in_its_order(make_page):
    text = make_page()
    places = [text.index(f'id="{name}"') for name in ("best", "course", "history", "history_auc", "settings", "slices")]
    assert places == sorted(places)
    assert "Which trade-off do both objectives allow?" not in text


def test_a_section_without_pictures_is_left_out_unless_there_is_a_note(make_page):
    text = make_page(stems=(), notes={"settings": ["too few trials"]})
    assert 'id="course"' not in text
    assert "too few trials" in text

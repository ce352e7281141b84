from __future__ import annotations

from pathlib import Path

from hepclf.presentation.page.sections import INDEX, QUESTIONS, PagePicture, read_index, sections
from hepclf.presentation.plots.draw import INDEX as DRAWN


def picture(stem, study=None):
    return PagePicture(stem, "", study, ("png",))


def test_every_picture_and_every_study_stands_under_exactly_one_question():
    pictures = [
        picture("confusion"),
        picture("roc"),
        picture("new"),
        picture("bands", "bands"),
        picture("b", "brand_new"),
    ]
    answered = list(sections({"brand_new": None, "bands": None, "overtraining": None}, pictures))
    assert [
        (section.question.key, [p.stem for p in section.pictures], [a.name for a in section.answers])
        for section in answered
    ] == [
        ("separate", ["roc"], ["bands"]),
        ("cut", ["confusion"], []),
        ("believe", [], ["overtraining"]),
        ("else", ["new"], ["brand_new"]),
    ]
    assert [p.stem for section in answered for a in section.answers for p in a.pictures] == ["bands", "b"]


def test_no_picture_or_study_is_asked_about_twice():
    for names in ([n for q in QUESTIONS for n in q.pictures], [n for q in QUESTIONS for n in q.studies]):
        assert len(names) == len(set(names))


def test_the_index_is_the_one_that_drawing_writes():
    assert INDEX == DRAWN
    assert read_index(Path("nowhere")) == []

from __future__ import annotations

from pathlib import Path

from hepclf.presentation.page.sections import INDEX, QUESTIONS, Shown, listed, sections
from hepclf.presentation.plots.draw import INDEX as DRAWN


def shown(stem, study=None):
    return Shown(stem, "", study, ("png",))


def test_every_picture_and_every_study_stands_under_exactly_one_question():
    pictures = [shown("confusion"), shown("roc"), shown("new"), shown("bands", "bands"), shown("b", "brand_new")]
    found = list(sections({"brand_new": None, "bands": None, "overtraining": None}, pictures))
    assert [(one.question.key, [p.stem for p in one.pictures], [a.name for a in one.answers]) for one in found] == [
        ("separate", ["roc"], ["bands"]),
        ("cut", ["confusion"], []),
        ("believe", [], ["overtraining"]),
        ("else", ["new"], ["brand_new"]),
    ]
    assert [p.stem for one in found for a in one.answers for p in a.pictures] == ["bands", "b"]


def test_no_picture_or_study_is_asked_about_twice():
    for names in ([n for q in QUESTIONS for n in q.pictures], [n for q in QUESTIONS for n in q.studies]):
        assert len(names) == len(set(names))


def test_the_index_is_the_one_that_drawing_writes():
    assert INDEX == DRAWN
    assert listed(Path("nowhere")) == []

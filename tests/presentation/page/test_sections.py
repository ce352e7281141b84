from __future__ import annotations

from pathlib import Path

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.page_sections import LAST, PAGE_SECTIONS
from hepclf.presentation.page.sections import INDEX, RESULT_PICTURES, PagePicture, read_index, sections
from hepclf.presentation.plots.index import INDEX as DRAWN


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
    findings = dict.fromkeys(["brand_new", "flatness", "bands", "overtraining", "variations"])
    answered = list(sections(findings, Evaluation().study_settings, pictures))
    assert [
        (section.question.key, [p.stem for p in section.pictures], [a.name for a in section.answers])
        for section in answered
    ] == [
        ("separate", ["roc"], ["bands"]),
        ("cut", ["confusion"], []),
        ("believe", [], ["overtraining", "variations", "flatness"]),
        ("else", ["new"], ["brand_new"]),
    ]
    assert [p.stem for section in answered for a in section.answers for p in a.pictures] == ["bands", "b"]


def test_each_of_our_studies_and_pictures_has_its_section():
    known = [key for key in PAGE_SECTIONS if key != LAST]
    studies = Evaluation().study_settings
    for name, study in studies.items():
        assert study.page_section in known, name
    assert len({study.page_title for study in studies.values()}) == len(studies)
    assert set(RESULT_PICTURES.values()) <= set(known)


def test_a_study_of_ones_own_stands_where_it_says():
    class Mine:
        page_section = "cut"
        page_title = "My tails"
        page_rank = -1

    answered = list(sections({"counting": None, "mine": None}, {**Evaluation().study_settings, "mine": Mine()}, []))
    assert [[(answer.name, answer.title) for answer in section.answers] for section in answered] == [
        [("mine", "My tails"), ("counting", "Yields and significance")]
    ]


def test_a_study_without_a_title_is_headed_by_its_name():
    section = next(sections({"my_tails": None}, {}, []))
    assert [answer.title for answer in section.answers] == ["My tails"]


def test_the_index_is_the_one_that_drawing_writes():
    assert INDEX == DRAWN
    assert read_index(Path("nowhere")) == []

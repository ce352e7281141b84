from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.recipe import recipe
from hepclf.words import Grid

OURS = [setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study")]


@dataclass
class Answer:
    plain: Any = field(default_factory=lambda: {"events": 4})
    sentences: tuple[str, ...] = ("There are 4 events.",)
    tables: tuple[Grid, ...] = ()

    def to_dict(self):
        return self.plain


@recipe
class Count:
    question: ClassVar[str] = "How many?"
    answer: Any = field(default_factory=Answer)

    def study(self, case):  # noqa: ARG002
        return self.answer


@pytest.fixture
def judge(make_scored):
    """A function evaluating four events with one study of the user's own alone."""

    def judge(study, name="mine"):
        settings = Evaluation(studies={name: study}, **dict.fromkeys(OURS))
        return evaluate(make_scored([0, 1, 0, 1], [0.1, 0.9, 0.6, 0.4]), settings)

    return judge


def test_a_finding_of_ones_own_stands_among_the_others(judge):
    results = judge(Count())
    assert results.to_dict()["studies"] == {"mine": {"events": 4}}
    assert results.asked == ("mine",)
    assert results.study_settings["mine"].question == "How many?"


def test_a_question_that_does_not_arise_has_no_finding(judge):
    assert judge(Count(answer=None)).studies == {}


class Elsewhere:
    question = "Where?"
    page_section = "top"

    def study(self, case):  # noqa: ARG002
        return None


class NoQuestion:
    def study(self, case):  # noqa: ARG002
        return None


@pytest.mark.parametrize(
    ("name", "study", "words"),
    [
        ("bands", Count(), r"evaluation\.studies\.bands must have a name of its own"),
        ("threshold", Count(), r"evaluation\.studies\.threshold must have a name of its own"),
        ("../mine", Count(), "must have a name of letters, digits and underscores"),
        ("mine", Answer(), r"evaluation\.studies\.mine must be a recipe with study\(case\), not Answer"),
        ("mine", Count, "must be a recipe with study"),
        ("mine", {"_target_": "mine.Count"}, "must be a recipe with study"),
        ("mine", Elsewhere(), r"mine\.page_section must be one of separate, cut, believe, learn, else, not 'top'"),
        ("mine", NoQuestion(), r"evaluation\.studies\.mine must have a question, not None"),
    ],
)
def test_what_is_no_study_of_ones_own_is_refused(name, study, words):
    with pytest.raises(ValueError, match=words):
        Evaluation(studies={name: study})


class Methods:
    def sentences(self):
        return ()

    def tables(self):
        return ()

    def to_dict(self):
        return {}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"events": 4},
            r"study\(case\) must return None or a finding with sentences, tables, to_dict, not one without s",
        ),
        (Methods(), "whose sentences and tables are values"),
        (Answer(plain={"scores": np.ones(3)}), r"to_dict\(\) must be of plain numbers.*ndarray"),
    ],
)
def test_a_finding_that_cannot_be_shown_or_written_is_refused(judge, answer, words):
    with pytest.raises(TypeError, match=r"evaluation\.studies\.mine: .*" + words):
        judge(Count(answer=answer))


def test_each_study_names_its_question():
    questions = [study.question for study in Evaluation().study_settings.values()]
    assert len(questions) == len(OURS) == len(set(questions))
    assert [question for question in questions if not question.endswith("?") or question.count("?") > 1] == []

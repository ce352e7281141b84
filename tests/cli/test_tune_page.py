"""`hepclf tune page`: the page of a study, of which no trial has begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hepclf.search.folder import StudyFolder
from hepclf.search.space import Float, Space
from hepclf.search.tuning import Tuning
from hepclf.words import number


def test_the_page_is_drawn_at_any_time_and_its_place_is_printed(hepclf):
    space = Space((Float(name="model.l2", low=0, high=1),))
    study = {"words": (), "tuning": Tuning(), "space": space, "seed": 0, "defaults": {}}
    StudyFolder.create(Path("study"), **study)
    code, out, errors = hepclf("tune", "page", "study")
    assert (code, out) == (0, "page   study/study.html\n"), errors
    assert "0 of 50 trials have ended" in Path("study/study.html").read_text()


def test_a_folder_that_holds_no_study_is_refused(hepclf):
    code, _, errors = hepclf("tune", "page", "nowhere")
    assert code != 0
    assert "nowhere holds no search" in errors


@pytest.mark.parametrize("report", [True, False])
def test_a_search_ends_with_its_page_unless_no_page_is_wanted(hepclf, report, sketched):
    tiny = ["data=mixture", "data.events=600", "model=logistic", "trainer.epochs=2", "trainer.device=cpu"]
    tiny += [f"evaluation.{study}=null" for study in ("bands", "importance", "overtraining", "calibration", "binned")]
    tiny += ["evaluation.plots=false", f"evaluation.report={str(report).lower()}", "folder=study"]
    code, out, errors = hepclf("tune", *tiny, "model.l2=interval(0,1)", "tune.trials=2", "tune.repeats=2")
    assert code == 0, errors
    assert ("page   study/study.html\n" in out) == report
    assert Path("study/study.html").is_file() == report
    if report:
        text = Path("study/study.html").read_text()
        area = json.loads(Path("study/best/metrics.json").read_text())["test"]["auc"]
        assert f"AUC {number(area['value'], area['error'])}" in text.replace("\u00a0", " ")

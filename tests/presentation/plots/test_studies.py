"""Each study has the module of its name, and a user's study draws itself."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hepclf.presentation.plots.draw import STUDIES, draw
from hepclf.presentation.plots.picture import Picture, Series

RESULTS = {"losses", "find_rate", "scores", "roc", "rejection", "confusion", "significance"}
OTHERS = {"compare", "compared_ratio", "spread", "scan", "features"}  # drawn by other commands
PLUMBING = {"__init__", "draw", "drawing", "font", "index", "label", "material", "numbers", "picture", "style"} | {
    "worker",
    "workers",
}


def test_every_module_draws_a_study_or_the_results_or_is_plumbing():
    folder = Path(import_module("hepclf.presentation.plots.draw").__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {*STUDIES, *RESULTS, *OTHERS, *PLUMBING}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_drawn_by_the_module_of_its_name(name):
    pictures = import_module(f"hepclf.presentation.plots.{name}").pictures
    assert len(inspect.signature(pictures).parameters) == 3


class Own:
    """A study that draws what it is given."""

    question = "How many?"

    def __init__(self, drawn):
        self.drawn = drawn

    def draw(self, finding):
        return self.drawn(finding)


@pytest.fixture
def draw_own(judged, sketched):
    """A function drawing results with one finding of the user's own; the index that comes of it."""

    def make(drawn, name="mine"):
        results = judged()
        draw(replace(results, studies={name: "finding"}, study_settings={name: Own(drawn)}), Path("plots"))
        return json.loads(Path("plots/pictures.json").read_text())

    return make


def labelled(label):
    figure = Figure()
    figure.subplots().set_title(label)
    return figure


@pytest.mark.parametrize("name", ["mine", "roc", "style"])
def test_a_figure_of_ones_own_is_written_under_the_name_of_its_study(draw_own, name):
    index = draw_own(labelled, name)
    assert index[f"study_{name}"] == {"caption": "How many?", "study": name, "kinds": ["png", "pdf"]}
    assert Path(f"plots/study_{name}.png").is_file()
    assert index["roc"]["study"] is None


def test_a_picture_of_ones_own_brings_caption_and_numbers(draw_own):
    series = (Series("count", {"x": [1.0], "y": [4.0]}),)
    index = draw_own(lambda finding: Picture("any", labelled(finding), "So it is read.", series))
    assert index["study_mine"]["caption"] == "So it is read."
    assert json.loads(Path("plots/numbers/study_mine.json").read_text())["series"][0]["columns"]["y"] == [4.0]


def test_a_study_without_draw_has_no_picture(judged, sketched):
    draw(replace(judged(), studies={"mine": "finding"}, study_settings={"mine": object()}), Path("plots"))
    assert "study_mine" not in json.loads(Path("plots/pictures.json").read_text())


def test_what_is_no_picture_is_refused(draw_own):
    with pytest.raises(TypeError, match=r"evaluation\.studies\.mine\.draw must return a figure or a Picture, not None"):
        draw_own(lambda _: None)

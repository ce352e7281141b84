from __future__ import annotations

import re
import shlex

import pytest

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.files import read_yaml
from hepclf.models.logistic import Logistic
from hepclf.run import Run, command_line
from hepclf.workflow.reevaluate import reevaluate
from hepclf.workflow.report import labelled, shown_settings
from hepclf.workflow.train import train


@pytest.fixture
def trained(gaussians):
    """A function training a small tagger into a folder."""

    def make(folder="a run", **settings):
        return train(gaussians(1500), Logistic(), evaluation=Evaluation(**settings), folder=folder)

    return make


def test_a_training_leaves_the_page_of_its_verdict(trained):
    label = Label(experiment="CMS", status="Simulation", energy_tev=13.0)
    made = trained(plots=False, label=label)
    text = made.run.report.read_text(encoding="utf-8")
    assert "<h1>memory, logistic</h1>" in text
    assert "CMS Simulation, 13 TeV" in text
    assert "hepclf train again=&#39;a run&#39;" in text
    assert "energy_tev: 13.0" in text
    assert re.search(r"<td>hepclf \S+, torch ", text)
    assert str(made.tagger.device) in text


def test_pictures_are_in_the_page_and_their_files_beside_it(trained, sketched, without_studies):
    made = trained(**without_studies)
    text = made.run.report.read_text(encoding="utf-8")
    stems = {path.stem for path in made.plots if path.suffix == ".png"}
    assert text.count('<img src="data:image/png;base64,') == len(stems) >= 6
    links = re.findall(r'href="(plots/[^"]+)"', text)
    assert {link.rpartition(".")[2] for link in links} == {"pdf", "csv", "json", "yaml"}
    assert all((made.run.folder / link).is_file() for link in links)


@pytest.mark.slow
def test_a_page_with_every_picture_of_the_defaults_is_small(trained):
    assert trained().run.report.stat().st_size < 1_200_000  # measured: 0.8 MB


def test_a_page_that_is_not_asked_for_is_not_written(trained):
    assert not trained(plots=False, report=False).run.report.exists()


def test_judging_again_leaves_a_page_too(trained):
    made = trained(plots=False)
    reevaluate(Run(made.run.folder), Evaluation(plots=False, threshold=0.7), made.run.folder / "again")
    text = (made.run.folder / "again/report.html").read_text(encoding="utf-8")
    assert 'data-column="cut" for="threshold">0.7</output>' in text


def test_a_label_has_the_luminosity_of_the_yields_unless_its_own():
    yields = {"cross_sections_fb": {"signal": 1.0}, "luminosity_fb": 300.0}
    assert labelled(Evaluation(label=Label(), **yields)).conditions() == "300 fb⁻¹"
    assert labelled(Evaluation(label=Label(luminosity_fb=59.8), **yields)).conditions() == "59.8 fb⁻¹"
    assert labelled(Evaluation()) is None


def test_settings_that_mean_nothing_to_a_reader_are_left_out():
    trainer = {"_target_": "x.Trainer", "epochs": None, "batch": 64, "seed": 1, "momentum": 0.9}
    settings = {"model": {"l2": None}, "trainer": trainer}
    shown = shown_settings(settings, frozenset({"epochs", "batch", "seed"}))
    assert shown == {"model": {"l2": None}, "trainer": {"_target_": "x.Trainer", "batch": 64, "seed": 1}}
    assert shown_settings({"run": "a"}, frozenset()) == {"run": "a"}


def test_the_split_is_left_out_in_folds_where_it_has_no_effect():
    settings = {"data": {"files": "x.csv", "split": {"test": 0.2}}, "trainer": {}}
    assert shown_settings(settings, frozenset()) == settings
    assert shown_settings({**settings, "folds": {"count": 5}}, frozenset())["data"] == {"files": "x.csv"}


def test_the_page_names_no_setting_that_the_model_does_not_use(trained):
    made = trained(plots=False)
    text = made.run.report.read_text(encoding="utf-8")
    assert "optimiser: adamw" in text
    assert "momentum:" not in text  # adamw has none
    assert "exit_after_s:" not in text  # null
    assert "momentum: 0.9" in made.run.config.read_text(encoding="utf-8")


def test_a_command_can_be_typed_again():
    words = ["/opt/bin/hepclf", "evaluate", "run=a run", "evaluation.threshold=0.7"]
    assert shlex.split(command_line(words)) == ["hepclf", *words[1:]]


def test_the_label_is_kept_with_the_run(trained):
    made = trained(plots=False, label=Label(experiment="LHCb"))
    assert read_yaml(made.run.config)["evaluation"]["label"]["experiment"] == "LHCb"

"""A run that was trained without pictures is drawn later, and keeps its numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.logistic import Logistic
from hepclf.run import Run
from hepclf.training.trainer import Trainer
from hepclf.workflow.job import Job
from hepclf.workflow.redraw import draw_run
from hepclf.workflow.shared import SharedData
from hepclf.workflow.train import train

DATA = Mixture(events=900)


@pytest.fixture
def drawn(without_studies):
    """An evaluation that asks for a few pictures."""
    return Evaluation(**without_studies)


@pytest.fixture
def run(drawn):
    lean = replace(drawn, plots=False, report=False)
    return train(DATA, Logistic(), Trainer(epochs=1), lean, "run").run


@pytest.fixture
def job(drawn):
    return lambda data=DATA: Job.of(data, Logistic(), Trainer(epochs=1), drawn)


def test_a_run_is_drawn_as_if_it_had_been_trained_with_pictures(run, job, drawn, sketched):
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    draw_run(run, job(), SharedData())
    train(DATA, Logistic(), Trainer(epochs=1), drawn, "drawn")
    numbers = {path.name: path.read_bytes() for path in Path("drawn/plots/numbers").iterdir()}
    assert len(numbers) > 5
    assert {path.name: path.read_bytes() for path in Path("run/plots/numbers").iterdir()} == numbers
    assert {path.name for path in Path("run/plots").iterdir()} == {path.name for path in Path("drawn/plots").iterdir()}
    assert Path("run/report.html").stat().st_size > 10_000
    for path, contents in before.items():
        assert path.read_bytes() == contents, path
    assert run.status().name == "finished"


def test_a_run_whose_data_have_changed_is_not_drawn(run, job):
    with pytest.raises(ValueError, match=r"is not drawn, as its evaluation gives other numbers than metrics\.json"):
        draw_run(run, job(replace(DATA, seed=1)), SharedData())
    assert not run.plots.exists()


def test_a_run_that_another_process_holds_is_not_drawn(run, job):
    with Run.open("run").held(), pytest.raises(OSError, match="is in use by process"):
        draw_run(run, job(), SharedData())


def test_a_run_without_its_tagger_is_not_drawn(run, job):
    (run.tagger / "tagger.json").unlink()
    with pytest.raises(ValueError, match="holds no tagger that can be drawn"):
        draw_run(run, job(), SharedData())

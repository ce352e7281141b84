"""The four steps of a training, taken one by one as a notebook or a search takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.files.store import write_scores
from hepclf.files import write_yaml
from hepclf.models.bdt import BDT
from hepclf.models.mlp_plain import PlainMLP
from hepclf.run import Run
from hepclf.training.trainer import Trainer
from hepclf.workflow.evaluated import evaluated
from hepclf.workflow.fit import fit
from hepclf.workflow.history import History
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare
from hepclf.workflow.record import metrics, record
from hepclf.workflow.reevaluate import reevaluate
from hepclf.workflow.stop import Stop
from hepclf.workflow.train import train

DATA = Mixture(events=1500)


@pytest.fixture
def job():
    def make(model=None, **settings):
        return Job.of(DATA, model or PlainMLP(hidden=(4,)), Trainer(**{"epochs": 4, **settings}))

    return make


def test_the_steps_give_what_train_gives_and_write_nothing(job):
    one = job()
    prepared = prepare(one)
    fitted = fit(prepared, one)
    found = evaluated(fitted, prepared, one)
    assert list(Path().iterdir()) == []
    whole = train(DATA, PlainMLP(hidden=(4,)), Trainer(epochs=4))
    assert found.results.to_dict() == whole.results.to_dict()
    assert [epoch[:4] for epoch in fitted.history] == [epoch[:4] for epoch in whole.history]


@pytest.mark.parametrize(("name", "setting"), [("resume=True", {"resume": True}), ("stop", {"stop": Stop()})])
def test_without_a_folder_a_training_cannot_be_resumed_or_stopped(name, setting):
    with pytest.raises(ValueError, match=f"^{name} needs a folder, where checkpoints are stored, not folder=None; "):
        train(DATA, PlainMLP(), **setting)


def test_the_validation_loss_of_a_sweep_has_the_weights_of_the_training(job):
    one = job()
    prepared = prepare(one)
    weights = np.where(prepared.events.labels == 0, 1e6, 1.0)
    prepared = replace(prepared, events=replace(prepared.events, weights=weights))
    fitted = fit(prepared, one)
    valid = metrics(evaluated(fitted, prepared, one))["valid"]
    kept = min(epoch.valid_loss for epoch in fitted.history)
    assert valid["log_loss_as_trained"]["value"] == pytest.approx(kept, rel=1e-5)
    assert abs(valid["log_loss"] - kept) > 0.01, "with physical weights it is that of the background alone"


def test_one_preparation_serves_many_fits(job):
    first, second = job(), job(seed=1)
    prepared = prepare(first)
    losses = [fit(prepared, each).history[-1].valid_loss for each in (first, second, first)]
    assert losses[0] == losses[2] != losses[1]


@pytest.mark.parametrize("model", [PlainMLP(hidden=(4,)), BDT(iterations=10)])
def test_a_caller_may_end_the_fit_after_any_epoch(job, model):
    one = job(model)
    fitted = fit(prepare(one), one, on_epoch=lambda epoch: epoch.epoch == 2)
    assert [epoch.epoch for epoch in fitted.history] == [1, 2]
    assert fitted.tagger.summary["kept_epoch"] <= 2


def test_only_the_last_step_writes(job, sketched):
    one = job()
    prepared = prepare(one)
    history = History(Path("history.csv"))
    fitted = fit(prepared, one, on_epoch=history)
    history.write()
    assert len(Path("history.csv").read_text().splitlines()) == 1 + 4
    found = evaluated(fitted, prepared, one)
    run = Run.create("run")
    write_yaml(run.config, one.describe())
    with run.recorded():
        fitted.tagger.save(run.tagger)
        write_scores(run.scores, found.scored)
        plots = record(run, found, one.evaluation)
    assert plots
    assert run.metrics.is_file()
    assert run.report.is_file()
    assert metrics(found)["model"]["name"] == "plainmlp"


def test_a_run_keeps_the_titles_of_its_features(tmp_path):
    data = Mixture(events=300, labels={"x": ("$x$", "GeV")})
    quick = Evaluation(plots=False, report=False)
    trained = train(data, PlainMLP(), Trainer(epochs=1), quick, tmp_path / "run")
    again, _ = reevaluate(trained.run, quick, tmp_path / "again")
    assert trained.results.titles == again.titles == {"x": ("$x$", "GeV")}

from __future__ import annotations

from shutil import copytree

import pytest

from hepclf import Logistic, Mixture, Trainer
from hepclf.evaluation.evaluation import Evaluation
from hepclf.search.folder import StudyFolder
from hepclf.search.space import Choice, Float, Space
from hepclf.search.tuning import Tuning
from hepclf.search.worker import work
from hepclf.workflow.job import Job

SPACE = Space(
    (
        Float(name="learning_rate", key="trainer.learning_rate", low=1e-3, high=1.0, log=True),
        Choice(name="scaling", key="model.preprocess.scaling", options=("standard", "robust")),
    )
)


def small_job(settings):
    trainer = Trainer(epochs=8, batch=256, learning_rate=settings.get("trainer.learning_rate"), device="cpu")
    model = Logistic(preprocess={"scaling": settings.get("model.preprocess.scaling", "standard")})
    return Job.of(Mixture(events=600), model, trainer, Evaluation(plots=False, report=False))


@pytest.fixture
def job_of():
    """A function making a job of a few hundred events, which takes a few milliseconds."""
    return small_job


def small_study(path, space=SPACE, seed=0, **settings):
    tuning = Tuning(**{"trials": 6, "repeats": 2, "pruning": "none", **settings})
    defaults = {"scaling": "standard"}
    return StudyFolder.create(path, words=(), tuning=tuning, space=space, seed=seed, defaults=defaults)


@pytest.fixture
def make_study(tmp_path):
    """A function making the folder of a study, by default of six trials with two repeats."""
    return lambda name="study", **settings: small_study(tmp_path / name, **settings)


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory):
    """A study with a result in each trial, some of them pruned, made once for all tests."""
    study = small_study(tmp_path_factory.mktemp("finished") / "study", trials=12, pruning="halving")
    work(study, small_job)
    return study


@pytest.fixture
def finished(finished_once, tmp_path):
    """A copy of it for the test alone."""
    copytree(finished_once.path, tmp_path / "finished")
    return StudyFolder.open(tmp_path / "finished")

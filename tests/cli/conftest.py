from __future__ import annotations

from shutil import copytree

import pytest

from hepclf import Evaluation, Logistic, Mixture, Trainer, train
from hepclf.cli.main import main

QUICK = ["data.signals=200", "data.noise=600", "trainer.epochs=2", "evaluation.plots=false"]


@pytest.fixture
def hepclf(capsys):
    """The command line in this process: exit code, standard output, standard error."""

    def call(*words):
        code = main(list(words))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The folder runs/ that a training on a few hundred triggers leaves."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["train", *QUICK]) == 0
    return folder / "runs"


@pytest.fixture
def trained(runs):
    """A copy of it for the test alone; the run is runs/latest."""
    copytree(runs, "runs", symlinks=True)


@pytest.fixture(scope="session")
def mixture_run_once(tmp_path_factory):
    """A run on the mixture, trained once for all tests."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(Mixture(events=3000), Logistic(), Trainer(epochs=1), Evaluation(plots=False), folder=folder)
    return folder


@pytest.fixture
def mixture_run(mixture_run_once):
    """A copy of it for the test alone, at run/."""
    copytree(mixture_run_once, "run")

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from hepclf import BDT, Evaluation, Logistic, Mixture, PlainMLP, Trainer, train
from hepclf.training import threads as module
from hepclf.training.threads import thread_limit


@pytest.fixture(autouse=True)
def _threads_of_pytorch():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_number_holds_in_the_block_and_ends_with_it():
    torch.set_num_threads(2)
    with thread_limit(3) as count:
        assert count == torch.get_num_threads() == 3
    assert torch.get_num_threads() == 2
    with pytest.raises(KeyError), thread_limit(1):
        raise KeyError
    assert torch.get_num_threads() == 2


def test_the_number_holds_in_threads_that_the_block_starts():
    torch.set_num_threads(2)
    with thread_limit(3), ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 3


def test_without_a_number_it_is_pytorchs_within_the_cores(monkeypatch):
    torch.set_num_threads(3)
    for cores, expected in ((2, 2), (16, 3)):
        monkeypatch.setattr(module, "cores", lambda cores=cores: cores)
        with thread_limit(None) as count:
            assert count == torch.get_num_threads() == expected
        assert torch.get_num_threads() == 3


class Asked(PlainMLP):
    """A perceptron that notes how many threads its training had."""

    seen: list[int] = []  # noqa: RUF012

    def fit(self, *arguments):
        self.seen.append(torch.get_num_threads())
        return super().fit(*arguments)


def test_the_trainers_number_is_that_of_the_run_and_stands_in_its_record():
    torch.set_num_threads(2)
    Asked.seen.clear()
    data, evaluation = Mixture(events=600), Evaluation(plots=False)
    train(data, Asked(hidden=(4,)), Trainer(epochs=1, threads=3), evaluation, folder="run")
    train(data, Asked(hidden=(4,)), Trainer(epochs=1, threads=1), evaluation)
    assert Asked.seen == [3, 1]
    assert torch.get_num_threads() == 2
    assert json.loads(Path("run/environment.json").read_text())["threads"] == 3


@pytest.mark.parametrize("number", [1, 2])
def test_boosted_trees_of_scikit_learn_keep_to_the_number(monkeypatch, number):
    from sklearn.ensemble._hist_gradient_boosting import gradient_boosting
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    seen = set()

    class Noted(gradient_boosting.TreeGrower):
        def __init__(self, *arguments, **settings):
            seen.add(_openmp_effective_n_threads(settings["n_threads"]))
            super().__init__(*arguments, **settings)

    monkeypatch.setattr(gradient_boosting, "TreeGrower", Noted)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # scikit-learn then asks OpenMP, and not how many cores there are
    train(Mixture(events=600), BDT(iterations=2), Trainer(threads=number), Evaluation(plots=False))
    assert seen == {number}


@pytest.mark.parametrize("model", [PlainMLP(hidden=(16,)), BDT(iterations=10), Logistic(solver="newton")])
def test_scores_do_not_depend_on_the_number_but_for_rounding(model):
    evaluation = Evaluation(plots=False)
    scores = [
        train(Mixture(events=4000), model, Trainer(epochs=2, threads=threads), evaluation).scored.scores
        for threads in (1, 2)
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4, atol=1e-5)

from __future__ import annotations

import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hepclf.models.mlp import MLP
from hepclf.training.descent import Descent
from hepclf.training.rate_test import LOWEST, NOISY, STEPS, RateTest, rate_test
from hepclf.training.table import TensorTable
from hepclf.training.trainer import Trainer


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1.0, 0.1), (3.0, 1.0)])
def test_the_loss_of_a_linear_model_explodes_beyond_its_largest_stable_rate(scales):
    # Squared loss, plain descent: steps are stable up to 2 / (largest eigenvalue of the second derivatives).
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4096, 2)) * scales
    y, weights = x.sum(1) + 0.3 * rng.normal(size=len(x)), np.zeros(2)
    stable = 2 / np.linalg.eigvalsh(2 * x.T @ x / len(x)).max()

    def step(rate):
        rows = rng.integers(0, len(x), 64)
        residuals = x[rows] @ weights - y[rows]
        weights[:] -= rate * 2 * x[rows].T @ residuals / len(rows)
        return float((residuals**2).mean())

    test = rate_test(step, 1.0)
    assert 1.0 < test.exploded / stable < 2.5  # measured 1.28 to 1.95 over ten seeds and three scales
    assert 0.01 < test.suggestion / stable < 0.3  # measured 0.02 to 0.16


def test_rates_grow_by_a_constant_factor_and_the_lowest_loss_decides():
    test = rate_test(lambda rate: (math.log10(rate) + 2) ** 2 + 20, 0.1)  # lowest at 0.01
    assert (len(test.rates), test.rates[0], test.exploded) == (STEPS, LOWEST, None)
    assert test.rates[-1] == pytest.approx(10)
    assert np.diff(np.log(test.rates)) == pytest.approx(math.log(1e7) / (STEPS - 1))
    assert 0.001 < test.suggestion < 0.002  # smoothing delays the minimum by nine steps, a factor of 1.6
    assert test.sentence == (
        f"trainer.find_rate suggests trainer.learning_rate={test.suggestion:.2g}: the loss does not explode up to 10; "
        "this training uses 0.1"
    )


def test_a_first_batch_of_low_loss_neither_ends_the_test_nor_decides():
    losses = iter([0.01, *[0.7] * (STEPS - 1)])
    test = rate_test(lambda _: next(losses), 0.1)
    assert test.exploded is None
    assert test.suggestion >= LOWEST * 1.05**NOISY / 10


def test_a_loss_that_is_no_number_ends_the_test_and_is_left_out():
    losses = iter([*[0.7] * 50, math.inf])
    test = rate_test(lambda _: next(losses), 0.1)
    assert len(test.rates) == len(test.smoothed) == 50
    assert test.exploded > test.rates[-1]
    assert "the loss explodes at " in test.sentence
    with pytest.raises(ValueError, match="the loss of the first batch must be finite, not nan"):
        rate_test(lambda _: math.nan, 0.1)


def table(events=600):
    rng = np.random.default_rng(0)
    targets = np.arange(events) % 2
    inputs = torch.tensor(rng.normal(size=(events, 2)) + targets[:, None], dtype=torch.float32)
    return TensorTable(inputs, torch.tensor(targets, dtype=torch.float32), torch.ones(events), ("a", "b"))


def test_the_losses_are_those_of_plain_descent_at_these_rates():
    torch.manual_seed(0)
    linear, events = nn.Linear(2, 1), table()
    copy = nn.Linear(2, 1)
    copy.load_state_dict(linear.state_dict())
    trainer = Trainer(batch=600, optimiser="sgd", momentum=0.0, learning_rate=0.25)
    test = Descent(nn.Sequential(linear, nn.Flatten(0)), events, events, trainer).rate_test()
    for rate, loss in list(zip(test.rates, test.losses, strict=True))[:200]:
        expected = nn.functional.binary_cross_entropy_with_logits(copy(events.inputs)[:, 0], events.targets)
        assert loss == pytest.approx(expected.item(), rel=1e-4)
        gradients = torch.autograd.grad(expected, copy.parameters())
        for parameter, gradient in zip(copy.parameters(), gradients, strict=True):
            parameter.data -= rate * gradient
    assert test.used == 0.25


def test_the_training_is_the_same_as_without_the_test(gaussians, caplog):
    caplog.set_level(logging.INFO, "hepclf.notes")
    model, trainer = MLP(hidden=(8,), members=2, dropout=0.2), Trainer(epochs=2, batch=64, schedule="one_cycle")
    events = gaussians(events=256)
    plain = model.fit(events, events, trainer)
    tested = model.fit(events, events, replace(trainer, find_rate=True))
    assert [epoch[:4] for epoch in plain] == [epoch[:4] for epoch in tested]
    assert np.array_equal(plain.tagger().scores(events), tested.tagger().scores(events))
    assert plain.rate_test is None
    assert isinstance(tested.rate_test, RateTest)
    assert caplog.messages == [tested.rate_test.sentence]

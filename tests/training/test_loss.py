from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss, log_loss

from hepclf.training.loss import Loss, losses

LOGITS = torch.tensor([-2.0, 0.0, 0.3, 4.0], dtype=torch.float64)
TARGETS = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64)


def test_two_classes_agree_with_scikit_learn():
    probabilities = torch.sigmoid(LOGITS).numpy()
    entropy = losses(LOGITS, TARGETS, "cross_entropy").mean().item()
    squared = losses(LOGITS, TARGETS, "squared_error").mean().item()
    assert entropy == pytest.approx(log_loss(TARGETS.numpy(), probabilities), rel=1e-12)
    assert squared == pytest.approx(brier_score_loss(TARGETS.numpy(), probabilities), rel=1e-12)


def test_several_classes_agree_with_scikit_learn():
    logits = torch.tensor(np.random.default_rng(0).normal(size=(9, 3)))
    targets = torch.arange(9) % 3
    probabilities = torch.softmax(logits, 1).numpy()
    entropy = losses(logits, targets, "cross_entropy").mean().item()
    assert entropy == pytest.approx(log_loss(targets.numpy(), probabilities), rel=1e-12)
    truth = np.eye(3)[targets.numpy()]
    squared = losses(logits, targets, "squared_error").numpy()
    assert squared == pytest.approx(((probabilities - truth) ** 2).sum(1), rel=1e-12)


def test_an_event_is_lost_in_isolation():
    for kind in get_args(Loss):
        assert losses(LOGITS[:1], TARGETS[:1], kind) == losses(LOGITS, TARGETS, kind)[:1]


@pytest.mark.parametrize("kind", get_args(Loss))
def test_the_loss_of_an_event_is_the_mean_over_members(kind):
    generator = torch.Generator().manual_seed(0)
    for targets, shape in ((torch.tensor([0.0, 1, 1]), (2, 3)), (torch.tensor([0, 2, 1]), (2, 3, 3))):
        members = torch.randn(shape, generator=generator)
        apart = torch.stack([losses(member, targets, kind) for member in members])
        assert torch.allclose(losses(members, targets, kind), apart.mean(0))


def test_the_second_power_is_the_squared_error_and_the_absolute_loss_the_distance():
    squared = losses(LOGITS, TARGETS, "squared_error")
    assert torch.allclose(losses(LOGITS, TARGETS, "power", 2.0), squared)
    assert torch.allclose(losses(LOGITS, TARGETS, "absolute") ** 2, squared)
    three, classes = torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([2])
    p = torch.softmax(three, 1)[0]
    assert losses(three, classes, "power", 3.0).item() == pytest.approx(float(p[0] ** 3 + p[1] ** 3 + (1 - p[2]) ** 3))


@pytest.mark.parametrize("power", [2.0, 4.0])
def test_the_best_score_of_a_power_is_a_known_function_of_the_odds(power):
    odds = 3.0  # signal events to background events with the same features
    logit = torch.tensor(np.log(odds) / (power - 1), requires_grad=True)
    pair = losses(logit.repeat(2), torch.tensor([1.0, 0.0], dtype=torch.float64), "power", power)
    (odds * pair[0] + pair[1]).backward()
    assert logit.grad.item() == pytest.approx(0, abs=1e-12)

"""Losses of trainings that went wrong, against the loss of a constant score that is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hepclf.scored import Scored
from hepclf.training.decorrelate import Decorrelate
from hepclf.training.epoch import Epoch
from hepclf.training.trainer import Trainer
from hepclf.workflow.convergence import constant_loss, convergence

N = 4000
LABELS = np.arange(N) % 2


def valid(strength=1.0):
    logits = strength * np.random.default_rng(0).normal(size=N) + strength * (LABELS - 0.5)
    return Scored(labels=LABELS, scores=1 / (1 + np.exp(-logits)))


def told(losses, kept=None, scores=None, trainer=None):
    history = [Epoch(number + 1, *pair, 0.01, 1.0) for number, pair in enumerate(losses)]
    return list(convergence(scores or valid(), np.ones(N), history, kept or len(losses), trainer or Trainer()))


def test_the_loss_of_a_constant_score_is_the_entropy_of_the_classes():
    assert constant_loss(LABELS, np.ones(N), 2) == pytest.approx(math.log(2))
    weights = np.where(LABELS == 1, 1.0, 3.0)
    assert constant_loss(LABELS, weights, 2) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert constant_loss(np.arange(6) % 3, np.ones(6), 3) == pytest.approx(math.log(3))
    assert constant_loss(LABELS, -weights, 2) is None
    assert constant_loss(LABELS, weights, 3) is None


def test_a_training_that_converged_has_no_warning():
    assert told([(0.72, 0.65), (0.62, 0.61), (0.60, 0.60)]) == []
    assert told([(0.60, 0.60), (0.59, 0.601)], kept=1) == []


@pytest.mark.parametrize(
    ("losses", "kept", "reason"),
    [
        ([(9.9, 2.1), (9.55, 1.9)], 2, "its best validation loss, 1.9 in epoch 2, is above 0.6931"),
        ([(20.0, 9.0), (9.55, 0.62)], 2, "the training loss of the epoch that was kept, 9.55, is above 0.6931"),
        ([(0.60, 0.60), (0.80, 0.66)], 1, "the training loss grew from 0.6 in epoch 1 to 0.8 in epoch 2"),
    ],
)
def test_a_training_that_did_not_converge_is_told_with_the_way_out(losses, kept, reason):
    (found,) = told(losses, kept)
    assert found.kind == "not_converged"
    assert reason in found.text
    assert "lower trainer.learning_rate" in found.text
    assert told(losses, kept, trainer=Trainer(decorrelate=Decorrelate(spectator="m"))) == []  # no mere log-losses
    assert told(losses, kept, trainer=Trainer(loss="squared_error")) == []


def test_a_first_epoch_that_stays_the_best_is_told():
    (found,) = told([(0.60, 0.60), (0.55, 0.62), (0.50, 0.66)], kept=1)
    assert found.kind == "first_epoch"
    assert "rose from 0.6 to 0.66 in epoch 3" in found.text
    assert told([(0.60, 0.600), (0.59, 0.601), (0.59, 0.605)], kept=1) == []


def falling(*losses):
    return [(loss, loss) for loss in losses]


def test_a_loss_that_still_falls_in_the_end_is_told():
    (found,) = told(falling(0.68, 0.67, 0.66, 0.65, 0.64, 0.63), kept=6)
    assert found.kind == "still_falling"
    assert "48% of its fall from 0.6931 to 0.63" in found.text
    for finished in (
        falling(0.68, 0.67, 0.66, 0.65, 0.64),  # too few to see a trend
        falling(0.68, 0.67, 0.64, 0.65, 0.64, 0.63),  # not falling all the time
        falling(0.60, 0.45, 0.32, 0.31, 0.305, 0.30),  # little is left
    ):
        assert told(finished, kept=len(finished)) == []
    assert told(falling(0.68, 0.67, 0.66, 0.65, 0.64, 0.63), kept=5) == []


@pytest.mark.parametrize(("loss", "meaning"), [("power", "power - 1 = 3"), ("absolute", "tend to 0 and 1")])
def test_losses_whose_scores_are_no_probabilities_are_told(loss, meaning):
    (found,) = told([(0.1, 0.1), (0.1, 0.1)], trainer=Trainer(loss=loss))
    assert found.kind == "no_probabilities"
    assert meaning in found.text
    assert told([(0.1, 0.1), (0.1, 0.1)], trainer=Trainer(loss=loss, calibrate="temperature")) == []


def test_scores_of_a_model_without_epochs_may_be_no_probabilities():
    sure = valid(strength=9.0)
    (found,) = told([(0.1, 0.1)], scores=sure)
    assert found.kind == "no_probabilities"
    assert "trainer.calibrate=isotonic" in found.text
    (found,) = told([(0.72, 0.65), (0.62, 0.61)], scores=sure)
    assert found.kind == "not_converged"
    assert told([(0.1, 0.1)]) == []

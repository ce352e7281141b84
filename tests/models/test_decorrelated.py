"""A mass that a feature follows: what planing and DisCo make of it, end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hepclf.data.memory import Memory
from hepclf.data.split import Split
from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.events import Events
from hepclf.models.fisher import Fisher
from hepclf.models.logistic import Logistic
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.decorrelate import Decorrelate
from hepclf.training.trainer import Trainer
from hepclf.workflow.train import train

EVALUATION = Evaluation(sculpting=Sculpting(spectators=("mass",), bins=10), working_points=(0.5,))
DISCO = Decorrelate(spectator="mass", strength=10.0)


@pytest.fixture(scope="module")
def events():
    """A falling background and a peak; one feature apart from the mass, one that follows it."""
    rng = np.random.default_rng(8)
    labels = np.arange(20_000) % 2
    mass = np.where(labels == 1, rng.normal(125, 10, 20_000), 60 + rng.exponential(50, 20_000))
    apart, follows = rng.normal(1.2 * labels, 1), (mass - 125) / 50 + rng.normal(0, 0.4, 20_000)
    return Events(features=np.c_[apart, follows], names=("apart", "follows"), labels=labels, spectators={"mass": mass})


@pytest.fixture(scope="module")
def judged(events):
    """A function training with these settings: the AUC, and the divergence at half of the signal."""
    loader = Memory(events=events, split=Split(test=0.5, valid=0.1))

    def judge(model=None, **settings):
        trainer = Trainer(epochs=8, batch=256, device="cpu", **settings)
        found = train(loader, model or PlainMLP(hidden=(32,)), trainer, EVALUATION).results
        return found.test.auc.value, found.studies["sculpting"].spectators["mass"].middle.divergence.bits

    return judge


@pytest.fixture(scope="module")
def plain(judged):
    return judged()


def test_disco_lowers_the_divergence_at_a_small_loss_of_area(judged, plain):
    area, bits = judged(decorrelate=DISCO)
    # Measured over four seeds: JSD 0.12-0.13 plain and 0.004-0.030 with DisCo, AUC 0.889 and 0.827-0.835.
    assert bits.value < plain[1].value / 3
    assert area > plain[0] - 0.08


def test_planing_lowers_the_divergence(judged, plain):
    area, bits = judged(planing="mass")
    # Measured over three seeds: JSD 0.046-0.063, AUC 0.869-0.872.
    assert bits.value < plain[1].value / 1.5
    assert area > plain[0] - 0.04


def test_members_are_decorrelated_together(judged):
    model = MLP(members=2, hidden=(16,), embedding=2, frequencies=4)
    free, bound = (judged(model, **settings)[1] for settings in ({}, {"decorrelate": DISCO}))
    # Measured over four seeds: 0.14-0.15 and 0.011-0.027.
    assert bound.value < free.value / 3


def test_models_that_descend_no_loss_refuse_disco_and_take_planing(events, judged):
    trainer = Trainer(decorrelate=DISCO)
    with pytest.raises(ValueError, match=r"^model=fisher descends no loss that trainer.decorrelate could be added to"):
        Fisher().fit(events, events, trainer)
    with pytest.raises(ValueError, match=r"^solver=newton solves for the likelihood alone"):
        Logistic(solver="newton").fit(events, events, trainer)
    assert judged(Fisher(), planing="mass")[0] > 0.7


def test_the_unit_of_the_weights_is_no_matter(events):
    small, told = events.take(np.arange(2000)), {}
    for unit in (1.0, 0.01):
        part = replace(small, weights=np.full(2000, unit))
        trainer = Trainer(
            epochs=3, balance="none", device="cpu", decorrelate=Decorrelate(spectator="mass", strength=10.0)
        )
        told[unit] = [epoch.train_loss for epoch in PlainMLP(hidden=(8,)).fit(part, part, trainer)]
    assert told[0.01] == pytest.approx(told[1.0], rel=0.02)


def test_the_losses_that_are_told_hold_the_term(events):
    small = events.take(np.arange(2000))
    history = {}
    for strength in (1e-6, 10.0):
        trainer = Trainer(
            epochs=4, learning_rate=1e-9, device="cpu", decorrelate=Decorrelate(spectator="mass", strength=strength)
        )
        history[strength] = list(PlainMLP(hidden=(8,)).fit(small, small, trainer))
    # Hardly moved, both have the same score, so their losses differ by what the term adds: nothing in the first pass.
    free, bound = history.values()
    added = [(b.train_loss - f.train_loss, b.valid_loss - f.valid_loss) for f, b in zip(free, bound, strict=True)]
    assert added[0][0] == pytest.approx(0, abs=1e-5)
    assert added[1][0] == pytest.approx(added[3][0] / 3, rel=0.05)
    # Batches of 256 have a larger dCorr^2 than all events, by about 1/n.
    assert added[3][1] == pytest.approx(added[3][0], rel=0.2)
    assert added[3][1] > 0.1

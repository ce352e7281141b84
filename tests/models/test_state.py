"""A training that stopped after any epoch goes on as if it had not, for every model that can be stored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hepclf.models.adaboost import AdaBoost
from hepclf.models.bdt import BDT
from hepclf.models.fisher import Fisher
from hepclf.models.forest import Forest
from hepclf.models.logistic import Logistic
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.decorrelate import Decorrelate
from hepclf.training.trainer import Trainer

NETWORKS = {
    "logistic": Logistic(solver="gradient"),
    "newton": Logistic(solver="newton"),
    "plain": PlainMLP(hidden=(8,), dropout=0.2, norm="batch"),
    "strong": MLP(hidden=(8, 8), members=3, frequencies=4),
    "single": MLP(hidden=(8,), members=1, frequencies=4, average=False),
}
TRAINER = Trainer(epochs=4, batch=64, learning_rate=0.01)


def weights(tagger):
    return {name: tensor.numpy().tobytes() for name, tensor in tagger.module.state_dict().items()}


def resumed(model, train, valid, trainer):
    """The tagger and the history of a training in which each epoch is made by a fit that restored the one before."""
    fit, history = model.fit(train, valid, trainer), []
    while True:
        epoch = next(iter(fit), None)
        if epoch is None:
            return fit.tagger(), history
        history.append(epoch[:4])
        following = model.fit(train, valid, trainer)
        following.restore(fit.state())
        fit = following


@pytest.mark.parametrize(
    ("name", "classes"), [(name, k) for name in NETWORKS for k in (2, 3) if (name, k) != ("newton", 3)]
)
def test_a_network_that_is_restored_after_each_epoch_has_the_same_weights(name, classes, gaussians):
    train, valid = gaussians(300, classes=classes), gaussians(200, classes=classes, seed=1)
    fit = NETWORKS[name].fit(train, valid, TRAINER)
    undisturbed = [epoch[:4] for epoch in fit]
    tagger, history = resumed(NETWORKS[name], train, valid, TRAINER)
    assert history == undisturbed
    assert weights(tagger) == weights(fit.tagger())
    assert tagger.summary == fit.tagger().summary


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_decorrelated_network_goes_on_as_well(keep, gaussians):
    rng = np.random.default_rng(0)
    parts = [gaussians(n, seed=seed, spectators={"mass": rng.normal(size=n)}) for n, seed in ((300, 0), (200, 1))]
    trainer = Trainer(epochs=6, batch=64, decorrelate=Decorrelate(spectator="mass"), keep=keep)
    fit = NETWORKS["plain"].fit(*parts, trainer)
    undisturbed = [epoch[:4] for epoch in fit]
    tagger, history = resumed(NETWORKS["plain"], *parts, trainer)
    assert history == undisturbed
    assert weights(tagger) == weights(fit.tagger())


def test_a_state_is_made_of_tensors_and_plain_values_alone(gaussians):
    fit = NETWORKS["strong"].fit(gaussians(300), gaussians(200, seed=1), TRAINER)
    next(iter(fit))

    def leaves(value):
        return [leaf for inner in value.values() for leaf in leaves(inner)] if isinstance(value, dict) else [value]

    assert {type(leaf) for leaf in leaves(fit.state())} <= {torch.Tensor, int, float}


@pytest.mark.parametrize("model", [BDT(iterations=3), AdaBoost(iterations=3), Forest(trees=3), Fisher()])
def test_a_library_that_cannot_go_on_says_so(model, gaussians):
    fit = model.fit(gaussians(300), gaussians(200, seed=1), Trainer())
    next(iter(fit))
    assert fit.state() is None
    with pytest.raises(ValueError, match="cannot go on from a stored state; begin the training again"):
        fit.restore({})

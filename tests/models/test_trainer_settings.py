"""The trainer settings that each model says it uses are those that its fit reads."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar

import numpy as np
import pytest
import yaml

from hepclf import Logistic, PlainMLP, Trainer
from hepclf.cli import configs
from hepclf.models.model import trainer_settings
from hepclf.recipe import build
from hepclf.training.decorrelate import Decorrelate

SETTINGS = frozenset(setting.name for setting in fields(Trainer))
SMALL = {
    "mlp": {"hidden": (4,), "members": 2},
    "mlp_plain": {"hidden": (4,)},
    "cnn": {"channels": (4,), "pooling": 1},
    "adaboost": {"iterations": 3},
    "bdt": {"iterations": 3},
    "xgboost": {"iterations": 3},
    "lightgbm": {"iterations": 3},
    "forest": {"trees": 4},
}
# Read only to be refused, as a model cannot do what they ask for.
NETWORKS = ("mlp", "mlp_plain", "cnn", "polynomial", "logistic")
REFUSED = {"newton": {"decorrelate", "loss"}} | {name: set() for name in NETWORKS}
CHANGED = {"decorrelate": Decorrelate(spectator="mass", strength=1.0), "loss": "squared_error"}


class Watched(Trainer):
    """A trainer that notes which of its settings are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name):
        if name in SETTINGS:
            Watched.read.add(name)
        return super().__getattribute__(name)


def models():
    for path in sorted((configs.folder() / "model").glob("*.yaml")):
        values = yaml.safe_load(path.read_text()) | SMALL.get(path.stem, {})
        yield path.stem, values
    yield "newton", yaml.safe_load((configs.folder() / "model/logistic.yaml").read_text()) | {"solver": "newton"}


def recipe(values):
    module, _, name = values["_target_"].rpartition(".")
    return build(getattr(__import__(module, fromlist=[name]), name), values, "model")


def fitted(model, events, trainer):
    fit = model.fit(events, events, trainer)
    assert fit.epochs > 0
    assert fit.patience is None or fit.patience > 0
    list(fit)
    fit.tagger()


@pytest.mark.parametrize(("name", "values"), [*models()], ids=[name for name, _ in models()])
def test_a_model_declares_exactly_the_settings_that_its_fit_reads(gaussians, name, values):
    if name in ("xgboost", "lightgbm"):
        pytest.importorskip(name)
    model, events = recipe(values), gaussians(events=400)
    trainer = Watched(epochs=1)
    Watched.read.clear()  # its own checks have read all
    fitted(model, events, trainer)
    refused = REFUSED.get(name, {"decorrelate"})
    assert Watched.read - refused == trainer_settings(model)
    for setting in refused:
        assert setting not in trainer_settings(model)
        with pytest.raises(ValueError, match=setting):
            fitted(model, events, Trainer(epochs=1, **{setting: CHANGED[setting]}))


def test_the_initial_weights_of_a_fit_do_not_change_the_exact_solution(gaussians):
    events = gaussians(events=400)
    model = Logistic(solver="newton")
    first, second = (model.fit(events, events, Trainer(seed=seed)) for seed in (0, 1))
    assert [epoch[:3] for epoch in first] == [epoch[:3] for epoch in second]
    assert np.array_equal(first.tagger().scores(events), second.tagger().scores(events))


@pytest.mark.parametrize(("optimiser", "used"), [("adamw", False), ("adam", False), ("rmsprop", True), ("sgd", True)])
def test_momentum_is_used_by_the_optimisers_that_say_so(gaussians, optimiser, used):
    events = gaussians(events=400)
    losses = [
        next(iter(PlainMLP(hidden=(4,)).fit(events, events, Trainer(optimiser=optimiser, momentum=momentum))))[1:3]
        for momentum in (0.3, 0.9)
    ]
    assert (losses[0] != losses[1]) == used

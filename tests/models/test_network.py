from __future__ import annotations

from dataclasses import dataclass
from threading import Thread

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from hepclf.models.logistic import Logistic
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.network import Network, NetworkTagger
from hepclf.models.preprocess import Prepare, Preprocess
from hepclf.training.memory import DeviceMemoryError
from hepclf.training.trainer import Trainer

SHORT = Trainer(epochs=2, batch=256)


def fitted(train, model=None, trainer=SHORT, valid=None):
    fit = (model or PlainMLP(hidden=(8,))).fit(train, valid or train, trainer)
    history = list(fit)
    return fit.tagger(), history


def weights_of(folder):
    return next(folder.glob("weights-*.safetensors"))


@pytest.mark.parametrize("model", [PlainMLP(hidden=(16,)), Logistic()])
def test_a_network_finds_two_gaussians_apart(gaussians, model):
    train, test = gaussians(20_000, seed=1), gaussians(20_000, seed=2)
    tagger, _ = fitted(train, model, Trainer(epochs=10, batch=256, learning_rate=0.01))
    scores = tagger.scores(test)
    ranks = np.argsort(np.argsort(scores))
    signal = test.labels == 1
    auc = (ranks[signal].mean() - (signal.sum() - 1) / 2) / (~signal).sum()
    assert auc == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_probabilities(gaussians, classes):
    events = gaussians(600, classes=classes)
    tagger, _ = fitted(events)
    scores = tagger.scores(events)
    assert scores.dtype == np.float64
    assert scores.shape == ((600,) if classes == 2 else (600, 3))
    assert ((scores > 0) & (scores < 1)).all()
    if classes == 3:
        assert scores.sum(1) == pytest.approx(np.ones(600))
    assert tagger.scores(events.take(np.array([], dtype=int))).shape[0] == 0


def test_the_tagger_is_that_of_the_best_epoch_or_of_the_last(gaussians):
    train, valid = gaussians(200, seed=1), gaussians(2000, seed=2)
    wild = {"epochs": 20, "batch": 50, "learning_rate": 0.05, "patience": None, "schedule": "constant"}
    best, history = fitted(train, PlainMLP(hidden=(64,)), Trainer(**wild), valid)
    losses = [epoch.valid_loss for epoch in history]
    assert best.summary["kept_epoch"] == int(np.argmin(losses)) + 1 < 20
    scores = best.scores(valid)
    loss = -np.where(valid.labels == 1, np.log(scores), np.log1p(-scores)).mean()
    assert loss == pytest.approx(min(losses), rel=1e-5)
    last, _ = fitted(train, PlainMLP(hidden=(64,)), Trainer(**wild, keep="last"), valid)
    assert last.summary["kept_epoch"] == 20


def test_features_are_found_by_name_whatever_their_order(gaussians):
    events = gaussians(500)
    tagger, _ = fitted(events)
    shuffled = type(events)(features=events.features[:, [2, 0, 1]], labels=events.labels, names=("x2", "x0", "x1"))
    assert (tagger.scores(shuffled) == tagger.scores(events)).all()
    without = type(events)(features=events.features[:, :2], labels=events.labels, names=("x0", "x1"))
    with pytest.raises(ValueError, match="feature 'x2' is not among"):
        tagger.scores(without)


def test_missing_values_are_scored_and_new_ones_are_told(gaussians, caplog):
    events = gaussians(500)
    tagger, _ = fitted(events)
    features = events.features.copy()
    features[:3, 1] = np.nan
    holed = type(events)(features=features, labels=events.labels, names=events.names)
    assert np.isfinite(tagger.scores(holed)).all()
    assert "feature 'x1' is missing in 3 events but never was in training" in caplog.text


def test_saving_and_loading_changes_no_score(gaussians, tmp_path):
    events = gaussians(500, classes=3)
    tagger, _ = fitted(events, PlainMLP(hidden=(8, 4), norm="batch", activation="maxout"))
    tagger.save(tmp_path / "tagger")
    again = NetworkTagger.load(tmp_path / "tagger")
    assert (again.scores(events) == tagger.scores(events)).all()
    assert (again.inputs, again.classes, again.recipe) == (tagger.inputs, tagger.classes, tagger.recipe)
    assert {path.name for path in (tmp_path / "tagger").iterdir()} == {
        "tagger.json",
        weights_of(tmp_path / "tagger").name,
    }


def test_scoring_is_the_same_from_several_threads(gaussians):
    events = gaussians(3000)
    tagger, _ = fitted(events)
    expected, found = tagger.scores(events), []
    threads = [Thread(target=lambda: found.append(tagger.scores(events))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((scores == expected).all() for scores in found)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_device_short_of_memory_scores_fewer_events_at_a_time(gaussians, classes, caplog):
    events = gaussians(20_000, classes=classes)
    tagger, _ = fitted(gaussians(600, classes=classes))
    expected, sizes = tagger.scores(events), []

    def fill(_, arguments):
        sizes.append(len(arguments[0]))
        if sizes[-1] > 5000:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    tagger.module.register_forward_pre_hook(fill)
    np.testing.assert_allclose(tagger.scores(events), expected, rtol=1e-6)
    assert sizes == [16384, 8192, *[4096] * 4, 20_000 - 16384]
    np.testing.assert_allclose(tagger.scores(events.take(np.arange(9000))), expected[:9000], rtol=1e-6)
    assert sizes[7:] == [4096, 4096, 9000 - 8192]
    assert caplog.messages == ["cpu is short of memory: events are scored 4096 at a time, not 16384"]


def test_a_table_that_does_not_fit_the_device_is_an_error_of_one_line(gaussians, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Prepare, "all", full)
    line = (
        "a table of 1,500 events with 3 inputs, beside the network, needs more memory than this machine grants; use few"
    )
    with pytest.raises(DeviceMemoryError, match=f"^{line}er events or features or a machine with more memory$"):
        PlainMLP().fit(gaussians(1000), gaussians(500), SHORT)


@dataclass(frozen=True, kw_only=True)
class Mine(Network):
    """A model from outside hepclf."""

    def network(self, inputs, outputs):
        return nn.Linear(inputs, outputs)


def test_a_model_of_ones_own_is_loaded_only_where_its_class_is_given(gaussians, tmp_path):
    events = gaussians(500)
    tagger, _ = fitted(events, Mine())
    tagger.save(tmp_path)
    with pytest.raises(ValueError, match=r"is not part of hepclf"):
        NetworkTagger.load(tmp_path)
    assert (NetworkTagger.load(tmp_path, recipes=(Mine,)).scores(events) == tagger.scores(events)).all()


def test_an_array_is_told_how_to_become_events(gaussians):
    events = gaussians(500)
    tagger, _ = fitted(events)
    with pytest.raises(TypeError, match=r"hepclf\.Events\(features=array, names=tagger\.inputs\)"):
        tagger.scores(events.features)
    bare = type(events)(features=events.features, names=tagger.inputs)
    assert (tagger.scores(bare) == tagger.scores(events)).all()


def test_there_is_no_tagger_before_the_first_epoch(gaussians):
    with pytest.raises(ValueError, match="no tagger before the first epoch"):
        PlainMLP().fit(gaussians(100), gaussians(100), SHORT).tagger()


def test_an_infinite_feature_has_no_score(gaussians):
    events = gaussians(500)
    tagger, _ = fitted(events)
    features = events.features.copy()
    features[:3, 1] = np.inf
    with pytest.raises(ValueError, match="feature 'x1' is infinite in 3 events"):
        tagger.scores(type(events)(features=features, labels=events.labels, names=events.names))


def test_a_feature_beyond_float32_after_scaling_has_no_score(gaussians):
    events = gaussians(500)
    small = type(events)(features=events.features * 1e-6, labels=events.labels, names=events.names)
    tagger, _ = fitted(small)
    features = small.features.copy()
    features[:2, 0] = 3e38
    with pytest.raises(ValueError, match="the tagger's output is not finite in 2 events"):
        tagger.scores(type(events)(features=features, labels=events.labels, names=events.names))


def test_fitting_and_loading_leave_the_random_state_alone(gaussians, tmp_path):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    events = gaussians(300)
    for number, model in enumerate((PlainMLP(hidden=(4,)), Logistic(solver="newton"), Mine())):
        fitted(events, model)[0].save(tmp_path / str(number))
        NetworkTagger.load(tmp_path / str(number), recipes=(Mine,))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_dropped_feature_is_not_asked_for_again(gaussians):
    events = gaussians(300)
    features = events.features.copy()
    features[:, 1] = 2
    flat = type(events)(features=features, labels=events.labels, names=events.names)
    tagger, _ = fitted(flat, PlainMLP(hidden=(4,), preprocess=Preprocess(constant="drop")))
    assert tagger.inputs == ("x0", "x2")
    fewer = type(events)(features=features[:, [2, 0]], labels=events.labels, names=("x2", "x0"))
    assert (tagger.scores(fewer) == tagger.scores(flat)).all()


def test_batch_normalisation_of_single_events_is_refused(gaussians):
    with pytest.raises(ValueError, match=r"not 1"):
        PlainMLP(norm="batch").fit(gaussians(100), gaussians(100), Trainer(batch=1))


def test_a_fit_says_how_long_it_may_take(gaussians):
    fit = PlainMLP().fit(gaussians(100), gaussians(100), Trainer(epochs=7, patience=3))
    assert (fit.epochs, fit.patience) == (7, 3)

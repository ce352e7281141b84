from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from torch import nn

from hepclf.models import mlp
from hepclf.models.mlp import MLP, Embedding, Shared
from hepclf.models.network import NetworkTagger
from hepclf.training.loss import losses
from hepclf.training.trainer import Trainer

SMALL = MLP(hidden=(16, 16), members=3)
SHORT = Trainer(epochs=3, batch=256)
LONGER = Trainer(epochs=10, batch=100)


def fitted(train, valid=None, model=SMALL, trainer=SHORT):
    fit = model.fit(train, valid or train, trainer)
    return list(fit), fit.tagger()


def networks(seed=0, inputs=4, outputs=1, **settings):
    torch.manual_seed(seed)
    return MLP(hidden=(8, 8), **settings).network(inputs, outputs)


def test_training_comes_close_to_the_best_possible_loss(gaussians):
    train, valid = gaussians(10_000, seed=1), gaussians(10_000, seed=2)
    history, tagger = fitted(train, valid, trainer=Trainer(epochs=5, batch=500))
    exact = 1.5 * torch.tensor(valid.features[:, 0].copy()) - 1.5**2 / 2
    best = losses(exact, torch.tensor(valid.labels).float(), "cross_entropy").mean().item()
    assert min(epoch.valid_loss for epoch in history) / best < 1.01  # measured 0.9994 to 1.0042 over eight seeds
    auc = roc_auc_score(valid.labels, tagger.scores(valid))
    assert auc == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.01)


def test_a_mass_peak_among_heavy_tails_is_found(gaussians):
    rng = np.random.default_rng(0)

    def resonance(events):
        base = gaussians(events, features=8, separation=0)
        features = rng.standard_cauchy(size=(events, 8))
        features[:, 0] = np.where(base.labels == 1, rng.normal(0.9, 0.05, events), rng.exponential(1, events))
        return type(base)(features=features, labels=base.labels, names=base.names)

    train, valid = resonance(4000), resonance(4000)
    scores = fitted(train, valid, trainer=Trainer(epochs=8, batch=250))[1].scores(valid)
    mass = valid.features[:, 0]
    best = roc_auc_score(valid.labels, norm.logpdf(mass, 0.9, 0.05) + mass)
    assert best - roc_auc_score(valid.labels, scores) < 0.01  # measured -0.0006 to 0.0017 over eight seeds


@pytest.mark.parametrize("classes", [2, 3])
def test_saving_and_loading_changes_no_score(gaussians, tmp_path, classes):
    events = gaussians(600, classes=classes)
    _, tagger = fitted(events)
    tagger.save(tmp_path)
    again = NetworkTagger.load(tmp_path)
    assert again.recipe == SMALL
    scores = tagger.scores(events)
    assert (again.scores(events) == scores).all()
    assert scores.shape == ((600,) if classes == 2 else (600, 3))
    if classes == 3:
        assert scores.sum(1) == pytest.approx(np.ones(600))


def test_three_classes_are_told_apart(gaussians):
    train, valid = gaussians(2000, classes=3, separation=3, seed=1), gaussians(2000, classes=3, separation=3, seed=2)
    scores = fitted(train, valid, trainer=LONGER)[1].scores(valid)
    # Gaussians 3 apart: the outer ones are right in Phi(1.5) of their events, the middle one in 2 Phi(1.5) - 1.
    best = (2 * norm.cdf(1.5) + 2 * norm.cdf(1.5) - 1) / 3
    assert (scores.argmax(1) == valid.labels).mean() == pytest.approx(best, abs=0.02)


def test_the_same_seed_gives_the_same_scores(gaussians):
    events = gaussians(600)
    first, second, other = (
        fitted(events, trainer=Trainer(epochs=2, seed=seed))[1].scores(events) for seed in (3, 3, 4)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_weights_move_the_boundary(gaussians):
    events = gaussians(2000, separation=0)
    heavy = np.where((events.labels == 1) == (events.features[:, 1] > 0), 10.0, 1.0)
    weighted = type(events)(features=events.features, labels=events.labels, weights=heavy, names=events.names)
    above = fitted(weighted, trainer=LONGER)[1].scores(events)[events.features[:, 1] > 0.3]
    assert above.mean() == pytest.approx(10 / 11, abs=0.05)


def test_missing_values_are_learnt_from(gaussians):
    events = gaussians(2000, separation=0)
    features = events.features.copy()
    features[(events.labels == 1) & (np.arange(2000) % 4 < 2), 1] = np.nan
    holed = type(events)(features=features, labels=events.labels, names=events.names)
    scores = fitted(holed, trainer=LONGER)[1].scores(holed)
    assert np.isfinite(scores).all()
    assert scores[np.isnan(features[:, 1])].min() > 0.8


def test_members_have_an_axis_of_their_own_in_training_and_their_mean_in_use():
    network, x = networks(members=5, outputs=3, dropout=0.0), torch.randn(7, 4)
    apart = network.train()(x)
    assert apart.shape == (5, 7, 3)
    assert torch.allclose(network.eval()(x), apart.mean(0), atol=1e-6)
    assert apart.std(0).min() > 0


def test_members_learn_from_their_own_losses():
    network, x = networks(members=2, dropout=0.0).train(), torch.randn(6, 4)
    targets = torch.tensor([0.0, 1, 1, 0, 1, 0])
    apart = network(x).squeeze(-1)
    each = [losses(member, targets, "cross_entropy") for member in apart]
    assert torch.allclose(losses(apart, targets, "cross_entropy"), (each[0] + each[1]) / 2)


def test_a_shared_layer_is_a_linear_one_with_what_the_members_scale_by():
    torch.manual_seed(0)
    layer, x = Shared(3, 2, 4, first=True), torch.randn(5, 3)
    with torch.no_grad():
        layer.after.normal_()
    for member in range(4):
        own = layer.after[member, 0][:, None] * layer.weight * layer.before[member, 0]
        assert torch.allclose(layer(x)[member], nn.functional.linear(x, own, layer.bias[member, 0]), atol=1e-6)


def plain_logits(network, x):
    """The members' logits [m, n, outputs] by the formulas of the papers, which autograd follows."""
    waves = torch.cos(2 * np.pi * (x[:, :, None] * network.embedding.frequency + network.embedding.phase))
    mixed = torch.einsum("ndf,dfs->nds", waves, network.embedding.mix) + network.embedding.shift
    scale = 1 + network.embedding.rate * network.embedding.scale
    units = torch.cat((x[:, :, None], mixed), dim=2).flatten(1) * scale
    for layer in network.layers:
        units = nn.functional.silu(((units * layer.before) @ layer.weight.t()) * layer.after + layer.bias)
    return units @ network.heads.weight + network.heads.bias


@pytest.mark.parametrize("outputs", [1, 3])
def test_logits_and_gradients_are_those_of_the_formulas(outputs):
    network, x = networks(outputs=outputs, members=3, dropout=0.0).double(), torch.randn(7, 4, dtype=torch.float64)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # scales and shifts start at one and zero
    x.requires_grad_()
    logits, expected = network.train()(x), plain_logits(network, x)
    torch.testing.assert_close(logits, expected, rtol=1e-12, atol=1e-12)
    upstream, leaves = torch.randn_like(expected), [x, *network.parameters()]
    gradients = torch.autograd.grad(logits, leaves, upstream)
    for gradient, reference in zip(gradients, torch.autograd.grad(expected, leaves, upstream), strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-10, atol=1e-12)


def test_an_embedding_holds_each_input_and_waves_of_it_alone():
    torch.manual_seed(0)
    embedding, x = Embedding(2, 3, 8, 0.5, 20.0), torch.randn(6, 2)
    made = embedding(x).view(6, 2, 3)
    assert torch.equal(made[:, :, 0], x)
    other = x.clone()
    other[:, 1] += 1
    assert torch.equal(embedding(other).view(6, 2, 3)[:, 0], made[:, 0])
    assert (embedding(other).view(6, 2, 3)[:, 1] != made[:, 1]).all()
    assert torch.equal(Embedding(2, 1, 8, 0.5, 20.0)(x), x)


def test_no_event_is_scored_by_what_stands_beside_it(gaussians):
    events = gaussians(300)
    tagger = fitted(events)[1]
    assert tagger.scores(events.take(np.arange(7, 8))) == pytest.approx(tagger.scores(events)[7:8], abs=1e-6)


def test_many_events_are_scored_in_parts_with_the_same_result(monkeypatch):
    network, x = networks(members=3, outputs=2).eval(), torch.randn(11, 4)
    whole = network(x)
    monkeypatch.setattr(mlp, "PART", 4)
    assert torch.allclose(network(x), whole, atol=1e-6)
    assert network.train()(x).shape == (3, 11, 2)


def test_members_start_apart_by_what_they_scale_first():
    first, second = (layer.before for layer in networks(members=3).layers)
    assert first.std(0).min() > 0
    assert (second == 1).all()


def test_a_single_member_is_a_plain_network():
    network = networks(members=1, dropout=0.0)
    x = torch.randn(5, 4)
    assert torch.allclose(network.train()(x), network.eval()(x))
    assert (network.layers[0].before == 1).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": ()}, r"not \[\]; use model=logistic for none"),
        ({"hidden": (3, 0)}, r"not \[3, 0\]"),
        ({"members": 0}, "members must be at least 1, not 0"),
        ({"embedding": 0}, "embedding must be at least 1"),
        ({"frequencies": 0}, "frequencies must be at least 1"),
        ({"frequency_width": 0.0}, "frequency_width must be positive"),
        ({"scale_rate": 0.0}, "scale_rate must be positive"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1\.0"),
        ({"l2": -1.0}, "l2 must be at least 0, not -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MLP(**settings)

from __future__ import annotations

import pytest
import torch
from torch import nn

from hepclf.models.mlp_plain import PlainMLP

ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "maxout"]


def test_the_default_is_the_network_of_the_lecture():
    layers = [layer for layer in PlainMLP().network(18, 1) if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(18, 200), (200, 100), (100, 1)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_activation_and_norm_gives_logits_and_gradients(activation, norm):
    network = PlainMLP(hidden=(6, 4), activation=activation, norm=norm, dropout=0.1).network(3, 2)
    logits = network(torch.randn(10, 3))
    assert logits.shape == (10, 2)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_maxout_takes_the_larger_of_each_pair():
    network = PlainMLP(hidden=(2,), activation="maxout").network(1, 1)
    assert network[0].out_features == 4
    assert network[1](torch.tensor([[1.0, 5.0, -3.0, -4.0]])).tolist() == [[5.0, -3.0]]


def test_initialisations_have_their_widths():
    torch.manual_seed(0)
    weights = {
        init: PlainMLP(hidden=(400,), init=init, init_width=0.3).network(300, 1)[0].weight
        for init in ("glorot", "he", "normal", "zero")
    }
    assert weights["glorot"].std().item() == pytest.approx((2 / 700) ** 0.5, rel=0.02)
    assert weights["he"].std().item() == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert weights["normal"].std().item() == pytest.approx(0.3, rel=0.02)
    assert weights["zero"].abs().max().item() == 0


def test_no_hidden_layer_is_a_linear_model():
    assert len(PlainMLP(hidden=()).network(3, 1)) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": (3, 0)}, "hidden widths must be at least 1"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1\.0"),
        ({"init_width": 0.0}, "init_width must be positive"),
        ({"l2": -1.0}, "l2 must be at least 0, not -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PlainMLP(**settings)

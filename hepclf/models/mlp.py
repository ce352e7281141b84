"""A strong network for tables: each feature embedded on its own, members that share their weights."""

from __future__ import annotations

import math
from dataclasses import field
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from hepclf.models.dropout import mask
from hepclf.models.mlp_plain import ACTIVATIONS
from hepclf.models.network import Network
from hepclf.models.preprocess import Preprocess
from hepclf.models.products import HeadProduct, SharedProduct
from hepclf.recipe import recipe

PART = 1 << 11  # events that a processor scores at once, so that the units of all members fit into its caches


@recipe
class MLP(Network):
    """A perceptron with several members, which share the weights of each layer and differ in their scales.

    Each feature is first embedded on its own, in waves with learnt frequencies (periodic embeddings,
    arXiv:2203.05556, as in arXiv:2407.04491), with which a small network can resolve a mass peak. One learnt scale per
    input then lets it ignore uninformative features. The members (arXiv:2410.24210) train on the mean of their
    losses and score with the mean of their logits.
    """

    preprocess: Preprocess = field(default_factory=lambda: Preprocess(scaling="clipped"))
    average: bool = True
    hidden: tuple[int, ...] = (128, 128, 128)
    activation: Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"] = "silu"
    members: int = 8
    embedding: int = 4
    frequencies: int = 16
    frequency_width: float = 0.1
    scale_rate: float = 20.0
    dropout: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hidden or not all(width >= 1 for width in self.hidden):
            raise ValueError(
                f"hidden must be one width or more, each at least 1, not {list(self.hidden)}; "
                "use model=logistic for none"
            )
        for name in ("members", "embedding", "frequencies"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("frequency_width", "scale_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), not {self.dropout}")

    def network(self, inputs: int, outputs: int) -> nn.Module:
        """Embedding, then for each hidden width a shared layer, activation and dropout; a head for each member."""
        embedding = Embedding(inputs, self.embedding, self.frequencies, self.frequency_width, self.scale_rate)
        widths = (inputs * self.embedding, *self.hidden)
        layers = [
            Shared(width_before, width, self.members, first=not number)
            for number, (width_before, width) in enumerate(pairwise(widths))
        ]
        heads = Heads(widths[-1], outputs, self.members)
        return Members(embedding, layers, heads, ACTIVATIONS[self.activation](), self.dropout)


class Members(nn.Module):
    """Inputs [n, d] to logits: in training those of each member, [m, n, outputs], otherwise their mean [n, outputs]."""

    def __init__(
        self, embedding: nn.Module, layers: list[Shared], heads: Heads, activation: nn.Module, dropout: float
    ) -> None:
        super().__init__()
        self.embedding, self.layers, self.heads = embedding, nn.ModuleList(layers), heads
        self.activation, self.dropout = activation, dropout

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        if not self.training and len(x) > PART and x.device.type == "cpu":
            return torch.cat([self(part) for part in torch.split(x, PART)])
        x = self.embedding(x)
        for layer in self.layers:
            x = self.activation(layer(x))
            if self.training and self.dropout:  # the members leave out the same units: a mask each takes longer
                x = x * mask(x[0], self.dropout)
        logits: Tensor = self.heads(x)
        return logits if self.training else logits.mean(0)


class Embedding(nn.Module):
    """Each input of x [n, d] and waves of it, [n, d size], each times a learnt scale.

    The waves cos(2 pi (x f + phase)) of an input are mixed into size - 1 numbers. `rate` is the learning rate of the
    scales relative to the rest.
    """

    def __init__(self, inputs: int, size: int, frequencies: int, width: float, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.frequency = nn.Parameter(torch.randn(inputs, frequencies) * width)
        self.phase = nn.Parameter(torch.rand(inputs, frequencies) * 2 - 1)
        self.mix = nn.Parameter(torch.randn(inputs, frequencies, size - 1) / math.sqrt(frequencies))
        self.shift = nn.Parameter(torch.zeros(inputs, size - 1))
        self.scale = nn.Parameter(torch.zeros(inputs * size))

    def forward(self, x: Tensor) -> Tensor:
        """The embedded inputs."""
        # Events stand last, as elementwise work is fastest along a long last axis.
        inputs = x.t()[:, None]
        waves = torch.cos(2 * math.pi * torch.addcmul(self.phase[:, :, None], inputs, self.frequency[:, :, None]))
        mixed = torch.baddbmm(self.shift[:, :, None], self.mix.transpose(1, 2), waves)
        # Adam's steps are as long as the rate whatever the gradient: the factor makes those of the scales longer.
        return (torch.cat((inputs, mixed), dim=1).flatten(0, 1) * (1 + self.rate * self.scale)[:, None]).t()


class Shared(nn.Module):
    """One linear layer for all members, each with its own scales of inputs and outputs: to [m, n, width].

    The first layer takes [n, inputs] and starts with random scales, so that the members become different.
    """

    def __init__(self, inputs: int, width: int, members: int, *, first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, inputs) * math.sqrt(2 / inputs))
        before = torch.ones(members, 1, inputs)
        if first and members > 1:
            before = torch.randn(members, 1, inputs)
        self.before = nn.Parameter(before)
        self.after = nn.Parameter(torch.ones(members, 1, width))
        self.bias = nn.Parameter((torch.rand(members, 1, width) * 2 - 1) / math.sqrt(inputs))

    def forward(self, x: Tensor) -> Tensor:
        """The members' units before their activation."""
        units: Tensor = SharedProduct.apply(x, self.weight, self.before, self.after, self.bias)  # type: ignore[no-untyped-call]
        return units


class Heads(nn.Module):
    """A last linear layer for each member: [m, n, inputs] to logits [m, n, outputs]."""

    def __init__(self, inputs: int, outputs: int, members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter((torch.rand(members, inputs, outputs) * 2 - 1) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """The members' logits."""
        logits: Tensor = HeadProduct.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return logits

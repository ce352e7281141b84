"""The matrix products of a training alone: what a step takes at least on this machine."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch

from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP


class Product:
    """A layer's product and those of its gradients, for `members` networks at once, in memory of their own."""

    def __init__(self, members: int, events: int, inputs: int, outputs: int, *, first: bool) -> None:
        self.x, self.weights = torch.randn(members, events, inputs), torch.randn(members, outputs, inputs)
        self.y, self.grad_y = torch.empty(members, events, outputs), torch.randn(members, events, outputs)
        self.grad_x = None if first else torch.empty_like(self.x)
        self.grad_weights = torch.empty_like(self.weights)

    def forward(self) -> None:
        if self.weights.shape[1] == 1:  # as one row, which is faster than one column
            torch.bmm(self.weights, self.x.transpose(1, 2), out=self.y.transpose(1, 2))
        else:
            torch.bmm(self.x, self.weights.transpose(1, 2), out=self.y)

    def backward(self) -> None:
        torch.bmm(self.grad_y.transpose(1, 2), self.x, out=self.grad_weights)
        if self.grad_x is not None and self.weights.shape[1] == 1:  # no sum
            torch.mul(self.grad_y, self.weights, out=self.grad_x)
        elif self.grad_x is not None:
            torch.bmm(self.grad_y, self.weights, out=self.grad_x)


def products(recipe: MLP | PlainMLP, features: int, events: int, batch: int) -> Callable[[], None]:
    """Those of an epoch of full batches."""
    members = recipe.members if isinstance(recipe, MLP) else 1
    inputs = features * recipe.embedding if isinstance(recipe, MLP) else features
    layers = [
        # The gradient of the first layer's inputs is needed where an embedding comes before it.
        Product(members, batch, *widths, first=not number and isinstance(recipe, PlainMLP))
        for number, widths in enumerate(pairwise((inputs, *recipe.hidden, 1)))
    ]

    def run() -> None:
        for _ in range(events // batch):
            for layer in layers:
                layer.forward()
            for layer in reversed(layers):
                layer.backward()

    return run

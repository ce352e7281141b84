"""The module of a network's tagger: preprocessing, then the recipe's own network."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from hepclf.models.preprocess import Prepare


class Body(Protocol):
    """A recipe of a network."""

    def named_network(self, inputs: tuple[str, ...], outputs: int) -> nn.Module:
        """The module from prepared inputs of these names, [n, inputs], to logits [n, outputs], freshly initialised."""
        ...


class Module(nn.Module):
    """Raw features to logits: [n] for two classes, otherwise [n, k]. Training uses `body` and prepared inputs."""

    def __init__(self, recipe: Body, prepare: Prepare, classes: int) -> None:
        super().__init__()
        self.prepare = prepare
        self.body = recipe.named_network(prepare.inputs, 1 if classes == 2 else classes)
        if classes == 2:
            self.body = nn.Sequential(self.body, SingleOutput())

    def forward(self, features: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.body(self.prepare(features))
        return logits


class SingleOutput(nn.Module):
    """Drops the last axis, which has one output."""

    def forward(self, logits: Tensor) -> Tensor:
        """From [..., 1] to [...]."""
        return logits.squeeze(-1)

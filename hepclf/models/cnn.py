"""CNN: a convolutional network over images and series, which are flat columns of a declared shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from hepclf.events import Events
from hepclf.models.mlp_plain import ACTIVATIONS
from hepclf.models.model import Fit
from hepclf.models.network import Network
from hepclf.models.pixels import LARGEST, Pixels, numbered_shape, places
from hepclf.models.preprocess import Preprocess
from hepclf.recipe import recipe
from hepclf.training.trainer import Trainer

UNITS = 1 << 20  # pixels that are scored at once, times channels, so that they fit into the caches


@recipe
class CNN(Network):
    """Convolutions over the pixels of an image [channels, height, width] or the samples of a series [channels, length].

    Each convolution has its activation and a maximum over neighbours. With global pooling, periodic padding and
    pooling=1, a shifted image has the same score. A pixel without a feature, such as one that never varied in
    training, is zero.

    shape    null: from the numbers in the names of the features, such as image_0_3
    pooling  maximum over so many neighbours after each convolution; 1: none
    padding  beyond the edge of an image there are zeros, or, periodic, its opposite edge
    summary  what the dense layers see: the mean or the maximum of each channel (global pooling), or all pixels
    """

    preprocess: Preprocess = field(default_factory=lambda: Preprocess(scaling="common", constant="drop"))
    shape: tuple[int, ...] | None = None
    channels: tuple[int, ...] = (16, 32)
    kernel: int = 3
    pooling: int = 2
    padding: Literal["zeros", "periodic"] = "zeros"
    summary: Literal["mean", "max", "all"] = "max"
    hidden: tuple[int, ...] = (64,)
    activation: Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"] = "relu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.channels or min(*self.channels, *self.hidden, self.pooling) < 1:
            raise ValueError("channels, hidden and pooling must be at least 1, with one convolution or more")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be an odd number, not {self.kernel}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), not {self.dropout}")
        if self.shape is not None:
            self._check_shape(self.shape)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) not in (2, 3) or min(shape) < 1 or math.prod(shape) > LARGEST:
            raise ValueError(
                f"shape must be [channels, length] or [channels, height, width] with at most {LARGEST:,} pixels, "
                f"not {list(shape)}"
            )
        if min(self._sizes(shape)) < 1:
            raise ValueError(
                f"pooling must leave a pixel of {list(shape)} after {len(self.channels)} convolutions, "
                f"not be {self.pooling}"
            )
        if self.padding == "periodic" and min(shape[1:]) // self.pooling ** (len(self.channels) - 1) < self.kernel // 2:
            raise ValueError(f"kernel must be smaller for periodic padding of {list(shape)}, not {self.kernel}")

    def _sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Height and width, or length, after all convolutions."""
        return tuple(size // self.pooling ** len(self.channels) for size in shape[1:])

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, trainer: Trainer) -> None:
        """Refuse a shape that does not fit these features."""
        super().check(names, classes, trainer)
        if names is not None:
            places(names, self._fitted(names).shape or ())

    def _fitted(self, names: tuple[str, ...]) -> CNN:
        """The same with the shape that the names tell, if none is declared."""
        return self if self.shape is not None else replace(self, shape=numbered_shape(names))

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this network; the tagger knows the shape."""
        recipe = self._fitted(train.names)
        return super(CNN, recipe).fit(train, valid, trainer)

    def network(self, inputs: int, outputs: int) -> nn.Module:
        """The network of columns in the order of the pixels."""
        return self.named_network(tuple(f"x{i}" for i in range(inputs)), outputs)

    def named_network(self, inputs: tuple[str, ...], outputs: int) -> nn.Module:
        """Convolution, activation and pooling for each number of channels, then dense layers to the logits."""
        if missing := [name for name in inputs if name.endswith(" is missing")]:
            raise ValueError(
                f"feature {missing[0].removesuffix(' is missing')!r} has missing values, which model=cnn cannot use; "
                "select those events away"
            )
        shape = self._fitted(inputs).shape or ()
        layers = [
            *self._convolutions(shape),
            nn.Flatten() if self.summary == "all" else Summary(self.summary, len(shape) - 1),
        ]
        width = self.channels[-1] * (math.prod(self._sizes(shape)) if self.summary == "all" else 1)
        for units in self.hidden:
            layers += [_started(nn.Linear(width, units)), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            width = units
        rows = max(1, UNITS // (math.prod(shape[1:]) * max(self.channels)))
        return Convolutional(
            Pixels(shape, places(inputs, shape)), *layers, _started(nn.Linear(width, outputs)), rows=rows
        )

    def _convolutions(self, shape: tuple[int, ...]) -> Iterator[nn.Module]:
        is_series = len(shape) == 2
        convolution, pool = (nn.Conv1d, nn.MaxPool1d) if is_series else (nn.Conv2d, nn.MaxPool2d)
        mode: Literal["circular", "zeros"] = "circular" if self.padding == "periodic" else "zeros"
        for before, after in zip((shape[0], *self.channels), self.channels, strict=False):
            yield _started(convolution(before, after, self.kernel, padding=self.kernel // 2, padding_mode=mode))
            yield ACTIVATIONS[self.activation]()
            if self.pooling > 1:
                yield pool(self.pooling)


class Convolutional(nn.Sequential):
    """Layers in a row; so many events at a time are scored, because the units of all channels take much memory."""

    def __init__(self, *layers: nn.Module, rows: int) -> None:
        super().__init__(*layers)
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        if not self.training and len(x) > self.rows:
            return torch.cat([self(part) for part in torch.split(x, self.rows)])
        for layer in self:
            x = layer(x)
        return x


class Summary(nn.Module):
    """The mean or the maximum of each channel: [n, c, ...], with one or two axes of pixels, to [n, c]."""

    def __init__(self, kind: str, axes: int) -> None:
        super().__init__()
        self.kind, self.axes = kind, tuple(range(2, 2 + axes))

    def forward(self, x: Tensor) -> Tensor:
        """Global pooling."""
        return x.mean(self.axes) if self.kind == "mean" else x.amax(self.axes)


def _started(layer: nn.Module) -> nn.Module:
    """He's initial weights, and no bias."""
    nn.init.kaiming_normal_(layer.get_parameter("weight"), nonlinearity="relu")
    nn.init.zeros_(layer.get_parameter("bias"))
    return layer

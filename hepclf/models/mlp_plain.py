"""The multi-layer perceptron of the lectures."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from hepclf.models.network import Network
from hepclf.recipe import recipe

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "maxout"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


@recipe
class PlainMLP(Network):
    """A fully connected network; the default is the 18-200-100-1 shape of the SUSY lecture (arXiv:1803.08823)."""

    hidden: tuple[int, ...] = (200, 100)
    activation: Activation = "relu"
    init: Literal["glorot", "he", "normal", "zero"] = "he"
    init_width: float = 0.1
    dropout: float = 0.0
    norm: Literal["none", "batch", "layer"] = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(width >= 1 for width in self.hidden):
            raise ValueError(f"hidden widths must be at least 1, not {list(self.hidden)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), not {self.dropout}")
        if not self.init_width > 0:
            raise ValueError(f"init_width must be positive, not {self.init_width}")

    def network(self, inputs: int, outputs: int) -> nn.Module:
        """Linear, norm, activation, dropout for each hidden width; then one linear layer to the logits."""
        layers: list[nn.Module] = []
        for width in self.hidden:
            # Maxout halves the number of units.
            size = 2 * width if self.activation == "maxout" else width
            layers.append(self._linear(inputs, size))
            if self.norm == "batch":
                layers.append(nn.BatchNorm1d(size))
            elif self.norm != "none":
                layers.append(nn.LayerNorm(size))
            is_maxout = self.activation == "maxout"
            layers.append(Maxout() if is_maxout else ACTIVATIONS[self.activation]())
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            inputs = width
        return nn.Sequential(*layers, self._linear(inputs, outputs))

    def _linear(self, inputs: int, outputs: int) -> nn.Linear:
        linear = nn.Linear(inputs, outputs)
        nn.init.zeros_(linear.bias)
        if self.init == "glorot":
            nn.init.xavier_uniform_(linear.weight)
        elif self.init == "he":
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        elif self.init == "normal":
            nn.init.normal_(linear.weight, std=self.init_width)
        else:
            nn.init.zeros_(linear.weight)
        return linear


class Maxout(nn.Module):
    """The larger of each pair of units: [n, 2 m] to [n, m] (arXiv:1302.4389)."""

    def forward(self, x: Tensor) -> Tensor:
        """The maxima of neighbouring pairs."""
        return torch.maximum(x[:, 0::2], x[:, 1::2])

"""The running mean of a network's weights, which follows the noise of single steps less than the weights do."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

LONGEST = 500  # steps that the mean looks back, at most


class Average:
    """A copy of a network that holds the exponential mean of its weights.

    After k steps the mean reaches back over about k/9 of them, at most 500, so that a short training forgets its start
    too. Buffers are those of the latest step.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network)
        self._steps = 0

    def update(self, network: nn.Module) -> None:
        """Add the weights after a step to the mean."""
        self._steps += 1
        fraction = max(1 / LONGEST, 9 / (9 + self._steps))
        with torch.no_grad():
            for mean, latest in zip(self.network.parameters(), network.parameters(), strict=True):
                mean.lerp_(latest, fraction)
            for mean_buffer, latest_buffer in zip(self.network.buffers(), network.buffers(), strict=True):
                mean_buffer.copy_(latest_buffer)

    def state(self) -> dict[str, Any]:
        """A copy of the mean, and the steps that it has seen."""
        mean = {name: value.clone() for name, value in self.network.state_dict().items()}
        return {"steps": self._steps, "mean": mean}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a stored state."""
        self._steps = int(state["steps"])
        self.network.load_state_dict(state["mean"])

"""The running mean of a network's weights, which follows the noise of single steps less than the weights do."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

LONGEST = 500  # steps that the mean looks back, at most


class Average:
    """A copy of a network that holds the exponential mean of its weights.

    After k steps the mean reaches back over about k/9 of them, at most 500, so that even a short training forgets its
    start. Buffers are those of the latest step.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network, self._source = copy.deepcopy(network), network
        # Listed once, as walking through the modules takes longer than the mean itself.
        self._means: list[Tensor] = list(self.network.parameters())
        self._latest: list[Tensor] = list(network.parameters())
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Add the network's weights after a step to the mean."""
        self._steps += 1
        fraction = max(1 / LONGEST, 9 / (9 + self._steps))
        torch._foreach_lerp_(self._means, self._latest, fraction)
        for mean, latest in zip(self.network.buffers(), self._source.buffers(), strict=True):
            mean.copy_(latest)

    def state(self) -> dict[str, Any]:
        """A copy of the mean, and the number of steps in it."""
        mean = {name: value.clone() for name, value in self.network.state_dict().items()}
        return {"steps": self._steps, "mean": mean}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from a stored state."""
        self._steps = int(state["steps"])
        self.network.load_state_dict(state["mean"])

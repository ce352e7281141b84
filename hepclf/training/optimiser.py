"""The optimisers: torch's arithmetic, with a state that can be stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

Tensors = list[Tensor]
Buffers = Mapping[str, Tensors]
OptimiserName = Literal["adamw", "adam", "rmsprop", "sgd"]
WITH_MOMENTUM = ("rmsprop", "sgd")
BUFFERS = {
    "adamw": ("mean", "square"),
    "adam": ("mean", "square"),
    "rmsprop": ("square", "velocity"),
    "sgd": ("velocity",),
}


class Optimiser:
    """Moves parameters along their gradients, at `rate`.

    It calls the functions behind torch's optimiser classes, which give the same numbers to the last bit. The classes
    themselves import torch's compiler, which takes seconds and is not used here.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        kind: OptimiserName,
        *,
        rate: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        self.rate = rate
        self._parameters = list(parameters)
        self._kind, self._momentum, self._decay = kind, momentum, weight_decay
        self._buffers = {name: [torch.zeros_like(p) for p in self._parameters] for name in BUFFERS[kind]}
        device = None  # where the fused kernels want the numbers of steps
        if kind.startswith("adam") and self._parameters:
            device = self._parameters[0].device
        self._counts = torch.zeros(len(self._parameters), dtype=torch.float32, device=device)
        self._steps = list(self._counts.unbind())

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move each parameter that has a gradient."""
        places = [place for place, parameter in enumerate(self._parameters) if parameter.grad is not None]
        if not places:
            return
        parameters = [self._parameters[place] for place in places]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        buffers = {name: [tensors[place] for place in places] for name, tensors in self._buffers.items()}
        buffers["steps"] = [self._steps[place] for place in places]
        move = {"sgd": self._sgd, "rmsprop": self._rmsprop}.get(self._kind, self._adam)
        move(parameters, gradients, buffers)

    def _sgd(self, parameters: Tensors, gradients: Tensors, buffers: Buffers) -> None:
        velocities: list[Tensor | None] = [*buffers["velocity"]] if self._momentum else []
        sgd(
            parameters,
            gradients,
            velocities,
            lr=self.rate,
            weight_decay=self._decay,
            momentum=self._momentum,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            fused=True,
        )

    def _rmsprop(self, parameters: Tensors, gradients: Tensors, buffers: Buffers) -> None:
        velocities = buffers["velocity"] if self._momentum else []
        averages: Tensors = []  # of the gradients, which the centred variant has
        rmsprop(
            parameters,
            gradients,
            buffers["square"],
            averages,
            velocities,
            buffers["steps"],
            lr=self.rate,
            weight_decay=self._decay,
            alpha=0.99,
            eps=1e-8,
            momentum=self._momentum,
            centered=False,
        )

    def _adam(self, parameters: Tensors, gradients: Tensors, buffers: Buffers) -> None:
        if len(parameters) == len(self._counts):
            self._counts.add_(1)  # all at once, which takes half of the time of the step otherwise
        else:
            torch._foreach_add_(buffers["steps"], 1)
        largest: Tensors = []  # squares, which the variant amsgrad has
        move = torch._fused_adamw_ if self._kind == "adamw" else torch._fused_adam_
        move(
            parameters,
            gradients,
            buffers["mean"],
            buffers["square"],
            largest,
            buffers["steps"],
            lr=self.rate,
            weight_decay=self._decay,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """A copy of everything that the next step depends on, except the rate: each tensor by its name and place."""
        return {name: tensor.clone() for name, tensor in self._named().items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Resume from a stored state."""
        for name, tensor in self._named().items():
            tensor.copy_(state[name])

    def _named(self) -> dict[str, Tensor]:
        groups = {**self._buffers, "steps": self._steps}
        return {f"{name}.{place}": tensor for name, tensors in groups.items() for place, tensor in enumerate(tensors)}

"""Logistic regression on polynomials of growing degree."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from hepclf.models.network import Network
from hepclf.recipe import recipe

REACH = 4.0  # standard deviations from the mean, between which the polynomials are orthogonal


@recipe
class Polynomial(Network):
    """One linear layer on the powers 1..degree of each input; a high degree follows every training event.

    The powers are combined to Legendre polynomials on four standard deviations to either side, which span the same
    functions and are found much sooner by gradient descent. Inputs beyond count as four standard deviations.
    """

    rate: ClassVar[float] = 0.05
    degree: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.degree <= 100:
            raise ValueError(f"degree must lie in 1..100, not {self.degree}")

    def network(self, inputs: int, outputs: int) -> nn.Module:
        """The polynomials, and a layer that starts at zero."""
        linear = nn.Linear(inputs * self.degree, outputs)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        return nn.Sequential(Legendre(self.degree), linear)


class Legendre(nn.Module):
    """Legendre polynomials of degree 1 to `degree` of each input: [..., d] to [..., d * degree]."""

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.degree = degree

    def forward(self, x: Tensor) -> Tensor:
        """By Bonnet's recursion, (n + 1) P_(n+1) = (2 n + 1) x P_n - n P_(n-1), each with unit mean square."""
        x = (x / REACH).clamp(-1, 1)
        before, polynomials = torch.ones_like(x), [x]
        for n in range(1, self.degree):
            after = ((2 * n + 1) * x * polynomials[-1] - n * before) / (n + 1)
            before = polynomials[-1]
            polynomials.append(after)
        sized = [polynomial * (2 * n + 1) ** 0.5 for n, polynomial in enumerate(polynomials, start=1)]
        return torch.cat(sized, dim=-1)

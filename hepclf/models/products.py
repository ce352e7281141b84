"""The layers of members as products with gradients by hand, which pass over memory less often than autograd's.

Where autocast computes the units in bf16, the products of the gradients are in bf16 too, and sums in the type of the
weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

Gradients = tuple[Tensor, ...]


class SharedProduct(Function):
    """Units [m, n, out] of x, [n, in] or [m, n, in]: the weights [out, in] are shared, their scales the members' own.

    before [m, 1, in] scales what goes in, after [m, 1, out] what comes out; the bias is [m, 1, out].
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, before: Tensor, after: Tensor, bias: Tensor) -> Tensor:
        """The units."""
        # Scaling the weights of each member takes less than scaling its units, of which a batch has more.
        scaled = after.transpose(1, 2) * weight * before
        ctx.save_for_backward(x, weight, before, after, scaled)
        return torch.baddbmm(bias, x.expand(len(before), -1, -1), scaled.transpose(1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_units: Tensor) -> Gradients:
        """The gradients of x, weight, before, after and bias."""
        x, weight, before, after, scaled = ctx.saved_tensors
        kind = grad_units.dtype
        grad_x = torch.bmm(grad_units, scaled.to(kind))
        grad_scaled = torch.bmm(grad_units.transpose(1, 2), x.to(kind).expand(len(before), -1, -1)).to(weight.dtype)
        # With P = grad_scaled * weight: sums of after * P over what comes out, of before * P over what goes in.
        product = grad_scaled * weight
        grad_before, grad_after = torch.bmm(after, product), torch.bmm(before, product.transpose(1, 2))
        grad_weight = grad_scaled.mul_(before).mul_(after.transpose(1, 2)).sum(0)
        grad_bias = grad_units.sum(1, keepdim=True, dtype=weight.dtype)
        return grad_x.sum(0) if x.ndim == 2 else grad_x, grad_weight, grad_before, grad_after, grad_bias


class HeadProduct(Function):
    """Logits [m, n, outputs] of x [m, n, in], with the weights [m, in, outputs] and bias [m, 1, outputs] of members."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The logits."""
        ctx.save_for_backward(x, weight)
        # A product that gives one row takes a fourth of the time of one that gives one column.
        rows = torch.baddbmm(bias.transpose(1, 2), weight.transpose(1, 2), x.transpose(1, 2))
        return rows.transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_logits: Tensor) -> Gradients:
        """The gradients of x, weight and bias."""
        x, weight = ctx.saved_tensors
        kind = grad_logits.dtype
        rows = weight.transpose(1, 2).to(kind)
        # For one output it is no sum; the same as a product of matrices takes four times as long.
        grad_x = grad_logits * rows if rows.shape[1] == 1 else torch.bmm(grad_logits, rows)
        grad_weight = torch.bmm(grad_logits.transpose(1, 2), x.to(kind)).transpose(1, 2)
        return grad_x, grad_weight, grad_logits.sum(1, keepdim=True, dtype=weight.dtype)

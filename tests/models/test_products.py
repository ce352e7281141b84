from __future__ import annotations

import pytest
import torch

from hepclf.models.products import HeadProduct, SharedProduct


def numbers(*shapes):
    """Random tensors of float64 that want gradients."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]


def shared(*inputs):
    return numbers(inputs, (4, 3), (2, 1, 3), (2, 1, 4), (2, 1, 4))


def shared_formula(x, weight, before, after, bias):
    return ((x * before) @ weight.t()) * after + bias


def head_formula(x, weight, bias):
    return x @ weight + bias


CASES = {
    "first layer": (SharedProduct, shared_formula, shared(5, 3)),
    "later layer": (SharedProduct, shared_formula, shared(2, 5, 3)),
    "one output": (HeadProduct, head_formula, numbers((2, 5, 3), (2, 3, 1), (2, 1, 1))),
    "three outputs": (HeadProduct, head_formula, numbers((2, 5, 4), (2, 4, 3), (2, 1, 3))),
    "one member": (HeadProduct, head_formula, numbers((1, 5, 4), (1, 4, 1), (1, 1, 1))),
}


@pytest.mark.parametrize("case", CASES)
def test_in_bf16_gradients_are_those_of_float32_to_its_rounding(case):
    product, _, inputs = CASES[case]
    inputs = [tensor.detach().float().requires_grad_() for tensor in inputs]
    exact = torch.autograd.grad(product.apply(*inputs).square().sum(), inputs)
    with torch.autocast("cpu", torch.bfloat16):
        units = product.apply(*inputs)
    assert units.dtype == torch.bfloat16
    lowered = torch.autograd.grad(units.float().square().sum(), inputs)
    largest = max(float(gradient.abs().max()) for gradient in exact)
    for gradient, expected in zip(lowered, exact, strict=True):
        assert gradient.dtype == torch.float32
        assert torch.allclose(gradient, expected, atol=0.02 * largest)  # bf16 rounds by 0.4 %


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_finite_differences(case):
    product, _, inputs = CASES[case]
    assert torch.autograd.gradcheck(product.apply, inputs)


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_that_autograd_finds_for_the_formula(case):
    product, formula, inputs = CASES[case]
    value, expected = product.apply(*inputs), formula(*inputs)
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = torch.autograd.grad(value, inputs, upstream)
    for gradient, reference in zip(gradients, torch.autograd.grad(expected, inputs, upstream), strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_what_comes_in_is_left_as_it_was(case):
    product, _, inputs = CASES[case]
    before = [tensor.detach().clone() for tensor in inputs]
    value = product.apply(*inputs)
    first = torch.autograd.grad(value.sum(), inputs, retain_graph=True)
    second = torch.autograd.grad(value.sum(), inputs)
    assert all(map(torch.equal, before, inputs))
    assert all(map(torch.equal, first, second))

"""Polynomial features: the right functions, and what their degree does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import eval_legendre

from hepclf import Polynomial
from hepclf.models.polynomial import Legendre


def test_the_polynomials_are_those_of_legendre_with_unit_mean_square():
    x = torch.linspace(-4, 4, 20001, dtype=torch.float64)[:, None]
    values = Legendre(6)(x).numpy()
    expected = np.stack([np.sqrt(2 * n + 1) * eval_legendre(n, x[:, 0].numpy() / 4) for n in range(1, 7)], axis=1)
    assert values == pytest.approx(expected, abs=1e-12)
    assert values.T @ values / len(x) == pytest.approx(np.eye(6), abs=2e-3)


def test_each_input_has_its_own_and_none_grows_beyond_its_range():
    values = Legendre(3)(torch.tensor([[9.0, -9.0], [4.0, -4.0]]))
    assert values.shape == (2, 6)
    assert torch.equal(values[0], values[1])


@pytest.mark.parametrize("degree", [0, 101])
def test_a_degree_has_a_sensible_size(degree):
    with pytest.raises(ValueError, match=r"^degree must lie in 1\.\.100"):
        Polynomial(degree=degree)

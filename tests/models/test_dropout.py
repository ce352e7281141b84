from __future__ import annotations

import numpy as np
import pytest
import torch

from hepclf.models.dropout import LEVELS, mask


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_units_are_dropped_at_their_rate(rate):
    torch.manual_seed(0)
    factors = mask(torch.empty(1000, 1000), rate)
    dropped = (factors == 0).double().mean().item()
    assert abs(dropped - rate) < 4 * np.sqrt(rate * (1 - rate) / 1e6) + 0.5 / LEVELS


@pytest.mark.parametrize("rate", [1e-9, 0.1, 1 / 3, 0.5, 0.999999])
def test_the_mean_of_a_factor_is_one(rate):
    torch.manual_seed(0)
    values = mask(torch.empty(1 << 20, dtype=torch.float64), rate).unique()
    dropped = min(round(rate * LEVELS), LEVELS - 1)
    assert values[-1].item() * (LEVELS - dropped) / LEVELS == pytest.approx(1, abs=1e-15)
    assert len(values) == (2 if dropped else 1)
    assert values[0].item() == (0 if dropped else 1)


def test_the_four_units_of_a_random_number_are_independent():
    torch.manual_seed(0)
    factors = mask(torch.empty(1 << 18, 4, dtype=torch.float64), 0.3)
    correlation = np.corrcoef(factors.numpy(), rowvar=False)
    assert np.abs(correlation - np.eye(4)).max() < 4 / np.sqrt(1 << 18)
    # Each of them alone is dropped at the rate as well: no unit has fewer random bits.
    assert np.abs((factors == 0).double().mean(0).numpy() - 0.3).max() < 4 * np.sqrt(0.21 / (1 << 18))


@pytest.mark.parametrize("shape", [(1,), (3, 5), (4, 4), (0, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mask_has_the_shape_and_type_of_the_units(shape, dtype):
    factors = mask(torch.empty(shape, dtype=dtype), 0.5)
    assert (factors.shape, factors.dtype) == (shape, dtype)


def test_a_mask_follows_the_seed():
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(mask(torch.empty(8, 8), 0.5))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])

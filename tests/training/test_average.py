from __future__ import annotations

import pytest
import torch
from torch import nn

from hepclf.training.average import LONGEST, Average


def test_the_mean_has_the_weights_that_its_recursion_says():
    network = nn.Linear(1, 1, bias=False)
    average, expected = Average(network), network.weight.item()
    for step in range(1, 6):
        nn.init.constant_(network.weight, step)
        average.update()
        expected += (step - expected) * 9 / (9 + step)
    assert average.network.weight.item() == pytest.approx(expected)
    assert network.weight.item() == 5


def test_the_start_is_forgotten_and_noise_averages_out():
    torch.manual_seed(0)
    network = nn.Linear(200, 1, bias=False)
    nn.init.constant_(network.weight, 100)
    average = Average(network)
    for _ in range(5000):
        nn.init.normal_(network.weight, 3.0, 1.0)
        average.update()
    found = average.network.weight
    assert found.mean().item() == pytest.approx(3, abs=0.02)
    # The variance of an exponential mean of independent draws is share / (2 - share).
    assert found.std().item() == pytest.approx((1 / LONGEST / (2 - 1 / LONGEST)) ** 0.5, rel=0.2)


def test_buffers_are_those_of_the_latest_step():
    network = nn.BatchNorm1d(2)
    average = Average(network)
    for _ in range(3):
        network(torch.randn(8, 2))
        average.update()
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert average.network.num_batches_tracked == 3

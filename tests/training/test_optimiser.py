from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop

from hepclf.training.optimiser import Optimiser

KINDS = ("adamw", "adam", "rmsprop", "sgd")


def library(kind, parameters, momentum, decay):
    if kind == "sgd":
        return SGD(parameters, lr=0.01, momentum=momentum, weight_decay=decay, fused=True)
    if kind == "rmsprop":
        return RMSprop(parameters, lr=0.01, momentum=momentum, weight_decay=decay)
    return (AdamW if kind == "adamw" else Adam)(parameters, lr=0.01, weight_decay=decay, fused=True)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 33), nn.Tanh(), nn.Linear(33, 2))


def gradients(network, step):
    for parameter in network.parameters():
        parameter.grad = None
    network(torch.randn(64, 5, generator=torch.Generator().manual_seed(step))).square().mean().backward()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 0.0), (0.0, 0.1)])
def test_the_steps_are_those_of_torchs_own_class_bit_for_bit(kind, momentum, decay):
    ours, theirs = network(), network()
    optimiser = Optimiser(ours.parameters(), kind, rate=0.01, momentum=momentum, weight_decay=decay)
    torchs = library(kind, theirs.parameters(), momentum, decay)
    for step in range(20):
        optimiser.rate = torchs.param_groups[0]["lr"] = 0.01 * (1 + step % 3)
        gradients(ours, step)
        gradients(theirs, step)
        optimiser.step()
        torchs.step()
        for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, reference)


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_without_a_gradient_stays(kind):
    made = network()
    optimiser = Optimiser(made.parameters(), kind, rate=0.01)
    gradients(made, 0)
    made[0].weight.grad = None
    before = [parameter.clone() for parameter in made.parameters()]
    optimiser.step()
    same = [torch.equal(*pair) for pair in zip(before, made.parameters(), strict=True)]
    assert same == [True, False, False, False]


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_gradient_nothing_moves(kind):
    made = network()
    before = [parameter.clone() for parameter in made.parameters()]
    Optimiser(made.parameters(), kind, rate=0.01).step()
    assert all(map(torch.equal, before, made.parameters()))


@pytest.mark.parametrize("kind", ["adamw", "adam"])
def test_a_parameter_counts_its_own_steps(kind):
    made, library_made = network(), network()
    optimiser = Optimiser(made.parameters(), kind, rate=0.01)
    torchs = library(kind, library_made.parameters(), 0.9, 0.0)
    for step in range(6):
        for part in (made, library_made):
            gradients(part, step)
            if step % 2:
                part[0].weight.grad = None
        optimiser.step()
        torchs.step()
    assert all(map(torch.equal, made.parameters(), library_made.parameters()))
    assert [optimiser.state()[f"steps.{place}"].item() for place in range(4)] == [3, 6, 6, 6]


def test_a_step_does_not_import_torchs_compiler():
    code = """
import sys, torch
from hepclf.training.optimiser import Optimiser
for kind in ("adamw", "adam", "rmsprop", "sgd"):
    parameter = torch.nn.Parameter(torch.ones(3))
    optimiser = Optimiser([parameter], kind, rate=0.1)
    parameter.sum().backward()
    optimiser.step()
print("torch._dynamo" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"

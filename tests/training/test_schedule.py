from __future__ import annotations

import random

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau

from hepclf.training.schedule import Schedule


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 7), (2, 3), (3, 2), (5, 10), (30, 4)])
@pytest.mark.parametrize("kind", ["cosine", "one_cycle", "plateau"])
def test_the_rates_are_those_of_torchs_own_scheduler_bit_for_bit(kind, epochs, steps):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.013)
    cosine = CosineAnnealingLR(optimiser, T_max=epochs) if kind == "cosine" else None
    cycle = (
        OneCycleLR(optimiser, max_lr=0.013, total_steps=epochs * steps, cycle_momentum=False)
        if kind == "one_cycle"
        else None
    )
    plateau = ReduceLROnPlateau(optimiser, factor=0.3, patience=3) if kind == "plateau" else None
    schedule, losses = Schedule(kind, 0.013, epochs, steps), random.Random(1)
    for _ in range(epochs):
        for _ in range(steps):
            assert schedule.rate == optimiser.param_groups[0]["lr"]
            optimiser.step()
            schedule.after_step()
            if cycle:
                cycle.step()
        loss = losses.random()
        schedule.after_epoch(loss)
        if cosine:
            cosine.step()
        if plateau:
            plateau.step(loss)
    assert schedule.rate == optimiser.param_groups[0]["lr"]


@pytest.mark.parametrize("kind", ["constant", "cosine", "one_cycle", "plateau"])
def test_a_stored_schedule_goes_on(kind):
    first, second = (Schedule(kind, 0.1, 9, 2) for _ in range(2))
    for epoch in range(9):
        second = Schedule(kind, 0.1, 9, 2)
        second.restore(first.state())
        for schedule in (first, second):
            schedule.after_step()
            schedule.after_step()
            schedule.after_epoch(1.0 + epoch)
        assert first.rate == second.rate
        assert first.state() == second.state()

"""Pruning: trials are compared where they have learnt as much."""

from __future__ import annotations

import math

import pytest

from hepclf.search.training import Pruning
from hepclf.training.epoch import Epoch


def told(rate, epochs, **settings):
    """The places at which a training with this learning rate tells its loss, and after which epoch."""
    places = {}
    pruning = Pruning(lambda place, value: places.update({place: value}), maximised=False, **settings)
    pruning.epochs = epochs
    for number in range(1, epochs + 1):
        assert not pruning(Epoch(number, 0.0, float(number), rate, 0.0))
    return places


def test_an_epoch_of_a_network_is_a_place_whatever_its_learning_rate():
    assert told(0.1, 5) == told(1e-4, 5) == {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}


def test_a_training_of_many_epochs_tells_its_loss_thirty_times_at_most():
    assert list(told(0.1, 300)) == list(range(1, 30))


@pytest.mark.parametrize(("rate", "rounds"), [(0.5, 6), (0.1, 30), (0.02, 150)])
def test_boosted_trees_are_compared_by_rounds_times_learning_rate(rate, rounds):
    assert told(rate, 3 * rounds + 1, is_boosting=True) == {place: float(place * rounds) for place in (1, 2, 3)}


def test_a_loss_that_is_not_finite_and_the_last_epoch_are_not_told():
    pruning = Pruning(lambda *_: True, maximised=False)
    pruning.epochs = 2
    assert not pruning(Epoch(1, 0.0, math.nan, 0.1, 0.0))
    assert not pruning(Epoch(2, 0.0, 1.0, 0.1, 0.0))
    pruning.epochs = 3
    assert pruning(Epoch(2, 0.0, 1.0, 0.1, 0.0))
    assert (pruning.is_over, pruning.reported) == (True, {2: 1.0})

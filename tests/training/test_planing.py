from __future__ import annotations

import logging

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.training.planing import planed
from hepclf.training.trainer import Trainer

CLASSES = ("background", "signal")


@pytest.fixture
def masses():
    """Labels, weights and masses of 4,000 events: falling for the background, with a maximum for the signal."""
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 2
    mass = rng.exponential(2, 4000) + np.where(labels == 1, rng.exponential(1, 4000), 0)
    return labels, rng.lognormal(0, 0.5, 4000), mass


def sums(weights, labels, values, bins):
    edges = np.quantile(values, np.linspace(0, 1, bins + 1))
    return [np.histogram(values[labels == k], edges, weights=weights[labels == k])[0] for k in (0, 1)]


def test_both_classes_have_one_spectrum_and_each_keeps_its_sum(masses):
    labels, weights, mass = masses
    made = planed(weights, labels, mass, CLASSES, bins=10)
    for label, spectrum in enumerate(sums(made, labels, mass, 10)):
        assert spectrum == pytest.approx(np.full(10, weights[labels == label].sum() / 10))
    # The order of weights within a bin and a class is left as it was.
    first = (labels == 0) & (mass < np.quantile(mass, 0.1))
    assert made[first] / weights[first] == pytest.approx(made[first][0] / weights[first][0])


def test_the_trainer_planes_before_it_balances(masses):
    labels, weights, mass = masses
    events = Events(features=mass[:, None], names=("x",), labels=labels, weights=weights, spectators={"mass": mass})
    made = Trainer(planing="mass").weights(events)
    background, signal = sums(made, labels, mass, 50)
    assert background == pytest.approx(signal)
    assert made.mean() == pytest.approx(1)
    assert Trainer(planing="x").weights(events) == pytest.approx(made)


def test_a_bin_without_events_of_a_class_is_said(masses, caplog):
    labels, weights, mass = masses
    shifted = np.where(labels == 1, mass + 100, mass)
    with caplog.at_level(logging.WARNING):
        made = planed(weights, labels, shifted, CLASSES, bins=10)
    assert "class background has no events in 5 of 10 bins" in caplog.text
    assert made[labels == 0].sum() == pytest.approx(weights[labels == 0].sum())


def test_what_planing_costs_is_said(caplog):
    labels = np.repeat([0, 1], 1000)
    mass = np.r_[np.linspace(0, 1, 1000), np.full(996, 0.55), [0.05, 0.15, 0.25, 0.95]]
    with caplog.at_level(logging.WARNING):
        planed(np.ones(2000), labels, mass, CLASSES, bins=20)
    assert "planing leaves class signal an effective count of" in caplog.text


def test_a_bin_of_negative_weight_is_refused():
    labels, mass = np.tile([0, 1], 50), np.repeat(np.arange(50.0), 2)
    weights = np.where((mass < 10) & (labels == 1), -1.0, 1.0)
    with pytest.raises(ValueError, match=r"class 'signal' has -.* in one of 5; choose trainer.negative_weights"):
        planed(weights, labels, mass, CLASSES, bins=5)


def test_events_without_weight_are_as_good_as_none():
    labels, mass = np.tile([0, 1], 50), np.repeat(np.arange(50.0), 2)
    weights = np.where((mass < 10) & (labels == 1), 0.0, 1.0)
    found = planed(weights, labels, mass, CLASSES, bins=5)
    assert (found[(mass < 10) & (labels == 1)] == 0).all()
    assert found[labels == 1].sum() == pytest.approx(40)


def test_one_value_is_one_bin():
    assert planed(np.array([1.0, 2.0]), np.array([0, 1]), np.zeros(2), CLASSES).tolist() == [1, 2]

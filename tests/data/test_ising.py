"""Spins in equilibrium: their energy against Onsager's and Kaufman's exact solutions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ellipk, logsumexp

from hepclf.data.ising import CRITICAL, Ising, energy, neighbouring
from hepclf.data.split import Split


def onsager(temperature):
    """The energy per spin of the infinite lattice (Onsager 1944)."""
    k = 1 / temperature
    modulus = 2 * np.sinh(2 * k) / np.cosh(2 * k) ** 2
    return -(1 + 2 / np.pi * (2 * np.tanh(2 * k) ** 2 - 1) * ellipk(modulus**2)) / np.tanh(2 * k)


def log_partition(k, size):
    """ln Z of a torus of size x size spins (Kaufman 1949)."""
    angles = np.pi * np.arange(2 * size) / size
    gamma = np.arccosh(np.cosh(2 * k) / np.tanh(2 * k) - np.cos(angles))
    gamma[0] = 2 * k + np.log(np.tanh(k))  # changes its sign at the critical temperature
    odd, even = size / 2 * gamma[1::2], size / 2 * gamma[::2]
    terms = [np.log(2 * np.abs(f(half))).sum() for half in (odd, even) for f in (np.cosh, np.sinh)]
    total = logsumexp(terms, b=[1, 1, 1, np.sign(gamma[0])])
    return size**2 / 2 * np.log(2 * np.sinh(2 * k)) + total - np.log(2)


def kaufman(temperature, size, step=1e-4):
    """The energy per spin of the torus, -d ln Z / dK."""
    k = 1 / temperature
    return -(log_partition(k + step, size) - log_partition(k - step, size)) / (2 * step * size**2)


def brute_force(temperature, size):
    states = 2 * ((np.arange(2 ** (size**2))[None] >> np.arange(size**2)[:, None]) & 1).astype(np.int8) - 1
    energies = energy(states, size) * size**2
    weights = np.exp(-(energies - energies.min()) / temperature)
    return (weights @ energies) / weights.sum() / size**2


@pytest.mark.parametrize("temperature", [1.5, 2.2, CRITICAL + 1e-3, 3.0])
def test_the_formula_of_the_torus_is_the_sum_over_all_its_states(temperature):
    assert kaufman(temperature, 4) == pytest.approx(brute_force(temperature, 4), abs=1e-6)


@pytest.mark.parametrize("temperature", [1.8, CRITICAL + 1e-3, 3.0])  # Metropolis alone, clusters, Metropolis
def test_the_energy_is_that_of_the_exact_solution(temperature):
    states = Ising(size=10).equilibrium(np.random.default_rng(1), np.full(1000, temperature))
    energies = energy(states, 10)
    error = energies.std() / np.sqrt(len(energies))
    assert abs(energies.mean() - kaufman(temperature, 10)) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [1.2, 2.0, 2.2, CRITICAL + 1e-3, 2.4, 3.0])
def test_the_default_lattice_is_in_equilibrium(temperature):
    energies = energy(Ising().equilibrium(np.random.default_rng(2), np.full(5000, temperature)), 20)
    error = energies.std() / np.sqrt(len(energies))
    assert abs(energies.mean() - kaufman(temperature, 20)) < 4 * error
    if abs(temperature - CRITICAL) > 0.25:
        assert abs(energies.mean() - onsager(temperature)) < 4 * error + 1e-4


def test_the_infinite_lattice_is_the_limit_of_the_torus():
    assert onsager(2.0) == pytest.approx(-1.745564575, abs=1e-8)
    for temperature in (1.8, 3.0):
        assert kaufman(temperature, 30) == pytest.approx(onsager(temperature), abs=1e-5)


def test_the_magnetisation_is_onsagers_below_and_small_above():
    states = Ising(size=16).equilibrium(np.random.default_rng(3), np.repeat([2.0, 3.5], 200))
    sizes = np.abs(states.mean(axis=0))
    below, above = sizes[:200], sizes[200:]
    yang = (1 - np.sinh(2 / 2.0) ** -4) ** (1 / 8)
    assert below.mean() == pytest.approx(yang, abs=0.01)
    assert above.mean() < 0.2


def test_a_state_in_the_minimum_and_a_chessboard():
    assert energy(np.ones((16, 1), dtype=np.int8), 4).tolist() == [-2]
    chess = (np.indices((4, 4)).sum(0) % 2 * 2 - 1).astype(np.int8).reshape(16, 1)
    assert energy(chess, 4).tolist() == [2]
    right, below, left, above = neighbouring(4)[:, 0]
    assert (right, below, left, above) == (1, 4, 3, 12)


def test_events_are_seeded_symmetric_and_labelled_by_their_temperature():
    data = Ising(states=2000, size=6, sweeps=30, cluster_sweeps=3, seed=5)
    events = data.load()
    assert events.check() is events
    assert (data.load().features == events.features).all()
    assert not (
        Ising(states=2000, size=6, sweeps=30, cluster_sweeps=3, seed=6).load().features == events.features
    ).all()
    assert set(np.unique(events.features)) == {-1, 1}
    assert events.names[7] == "spin_1_1"
    temperature = events.spectators["temperature"]
    assert (events.labels == (temperature < CRITICAL)).all()
    assert temperature.min() == 1.0
    assert temperature.max() == 3.5
    # Each state is flipped or not: the mean of a spin is zero in each class, though its size is nearly one.
    ordered = events.features[events.labels == 1]
    assert np.abs(ordered.mean(axis=1)).mean() > 0.8
    assert abs(ordered.mean(axis=1).mean()) < 4 / np.sqrt(len(ordered))
    outline = data.outline()
    assert (outline.features, outline.spectators) == (events.names, tuple(events.spectators))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperatures": (2.5, 3.0)}, r"temperatures must lie on both sides of 2\.269"),
        ({"size": 7}, "size must be an even number of at least 4, as of a chessboard, not 7"),
        ({"states": 1}, "states must be at least 2, not 1"),
        ({"sweeps": 0}, "sweeps must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_simulated_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Ising(**settings, split=Split())

"""Ising: spin configurations of the two-dimensional Ising model at random temperatures."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hepclf.data.loader import Outline
from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.recipe import recipe

CRITICAL = 2 / np.log(1 + np.sqrt(2))  # Onsager's critical temperature, 2.269 J/k
NEAR = 0.35  # from it, where a Metropolis sweep changes large domains too slowly
CLASSES = ("disordered", "ordered")
SPECTATORS = ("temperature", "magnetisation", "energy")
PART = 1 << 12  # states that are simulated at once, so that they stay in the caches
Rng = np.random.Generator
Spins = NDArray[np.int8]


@recipe
class Ising:
    """Spins +1 and -1 on a square lattice with periodic edges, in thermal equilibrium at temperatures of a range.

    The features are the spins, spin_0_0, spin_0_1... A state is ordered if its temperature (in units of J/k) is below
    the critical one, 2.269. Each state is flipped as a whole with probability 1/2, so no single spin tells its phase.

    states        number of states, whose temperatures are uniform in the range
    sweeps        Metropolis sweeps of each state, from an ordered or a random start
    cluster_sweeps  updates of all clusters (Swendsen-Wang) of the states near the critical temperature

    Spectators: the temperature, the magnetisation (its size, per spin) and the energy per spin in units of J.
    With `check`, a training warns about suspicious events; `labels` are titles and units in pictures.
    """

    states: int = 10_000
    size: int = 20
    temperatures: tuple[float, float] = (1.0, 3.5)
    sweeps: int = 80
    cluster_sweeps: int = 20
    seed: int = 0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        low, high = self.temperatures
        if not 0 < low < CRITICAL < high < np.inf:
            raise ValueError(f"temperatures must lie on both sides of 2.269, above 0, not be {[low, high]}")
        if self.size < 4 or self.size % 2:
            raise ValueError(f"size must be an even number of at least 4, as of a chessboard, not {self.size}")
        bounds = {"states": 2, "sweeps": 1, "cluster_sweeps": 0, "seed": 0}
        for name, bound in bounds.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, not {getattr(self, name)}")

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"spin_{i}_{j}" for i in range(self.size) for j in range(self.size))

    def outline(self) -> Outline:
        """Everything is known in advance."""
        return Outline(CLASSES, CLASSES, self._names, SPECTATORS)

    def load(self) -> Events:
        """States in random order; the same seed gives the same states."""
        rng = np.random.default_rng(self.seed)
        temperatures = rng.uniform(*self.temperatures, self.states)
        temperatures[:2] = self.temperatures  # one state of each class at least
        parts = [slice(start, start + PART) for start in range(0, self.states, PART)]
        spins = np.concatenate([self.equilibrium(rng, temperatures[part]) for part in parts], axis=1)
        spins *= rng.choice(np.array([-1, 1], dtype=np.int8), self.states)
        return Events(
            features=spins.T.astype(np.float32),
            labels=(temperatures < CRITICAL).astype(np.int64),
            names=self._names,
            classes=CLASSES,
            spectators={
                "temperature": temperatures,
                "magnetisation": np.abs(spins.mean(axis=0)),
                "energy": energy(spins, self.size),
            },
        )

    def equilibrium(self, rng: Rng, temperatures: NDArray[np.float64]) -> Spins:
        """A state [size^2, n] for each of these temperatures [n]."""
        spins = rng.choice(np.array([-1, 1], dtype=np.int8), (self.size**2, len(temperatures)))
        spins[:, temperatures < CRITICAL] = 1
        neighbours = neighbouring(self.size)
        for _ in range(self.sweeps):
            _metropolis(rng, spins, neighbours, temperatures)
        near = np.flatnonzero(np.abs(temperatures - CRITICAL) < NEAR)
        for _ in range(self.cluster_sweeps):
            spins[:, near] = _swendsen_wang(rng, spins[:, near], neighbours, temperatures[near])
        return spins


def energy(spins: Spins, size: int) -> NDArray[np.float64]:
    """The energy per spin of states [size^2, n], in units of J: between -2 and 2."""
    right, below = neighbouring(size)[:2]
    products = spins * (spins[right] + spins[below])
    per_spin: NDArray[np.float64] = -products.mean(axis=0)
    return per_spin


def neighbouring(size: int) -> NDArray[np.int64]:
    """The places of the neighbours of each spin [4, size^2]: to the right, below, to the left and above."""
    lattice = np.arange(size**2).reshape(size, size)
    rolled = [np.roll(lattice, shift, axis) for shift, axis in ((-1, 1), (-1, 0), (1, 1), (1, 0))]
    return np.stack(rolled).reshape(4, -1)


def _metropolis(rng: Rng, spins: Spins, neighbours: NDArray[np.int64], temperatures: NDArray[Any]) -> None:
    """Offer each spin a flip, first those on the white fields of a chessboard, then those on the black ones.

    A flip that costs the energy E is accepted with probability exp(-E/T), which is that of T times an exponential
    deviate above E.
    """
    size = int(np.sqrt(len(spins)))
    colours = np.add.outer(np.arange(size), np.arange(size)).ravel() % 2
    half = (temperatures / 2).astype(np.float32)
    for colour in (0, 1):
        fields = np.flatnonzero(colours == colour)
        right, below, left, above = neighbours[:, fields]
        aligned = spins[fields] * (spins[right] + spins[below] + spins[left] + spins[above])  # a flip costs 2 J of each
        flips = aligned < half * rng.standard_exponential(aligned.shape, dtype=np.float32)
        spins[fields] = np.where(flips, -spins[fields], spins[fields])


def _swendsen_wang(rng: Rng, spins: Spins, neighbours: NDArray[np.int64], temperatures: NDArray[Any]) -> Spins:
    """The states after each of their clusters was flipped with probability 1/2.

    Equal neighbours are in one cluster with probability 1 - exp(-2/T).
    """
    bonding = -np.expm1(-2 / temperatures)
    numbers = np.arange(spins.size).reshape(spins.shape)
    ends: list[list[NDArray[Any]]] = [[], []]
    for direction in neighbours[:2]:
        bonds = (spins == spins[direction]) & (rng.random(spins.shape, dtype=np.float32) < bonding)
        ends[0].append(numbers[bonds])
        ends[1].append(numbers[direction][bonds])
    first, second = (np.concatenate(end) for end in ends)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(spins.size, spins.size))
    count, clusters = connected_components(graph, directed=False)
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), count)
    flipped: Spins = spins * signs[clusters].reshape(spins.shape)
    return flipped

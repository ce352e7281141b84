"""Boxes of cuts with the least background at given signal efficiencies; a search moves two edges at a time.

Each edge has places, numbered from 0 (open) inwards; an event's code for an edge is the last place at which the event
still passes. A box is one place per edge, and holds the events whose codes all reach the place of their edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.uint8]
Box = NDArray[np.int64]
GAIN = 1e-3  # of the background: a round over all pairs that gains less is the last
ROUNDING = 1e-9  # sums of the same weights in another order differ by less


class CodedSample:
    """Events of one class by their codes [edges, n], with weights [n] that are scaled to a sum of one."""

    def __init__(self, codes: Codes, weights: Array) -> None:
        self.codes, self.weights = codes, weights / weights.sum()
        self.places = int(codes.max(initial=0)) + 1
        self.apply(np.zeros(len(codes), dtype=np.int64))

    def apply(self, box: Box) -> None:
        """Store which events each edge of this box rejects."""
        self._cut = self.codes < box[:, None]
        self._cuts = self._cut.sum(axis=0, dtype=np.uint8)

    @property
    def share(self) -> float:
        """The fraction of the weight in the box."""
        return float(self.weights[self._cuts == 0].sum())

    def shares(self, first: int, second: int, places: int) -> Array:
        """The fraction in the box for all places of two of its edges, [places, places]."""
        inside = np.flatnonzero(self._cuts == self._cut[first].view(np.uint8) + self._cut[second].view(np.uint8))
        cells = self.codes[first, inside].astype(np.int64) * places + self.codes[second, inside]
        table: Array = np.bincount(places**2 - 1 - cells, self.weights[inside], minlength=places**2).astype(np.float64)
        return table.reshape(places, places).cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]


class Search:
    """A search for boxes; `signal` and `background` have the same edges, at least two."""

    def __init__(self, signal: CodedSample, background: CodedSample, seed: int) -> None:
        self._signal, self._background = signal, background
        self._places = max(signal.places, background.places)
        self._pairs: list[tuple[int, int]] = list(combinations(range(len(signal.codes)), 2))
        self._random = np.random.default_rng(seed)

    def background(self, box: Box) -> float:
        """The background efficiency of the box."""
        self._background.apply(box)
        return self._background.share

    def best(self, targets: Sequence[float], restarts: int) -> list[Box]:
        """The best box for each signal efficiency; each search goes from open to tight.

        targets  descending
        """
        best: list[Box] = []
        for _ in range(restarts):
            box, path = self.open, []
            for target in targets:
                box = self.descend(box, target, self.open, self.tight)
                path.append(box)
            best = [min(pair, key=self.background) for pair in zip(best or path, path, strict=True)]
        return best

    def nested(self, targets: Sequence[float], boxes: Sequence[Box], anchor: int) -> list[Box]:
        """Boxes, each inside the one before; the box of the anchor stays unchanged."""
        chain = list(boxes)
        for i in range(anchor - 1, -1, -1):
            # Each looser box must contain the next tighter one: the smaller place of each edge is the looser.
            outside = np.minimum(boxes[i], chain[i + 1])
            chain[i] = self.descend(outside, targets[i], self.open, chain[i + 1])
        for i in range(anchor + 1, len(chain)):
            chain[i] = self.descend(chain[i - 1], targets[i], chain[i - 1], self.tight)
        return chain

    @property
    def open(self) -> Box:
        """The box that holds all events."""
        return np.zeros(len(self._signal.codes), dtype=np.int64)

    @property
    def tight(self) -> Box:
        """Every edge at its last place."""
        return self.open + self._places - 1

    def descend(self, box: Box, target: float, low: Box, high: Box) -> Box:
        """The box at which moving any two edges, between low and high, no longer gains enough for another round.

        The first box must keep at least the target signal efficiency; then all later boxes do as well.
        """
        box = box.copy()
        for sample in (self._signal, self._background):
            sample.apply(box)
        previous = np.inf
        while self._background.share < (1 - GAIN) * previous:
            previous = self._background.share
            for pair in self._random.permutation(self._pairs).tolist():
                self._move(box, pair, target, low, high)
        return box

    def _move(self, box: Box, pair: list[int], target: float, low: Box, high: Box) -> None:
        """Move two edges to their best places: least background first, then most signal."""
        allowed = tuple(slice(low[edge], high[edge] + 1) for edge in pair)
        signal, background = (
            sample.shares(pair[0], pair[1], self._places)[allowed] for sample in (self._signal, self._background)
        )
        eligible = np.where(signal >= target - ROUNDING, background, np.inf)
        cleanest = eligible <= eligible.min() + ROUNDING
        # Of the equally clean places, the one with the most signal.
        best = np.unravel_index(np.argmax(np.where(cleanest, signal, -1)), signal.shape)
        background_removed = self._background.share - background[best]
        signal_gained = signal[best] - self._signal.share
        if background_removed < ROUNDING and (background_removed < -ROUNDING or signal_gained < ROUNDING):
            return
        box[pair] = low[pair] + best
        for sample in (self._signal, self._background):
            sample.apply(box)

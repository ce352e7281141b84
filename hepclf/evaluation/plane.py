"""A tagger's probability over the plane of two features, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """The probability of the signal over a grid of two features, with some events on top.

    names        the two features, x then y
    x, y         [i], [j]: where the grid was evaluated, increasing
    probability  [j, i]
    points       [m, 2]: events to show
    labels       integers [m]: their true classes
    """

    names: tuple[str, str]
    x: NDArray[np.floating[Any]]
    y: NDArray[np.floating[Any]]
    probability: NDArray[np.floating[Any]]
    points: NDArray[np.floating[Any]]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.names) != 2:
            raise ValueError(f"a plane has two features, however {len(self.names)} are named: {list(self.names)}")
        if self.probability.shape != (shape := (len(self.y), len(self.x))):
            raise ValueError(f"probability must have shape {shape}, however its shape is {self.probability.shape}")
        if self.points.shape != (len(self.labels), 2):
            raise ValueError(
                f"points must have shape ({len(self.labels)}, 2), however their shape is {self.points.shape}"
            )

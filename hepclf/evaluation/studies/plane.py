"""The signal probability over the plane of two features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.words import Grid

Array = NDArray[np.floating[Any]]

TAIL = 0.005  # fraction of the events beyond each end of the plane, before the margin is added
MARGIN = 0.05  # of the width, on each side


@recipe
class Plane:
    """The signal probability over the plane of two features, for a picture only.

    grid  points along each feature
    """

    question: ClassVar[str] = "Where in the plane of its two features does the tagger decide for the signal?"
    page_title: ClassVar[str] = "Plane of the two features"
    page_section: ClassVar[str] = "learn"
    picture_only: ClassVar[bool] = True

    grid: int = 200

    def __post_init__(self) -> None:
        if not 2 <= self.grid <= 2000:
            raise ValueError(f"grid must be a number of points in 2..2000, not {self.grid}; choose 200, say")

    def study(self, case: Case) -> ProbabilityPlane | None:
        """The plane; None without features, for more or fewer than two, and for more than two classes."""
        if case.inside is None or len(case.inside.names) != 2 or len(case.scored.classes) != 2:
            return None
        if "test" not in case.parts:
            return None
        test = case.parts["test"]
        points = case.inside.read(np.arange(len(test), dtype=np.intp))
        known = ~np.isnan(points).any(axis=1)
        if not known.any():
            return None
        x, y = self._axes(points[known])
        grid = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1).astype(np.float32)
        probability = case.inside.ask(grid).reshape(len(y), len(x))
        if case.signal == 0:  # scores are probabilities of the second class
            probability = 1 - probability
        return ProbabilityPlane(
            names=(case.inside.names[0], case.inside.names[1]),
            x=x,
            y=y,
            probability=probability,
            points=points[known],
            labels=test.labels[known],
        )

    def _axes(self, points: Array) -> tuple[Array, Array]:
        low, high = np.quantile(points, (TAIL, 1 - TAIL), axis=0)
        margin = MARGIN * (high - low)
        x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], self.grid) for i in range(2))
        return x, y


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityPlane:
    """The probability of the signal over a grid of two features, with the test events.

    names        the two features, x then y
    x, y         [i], [j]: where the grid was evaluated, increasing
    probability  [j, i]
    points       [m, 2]: events to show
    labels       integers [m]: their true classes
    """

    names: tuple[str, str]
    x: Array
    y: Array
    probability: Array
    points: Array
    labels: NDArray[np.int64]

    @property
    def sentences(self) -> tuple[str, ...]:
        """None: the finding is a picture."""
        return ()

    @property
    def tables(self) -> tuple[Grid, ...]:
        """None."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Nothing: the numbers of the picture are in the files beside it."""
        return {}

"""The decision regions of several classes in the plane of two features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.plane import scored_plane
from hepclf.recipe import recipe
from hepclf.words import Grid

Array = NDArray[np.floating[Any]]


@recipe
class Regions:
    """The most probable class over the plane of two features, for a picture only.

    grid  points along each feature
    """

    question: ClassVar[str] = "Where in the plane of its two features does the tagger decide for which class?"
    page_title: ClassVar[str] = "Decision regions"
    page_section: ClassVar[str] = "learn"
    picture_only: ClassVar[bool] = True

    grid: int = 200

    def __post_init__(self) -> None:
        if not 2 <= self.grid <= 2000:
            raise ValueError(f"grid must be a number of points in 2..2000, not {self.grid}; choose 200, say")

    def study(self, case: Case) -> DecisionRegions | None:
        """The regions; None for two classes, and for more or fewer than two features."""
        if len(case.scored.classes) < 3 or (plane := scored_plane(case, self.grid)) is None:
            return None
        return DecisionRegions(
            names=plane.names,
            x=plane.x,
            y=plane.y,
            decision=plane.scores.argmax(axis=2),
            points=plane.points,
            labels=plane.labels,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionRegions:
    """The label of the most probable class over a grid of two features, with the test events.

    names     the two features, x then y
    x, y      [i], [j]: where the grid was evaluated, increasing
    decision  integers [j, i]
    points    [m, 2]: events to show
    labels    integers [m]: their true classes
    """

    names: tuple[str, str]
    x: Array
    y: Array
    decision: NDArray[np.intp]
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

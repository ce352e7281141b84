"""The decision regions of several classes in the plane of two features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.plane import PlaneFinding, scored_plane
from hepclf.recipe import recipe


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
class DecisionRegions(PlaneFinding):
    """The label of the most probable class over the plane.

    decision  integers [j, i]
    """

    decision: NDArray[np.intp]

"""The signal probability over the plane of two features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

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

    grid        points along each feature
    thresholds  further thresholds that are drawn as lines, with the efficiencies of each
    """

    question: ClassVar[str] = "Where in the plane of its two features does the tagger decide for the signal?"
    page_title: ClassVar[str] = "Plane of the two features"
    page_section: ClassVar[str] = "learn"
    picture_only: ClassVar[bool] = True

    grid: int = 200
    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if wrong := [threshold for threshold in self.thresholds if not 0 < threshold < 1]:
            raise ValueError(f"thresholds must lie between 0 and 1, not {wrong[0]}; choose [0.3, 0.5, 0.7], say")
        if not 2 <= self.grid <= 2000:
            raise ValueError(f"grid must be a number of points in 2..2000, not {self.grid}; choose 200, say")

    def study(self, case: Case) -> ProbabilityPlane | None:
        """The plane; None without features, for more or fewer than two, and for more than two classes."""
        if len(case.scored.classes) != 2 or (plane := scored_plane(case, self.grid)) is None:
            return None
        probability = plane.scores
        if case.signal == 0:  # scores are probabilities of the second class
            probability = 1 - probability
        return ProbabilityPlane(
            names=plane.names,
            x=plane.x,
            y=plane.y,
            probability=probability,
            points=plane.points,
            labels=plane.labels,
            lines={threshold: _efficiencies(case, threshold) for threshold in self.thresholds},
        )


def _efficiencies(case: Case, threshold: float) -> tuple[float, float]:
    """The fractions of signal and background on test at this threshold or above."""
    test, passed = case.parts["test"], case.discriminant("test") >= threshold
    is_signal = test.labels == case.signal
    weights = case.weights("test").within
    signal, background = (float(weights[part & passed].sum() / weights[part].sum()) for part in (is_signal, ~is_signal))
    return signal, background


class ScoredPlane(NamedTuple):
    """The scores over a grid of two features, [j, i] or [j, i, k], with the test events."""

    names: tuple[str, str]
    x: Array
    y: Array
    scores: Array
    points: Array
    labels: NDArray[np.int64]


def scored_plane(case: Case, grid: int) -> ScoredPlane | None:
    """The scores of `grid` points along each of two features; None for other numbers of features, or without events."""
    if case.inside is None or len(case.inside.names) != 2 or "test" not in case.parts:
        return None
    test = case.parts["test"]
    points = case.inside.read(np.arange(len(test), dtype=np.intp))
    known = ~np.isnan(points).any(axis=1)
    if not known.any():
        return None
    x, y = _axes(points[known], grid)
    places = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1).astype(np.float32)
    scores = case.inside.ask(places)
    names = (case.inside.names[0], case.inside.names[1])
    return ScoredPlane(names, x, y, scores.reshape(grid, grid, *scores.shape[1:]), points[known], test.labels[known])


def _axes(points: Array, grid: int) -> tuple[Array, Array]:
    low, high = np.quantile(points, (TAIL, 1 - TAIL), axis=0)
    margin = MARGIN * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], grid) for i in range(2))
    return x, y


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneFinding:
    """What is drawn over a grid of two features, with the test events; it is a picture alone.

    names   the two features, x then y
    x, y    [i], [j]: where the grid was evaluated, increasing
    points  [m, 2]: events to show
    labels  integers [m]: their true classes
    """

    names: tuple[str, str]
    x: Array
    y: Array
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


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityPlane(PlaneFinding):
    """The probability of the signal over the plane.

    probability  [j, i]
    lines        efficiencies of signal and background by threshold
    """

    probability: Array
    lines: Mapping[float, tuple[float, float]] = field(default_factory=dict)

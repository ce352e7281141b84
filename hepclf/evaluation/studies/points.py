"""Working points as an analysis uses them: cuts chosen on validation and quoted on test, for each process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.chosen import Wish, check_shares, granted_cuts, wishes, wishes_text
from hepclf.statistics.curves.limit import (
    Limit,
    background_limit,
    background_text,
    heaviest,
    rejection_limit,
    rejection_text,
)
from hepclf.statistics.curves.passing import Passing, passing
from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured
from hepclf.words import Grid, grouped_rows, number, percent, score_cut, upper_limit

Array = NDArray[np.float64]
ACROSS = 3  # cuts side by side in a table of 80 columns


@recipe
class Points:
    """Cuts for target signal efficiencies, background efficiencies or background yields, chosen on validation.

    `signal_efficiencies` are by default those of the evaluation. `backgrounds` are expected events (false alarms) of
    the whole sample. A cut has at least the target signal efficiency, or at most the target background.
    """

    question: ClassVar[str] = "Which cuts have a given efficiency, and how efficient are they for each process?"
    page_title: ClassVar[str] = "Working points"
    page_section: ClassVar[str] = "cut"

    signal_efficiencies: tuple[float, ...] | None = None
    background_efficiencies: tuple[float, ...] = (0.1, 0.01)
    backgrounds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_shares(signal_efficiencies=self.signal_efficiencies, background_efficiencies=self.background_efficiencies)
        for target in self.backgrounds:
            if not 0 < target < np.inf:
                raise ValueError(f"backgrounds must be above 0 expected events, not {target:g}")

    def study(self, case: Case) -> WorkingPoints | None:
        """The cuts and their efficiencies on test; None without targets, or where a split has no events."""
        requests = wishes(
            signal_efficiency=case.efficiencies(self.signal_efficiencies),
            background_efficiency=self.background_efficiencies,
            background=self.backgrounds,
        )
        if not requests or not {"valid", "test"} <= set(case.parts):
            return None
        counted = case.counted["valid"]
        expected = counted.curve if isinstance(counted, Counted) else counted
        cuts, refused = granted_cuts(requests, case.curves["valid"], expected)
        return WorkingPoints(points=tuple(_quoted(case, cuts)), refused=refused, signal=_signal_processes(case))


@dataclass(frozen=True, eq=False)
class Process:
    """A process above a cut: its efficiency, and its expected events where there are yields.

    limit  upper limits of the efficiency where no event passes
    """

    efficiency: Value
    expected: Value
    limit: Limit | None = None

    @property
    def efficiency_text(self) -> str:
        """The efficiency with its error, or its upper limit where no event passes."""
        if self.limit is not None:
            return upper_limit(self.limit.at_95)
        return number(*self.efficiency)


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """A cut chosen on validation, and the test events above it; s and b are expected events of the whole sample.

    `limit` is the lower limit of the rejection and `b_limit` the upper limit of b where no background event passes.
    `processes` is empty where the processes are the classes.
    """

    wish: Wish
    cut: float
    signal_efficiency: Value
    background_efficiency: Value
    rejection: Value
    limit: Limit | None = None
    s: Value = NOTHING
    b: Value = NOTHING
    b_limit: Limit | None = None
    processes: Mapping[str, Process]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        plain: dict[str, Any] = {"chosen_for": self.wish.quantity, "target": self.wish.target, "cut": self.cut}
        for name in ("signal_efficiency", "background_efficiency", "rejection", "s", "b"):
            plain[name] = getattr(self, name).to_dict()
        if self.limit:
            plain["rejection_limit"] = self.limit._asdict()
        if self.b_limit:
            plain["b_limit"] = self.b_limit._asdict()
        if self.processes:
            plain["processes"] = {
                name: {"efficiency": process.efficiency.to_dict(), "expected": process.expected.to_dict()}
                for name, process in self.processes.items()
            }
        return plain


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkingPoints:
    """The points, the targets that no cut meets, and the processes that are signal."""

    points: tuple[Point, ...]
    refused: Mapping[Wish, str]
    signal: frozenset[str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The largest background at the middle point, and the targets that no cut meets."""
        refused = tuple(f"No cut for {wish}: {why}." for wish, why in self.refused.items())
        points = [point for point in self.points if point.processes and point.b.value]
        if not points:
            return refused
        middle = points[(len(points) - 1) // 2]
        return (*_greatest(middle, self.signal), *refused)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The points, and the efficiency of each process, three points at a time."""
        if not self.points:
            return ()
        header = ("chosen for", "score ≥", "signal eff.", "background eff.", "rejection")
        rows = [
            (
                wishes_text(same.wish for same in (point, *ties)),
                score_cut(point.cut),
                number(*point.signal_efficiency),
                background_text(point.background_efficiency, point.limit),
                rejection_text(point.rejection, point.limit),
            )
            for point, *ties in self.distinct
        ]
        return (Grid("cuts chosen on validation, quoted on test", header, rows), *self._processes())

    @property
    def distinct(self) -> list[list[Point]]:
        """The points of each cut: several targets share a cut where scores tie."""
        return grouped_rows(self.points, lambda point: point.cut)

    def _processes(self) -> Iterator[Grid]:
        for start in range(0, len(self.distinct), ACROSS):
            groups = self.distinct[start : start + ACROSS]
            if names := tuple(groups[0][0].processes):
                rows = [(name, *(point.processes[name].efficiency_text for point, *_ in groups)) for name in names]
                title = "efficiency of each process on test" + ", continued" * (start > 0)
                header = ("at the cut for", *(wishes_text(point.wish for point in same) for same in groups))
                yield Grid(title, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        refused = [
            {"chosen_for": wish.quantity, "target": wish.target, "reason": why} for wish, why in self.refused.items()
        ]
        return {"points": [point.to_dict() for point in self.points], "refused": refused}


def _quoted(case: Case, cuts: Mapping[Wish, float]) -> Iterator[Point]:
    part, expected = case.parts["test"], case.counted["test"]
    thresholds = np.array(list(cuts.values()))
    classes, _ = _passed(case, thresholds, case.weights("test").within)
    _, processes = _passed(case, thresholds, part.weights)
    sums: tuple[Passing, Passing] | None = None
    if isinstance(expected, Counted):
        sums = _passed(case, thresholds, expected.weights)
    for column, (wish, cut) in enumerate(cuts.items()):
        efficiency = classes.value(0, column)
        point = Point(
            wish=wish,
            cut=cut,
            signal_efficiency=classes.value(1, column),
            background_efficiency=efficiency,
            rejection=inverse_efficiency(efficiency),
            processes=_processes(part, processes, sums, column),
        )
        if sums is not None:
            point = replace(point, s=sums[0].sum(1, column), b=sums[0].sum(0, column))
        if classes.passing_squares[0, column] == 0 and efficiency.value == 0:
            point = replace(point, limit=_limit(case), b_limit=_b_limit(case, expected))
        yield point


def _passed(case: Case, thresholds: Array, weights: Array) -> tuple[Passing, Passing]:
    """Test events above the thresholds, in background and signal, and in each process."""
    part = case.parts["test"]
    count = len(part.process_names)
    # A process may have events of both classes, so it has two groups.
    groups = part.processes * 2 + (part.labels == case.signal)
    fine = passing(case.discriminant("test"), thresholds, groups, weights, 2 * count)
    index = np.arange(2 * count)
    return fine.merged(index % 2, 2), fine.merged(index // 2, count)


def _processes(
    part: Scored, processes: Passing, sums: tuple[Passing, Passing] | None, column: int
) -> dict[str, Process]:
    """The processes with events above one cut; empty where the processes are the classes."""
    names = part.process_names
    if len(names) <= len(part.classes):
        return {}
    table = {}
    for i in np.flatnonzero(processes.squares > 0).tolist():
        expected = NOTHING
        if sums is not None:
            expected = sums[1].sum(i, column)
        table[names[i]] = Process(processes.value(i, column), expected, _efficiency_limit(processes, i, column))
    return table


def _efficiency_limit(processes: Passing, group: int, cut: int) -> Limit | None:
    """Upper limits of the efficiency of a process, -ln(1 - confidence) / its effective count; None where one passes."""
    total, squares = float(processes.total[group]), float(processes.squares[group])
    if processes.passing_squares[group, cut] > 0 or not has_positive_sum(total, squares):
        return None
    return Limit(*(limit / total for limit in background_limit(squares / total)))


def inverse_efficiency(efficiency: Value) -> Value:
    """The rejection 1/e with its error, error/e^2; without a value where no background passes."""
    value, error = efficiency
    if value is None or value <= 0:
        return NOTHING
    if error is None:
        return measured(1 / value)
    return measured(1 / value, error / value**2)


def _limit(case: Case) -> Limit:
    """Lower limit of the rejection of a cut that no background event of the test set passes."""
    part = case.parts["test"]
    background = part.labels != case.signal
    weights = case.weights("test").within[background]
    return rejection_limit(float(weights.sum()), heaviest(weights, part.processes[background]))


def _b_limit(case: Case, expected: Counted | str) -> Limit | None:
    """Upper limit of the expected background of such a cut; None without expected yields."""
    if isinstance(expected, str):
        return None
    part = case.parts["test"]
    background = part.labels != case.signal
    return background_limit(heaviest(expected.weights[background], part.processes[background]))


def _signal_processes(case: Case) -> frozenset[str]:
    part = case.parts["test"]
    present = np.unique(part.processes[part.labels == case.signal])
    return frozenset(part.process_names[i] for i in present)


def _greatest(point: Point, signal: frozenset[str]) -> Iterator[str]:
    """The process with the largest background above a cut."""
    yields = {name: process.expected.value or 0.0 for name, process in point.processes.items() if name not in signal}
    if len(yields) < 2 or not point.b.value:
        return
    name = max(yields, key=yields.__getitem__)
    share = percent(yields[name] / point.b.value, 0)
    yield (
        f"Largest background at the cut chosen on validation for {point.wish}: {name}, with {share} of the events "
        f"(efficiency {number(*point.processes[name].efficiency)})."
    )

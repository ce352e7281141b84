"""Working points as an analysis uses them: cuts chosen on validation, quoted on test, process by process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.chosen import Wish, check_shares, granted_cuts, wishes, wishes_text
from hepclf.statistics.curves.limit import Limit, background_limit, heaviest, rejection_limit
from hepclf.statistics.curves.passing import Passing, passing
from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured
from hepclf.words import Grid, grouped_rows, lower_limit, number, percent, score_cut

ACROSS = 3  # cuts side by side in a table of 80 columns


@recipe
class Points:
    """Cuts by their signal efficiency, background efficiency or number of background events on validation.

    `signal_efficiencies` are those of the evaluation where not given. `backgrounds` are expected events (false
    alarms) of the whole sample. A cut has at least the signal efficiency, at most the background.
    """

    question: ClassVar[str] = "Which cuts have a given efficiency, and how efficient are they for each process?"
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
        """The cuts with what they keep of test; None where no cut is asked for, or a split has no events."""
        targets = case.targets if self.signal_efficiencies is None else self.signal_efficiencies
        requests = wishes(
            signal_efficiency=targets,
            background_efficiency=self.background_efficiencies,
            background=self.backgrounds,
        )
        if not requests or not {"valid", "test"} <= set(case.parts):
            return None
        expected = case.counted["valid"]
        cuts, refused = granted_cuts(
            requests, case.curves["valid"], expected.curve if isinstance(expected, Counted) else expected
        )
        return WorkingPoints(points=tuple(_quoted(case, cuts)), refused=refused, signal=_signal_processes(case))


@dataclass(frozen=True, kw_only=True, eq=False)
class Process:
    """What a cut keeps of a process: its efficiency, and its expected events where yields can be had.

    limit  upper limits of the efficiency where no event is left
    """

    efficiency: Value
    expected: Value
    limit: Limit | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """A cut chosen on validation and what it keeps of test; s and b are expected events of the whole sample.

    `limit` is what the rejection is greater than where no background event is left, `b_limit` what b is less than
    there. `processes` is empty where they are the classes.
    """

    wish: Wish
    cut: float
    signal_efficiency: Value
    background_efficiency: Value
    rejection: Value
    limit: Limit | None
    s: Value
    b: Value
    b_limit: Limit | None
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
    """The points, why some could not be had, and which processes are signal."""

    points: tuple[Point, ...]
    refused: Mapping[Wish, str]
    signal: frozenset[str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The background that is left at the middle point, and the wishes that could not be granted."""
        refused = tuple(f"No cut for {wish}: {why}." for wish, why in self.refused.items())
        points = [point for point in self.points if point.processes and point.b.value]
        return (*_greatest(points[(len(points) - 1) // 2], self.signal), *refused) if points else refused

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The points, and the efficiency of each process, three points at a time."""
        if not self.points:
            return ()
        header = ("chosen for", "threshold", "signal eff.", "background eff.", "rejection")
        rows = [
            (
                wishes_text(same.wish for same in (point, *ties)),
                score_cut(point.cut),
                number(*point.signal_efficiency),
                number(*point.background_efficiency),
                number(*point.rejection, 1) if point.limit is None else lower_limit(point.limit.at_95),
            )
            for point, *ties in self.distinct
        ]
        return (Grid("cuts chosen on validation, quoted on test", header, rows), *self._processes())

    @property
    def distinct(self) -> list[list[Point]]:
        """The points of each cut: several wishes have one cut where scores tie."""
        return grouped_rows(self.points, lambda point: point.cut)

    def _processes(self) -> Iterator[Grid]:
        for start in range(0, len(self.distinct), ACROSS):
            groups = self.distinct[start : start + ACROSS]
            if names := tuple(groups[0][0].processes):
                rows = [(name, *(number(*point.processes[name].efficiency) for point, *_ in groups)) for name in names]
                title = "efficiency of each process on test" + (", continued" if start else "")
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
    names = part.process_names
    # A process may be in both classes: two groups each.
    groups = part.processes * 2 + (part.labels == case.signal)
    thresholds = np.array(list(cuts.values()))

    def passed(weights: NDArray[np.float64]) -> tuple[Passing, Passing]:
        fine = passing(case.discriminant("test"), thresholds, groups, weights, 2 * len(names))
        index = np.arange(2 * len(names))
        return fine.merged(index % 2, 2), fine.merged(index // 2, len(names))

    classes, processes = passed(case.weights("test").within)[0], passed(part.weights)[1]
    sums = passed(expected.weights) if isinstance(expected, Counted) else None
    present = [i for i in range(len(names)) if processes.squares[i] > 0] if len(names) > len(part.classes) else []
    for column, (wish, cut) in enumerate(cuts.items()):
        efficiency = classes.value(0, column)
        empty = classes.passing_squares[0, column] == 0 and efficiency.value == 0
        yield Point(
            wish=wish,
            cut=cut,
            signal_efficiency=classes.value(1, column),
            background_efficiency=efficiency,
            rejection=inverse_efficiency(efficiency),
            limit=_limit(case) if empty else None,
            b_limit=_b_limit(case, expected) if empty and isinstance(expected, Counted) else None,
            s=sums[0].sum(1, column) if sums else NOTHING,
            b=sums[0].sum(0, column) if sums else NOTHING,
            processes={
                names[i]: Process(
                    efficiency=processes.value(i, column),
                    expected=sums[1].sum(i, column) if sums else NOTHING,
                    limit=_efficiency_limit(processes, i, column),
                )
                for i in present
            },
        )


def _efficiency_limit(processes: Passing, group: int, cut: int) -> Limit | None:
    """Upper limits of the efficiency of a process of which no event passes: -ln(1 - confidence) over its count."""
    total, squares = float(processes.total[group]), float(processes.squares[group])
    if processes.passing_squares[group, cut] > 0 or not has_positive_sum(total, squares):
        return None
    return Limit(*(limit / total for limit in background_limit(squares / total)))


def inverse_efficiency(efficiency: Value) -> Value:
    """The rejection 1/e with its error, error/e^2; nothing where no background is left."""
    value, error = efficiency
    if value is None or value <= 0:
        return NOTHING
    return measured(1 / value, None if error is None else error / value**2)


def _limit(case: Case) -> Limit:
    """What the rejection of a cut is greater than that no background event of test passes."""
    part = case.parts["test"]
    background = part.labels != case.signal
    weights = case.weights("test").within[background]
    return rejection_limit(float(weights.sum()), heaviest(weights, part.processes[background]))


def _b_limit(case: Case, expected: Counted) -> Limit:
    """What the expected background of such a cut is less than."""
    part = case.parts["test"]
    background = part.labels != case.signal
    return background_limit(heaviest(expected.weights[background], part.processes[background]))


def _signal_processes(case: Case) -> frozenset[str]:
    part = case.parts["test"]
    present = np.unique(part.processes[part.labels == case.signal])
    return frozenset(part.process_names[i] for i in present)


def _greatest(point: Point, signal: frozenset[str]) -> Iterator[str]:
    """Which process makes most of the background that a cut leaves."""
    yields = {name: process.expected.value or 0.0 for name, process in point.processes.items() if name not in signal}
    if len(yields) < 2 or not point.b.value:
        return
    name = max(yields, key=yields.__getitem__)
    yield (
        f"Largest background at the cut for {point.wish}: {name}, with {percent(yields[name] / point.b.value, 0)} of "
        f"the events (efficiency {number(*point.processes[name].efficiency)})."
    )

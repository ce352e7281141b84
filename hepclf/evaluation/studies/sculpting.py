"""Sculpting: the change of the background's shape in a spectator, such as a mass, by a cut on the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, corrected
from hepclf.evaluation.split_results import limited
from hepclf.evaluation.studies.column import named_column, unknown
from hepclf.recipe import recipe
from hepclf.statistics.curves.limit import rejection_text
from hepclf.statistics.curves.working_point import WorkingPoint, working_point
from hepclf.statistics.shapes.bins import column_bins
from hepclf.statistics.shapes.divergence import BinSums, Divergence, bin_sums, divergence, inverse_text
from hepclf.words import Grid, grouped_rows, number, targeted

Array = NDArray[np.float64]
SCANNED = tuple(np.linspace(0.05, 0.95, 19))
MIDDLE = 0.5


@recipe
class Sculpting:
    """The background's shape in spectators such as a mass (or in features), above the cut of each working point.

    Bins have the given `edges`, or about equally many background events.
    """

    question: ClassVar[str] = "Does a cut on the score change the background's shape in a mass?"
    page_title: ClassVar[str] = "Mass sculpting"
    page_section: ClassVar[str] = "believe"
    page_rank: ClassVar[int] = 1

    spectators: tuple[str, ...] = ()
    bins: int = 20
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 200:
            raise ValueError(f"bins must be 2..200, not {self.bins}")
        for name, edges in self.edges.items():
            if len(edges) < 3 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
                raise ValueError(f"edges.{name} must be three rising numbers or more, not {list(edges)}")

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.spectators, *self.edges)))

    def check(self, spectators: tuple[str, ...], features: tuple[str, ...] = ()) -> None:
        """Refuse columns that the data does not have, before any training."""
        for name in self._names:
            if name not in (*spectators, *features):
                raise ValueError(f"evaluation.sculpting: {unknown(name, (*spectators, *features))}")

    def study(self, case: Case) -> Sculpted | None:
        """The shapes and divergences on test; None without spectators, or without test events of both classes."""
        if not self._names or "test" not in case.parts or not case.curves["test"].defined:
            return None
        return Sculpted({name: self._shape(name, case) for name in self._names})

    def _shape(self, name: str, case: Case) -> BackgroundShape:
        part, curve = case.parts["test"], case.curves["test"]
        background = part.labels != case.signal
        bins = column_bins(name, named_column(case, name)[background], self.bins, self.edges.get(name, ()))
        if bins.edges is None:
            raise ValueError(f"spectator {name!r} must be numbers for evaluation.sculpting, not text")
        numbers = np.full(len(part), -1)
        numbers[background] = bins.index
        targets = [*case.targets, *SCANNED]
        before, *above = _counts_above(case, numbers, len(bins.names), curve.index_at(targets))
        requested = len(case.targets)
        weights = case.weights("test").within
        reached, _ = limited(tuple(working_point(curve, t) for t in targets), curve, part, case.signal, weights)
        points = [
            SculptingPoint(point, passing, divergence(passing, _difference(before, passing)))
            for point, passing in zip(reached, above, strict=True)
        ]
        return BackgroundShape(bins.edges, before, tuple(points[:requested]), tuple(points[requested:]), bins.outside)


@dataclass(frozen=True, eq=False)
class SculptingPoint:
    """A working point, the background that passes its cut, and its divergence from the background that fails."""

    working_point: WorkingPoint
    passing: BinSums
    divergence: Divergence


@dataclass(frozen=True, eq=False)
class BackgroundShape:
    """A spectator: bin edges [m+1], the background before any cut, the working points, and more points for a curve.

    outside  number of background events in no bin
    """

    edges: Array
    before: BinSums
    points: tuple[SculptingPoint, ...]
    scan: tuple[SculptingPoint, ...]
    outside: int

    @property
    def middle(self) -> SculptingPoint | None:
        """The working point nearest to a signal efficiency of a half."""
        return min(self.points, key=lambda point: abs(point.working_point.target - MIDDLE), default=None)


@dataclass(frozen=True, eq=False)
class Sculpted:
    """The changes of the background's shape by cuts on the score, for each spectator."""

    spectators: Mapping[str, BackgroundShape]

    @property
    def evidence(self) -> dict[str, Evidence]:
        """Evidence that the cut of the middle working point changes the background's shape, by spectator."""
        p: dict[str, float | None] = dict.fromkeys(self.spectators)
        p |= {name: point.divergence.p for name, shape in self.spectators.items() if (point := shape.middle)}
        return corrected(p)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each spectator, at the middle working point, and the events in no bin."""
        evidence = self.evidence
        sentences = [
            _sentence(name, shape.middle, evidence[name])
            for name, shape in self.spectators.items()
            if shape.middle is not None
        ]
        outside = {name: shape.outside for name, shape in self.spectators.items() if shape.outside}
        return (
            *sentences,
            *(f"{count:,} background events are in no bin of {name}." for name, count in outside.items()),
        )

    @property
    def passed(self) -> dict[str, str]:
        """The sentences that there is no sculpting, with their short forms."""
        return {
            _sentence(name, shape.middle, self.evidence[name]): self.evidence[name].short(f"sculpting of {name}")
            for name, shape in self.spectators.items()
            if shape.middle is not None and self.evidence[name].answer == "none"
        }

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Rejection and divergence at each working point."""
        header = ("signal efficiency", "rejection", "JSD in bits", "1/JSD")
        title = "shape of {} in the background that passes and that fails the cut, on test"
        return tuple(
            Grid(
                title.format(name),
                header,
                [_row(same) for same in grouped_rows(shape.points, lambda p: p.working_point.threshold)],
            )
            for name, shape in self.spectators.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Working points by spectator, and the edges of its bins."""
        evidence = self.evidence
        return {
            name: {
                "evidence": evidence[name].to_dict(),
                "edges": shape.edges.tolist(),
                "outside": shape.outside,
                "working_points": [_plain(point) for point in shape.points],
            }
            for name, shape in self.spectators.items()
        }


def _counts_above(case: Case, numbers: NDArray[np.int64], m: int, index: NDArray[np.intp]) -> list[BinSums]:
    """The histogram of all binned events, and of those at or above each threshold, from one pass over the ranking."""
    ranking, weights = case.rankings["test"], case.weights("test").within
    order = ranking.events_above(len(ranking.thresholds) - 1)
    ends = [len(ranking.events_above(i)) for i in (*index, len(ranking.thresholds) - 1)]
    histograms, total, start = {}, BinSums(np.zeros(m), np.zeros(m)), 0
    for end in sorted(set(ends)):
        events = order[start:end]
        events = events[numbers[events] >= 0]
        step = bin_sums(numbers[events], weights[events], m)
        total = BinSums(total.sums + step.sums, total.squares + step.squares)
        histograms[end], start = total, end
    return [histograms[ends[-1]], *(histograms[end] for end in ends[:-1])]


def _difference(before: BinSums, passing: BinSums) -> BinSums:
    return BinSums(before.sums - passing.sums, before.squares - passing.squares)


def _sentence(name: str, point: SculptingPoint, evidence: Evidence) -> str:
    """The evidence and the divergence at a working point."""
    efficiency = number(point.working_point.signal_efficiency, digits=2)
    claim = evidence.claim(f"a cut at a signal efficiency of {efficiency} sculpts the background in {name}")
    bits, error = point.divergence.bits
    if bits is None or error is None:
        return f"{claim}: {point.divergence.reason}."
    return f"{claim} ({evidence.test}): JSD {number(bits, error)} bits, 1/JSD {inverse_text(point.divergence)}."


def _row(same: list[SculptingPoint]) -> list[str]:
    """The row of the points that share one cut."""
    first, divergence = same[0].working_point, same[0].divergence
    efficiency = targeted(number(first.signal_efficiency), [point.working_point.target for point in same])
    return [
        efficiency,
        rejection_text(first.rejection, first.rejection_limit),
        number(*divergence.bits),
        inverse_text(divergence),
    ]


def _plain(point: SculptingPoint) -> dict[str, Any]:
    cut, divergence = point.working_point, point.divergence
    limit = cut.rejection_limit and cut.rejection_limit._asdict()
    return {
        "target": cut.target,
        "signal_efficiency": cut.signal_efficiency,
        "rejection": cut.rejection.to_dict(),
        "rejection_limit": limit,
        "jsd_bits": divergence.bits.to_dict(),
        "bias_subtracted": divergence.bias,
        "inverse_jsd": divergence.inverse.to_dict(),
        "inverse_jsd_at_least": divergence.at_least,
        "reason": divergence.reason,
        "kept": point.passing.sums.tolist(),
    }

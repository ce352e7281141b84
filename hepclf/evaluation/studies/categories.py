"""Exclusive categories of events, each with its own cut: yields before and after the cuts, and their combination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.counting.conditions import Condition
from hepclf.statistics.counting.expected import ExpectedEvents, expected_events
from hepclf.statistics.counting.likelihood import Channels, discovery
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.counting.scan import best_cut
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import curve
from hepclf.statistics.value import NOTHING, Value, measured
from hepclf.words import Grid, number, percent

Array = NDArray[np.float64]

REST = "otherwise"
EVERY = -1.0  # a cut below all scores


@recipe
class Categories:
    """Exclusive categories: an event is in the first category whose condition on its spectators holds.

    `of` is an ordered mapping of a name to a condition, such as {boosted: n_fat >= 2, resolved: otherwise}; `otherwise`
    is for all remaining events. Each category has its own cut, chosen on validation and counted on test.
    """

    question: ClassVar[str] = "Which significance do exclusive categories have together, each with its own cut?"
    page_title: ClassVar[str] = "Categories"
    page_section: ClassVar[str] = "cut"
    page_rank: ClassVar[int] = 1

    of: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, text in self.of.items():
            if text != REST:
                Condition(text)
            elif name != list(self.of)[-1]:
                raise ValueError(f"of.{name} takes all remaining events, so it must be the last category; put it last")

    def check(self, spectators: tuple[str, ...], _: tuple[str, ...] = ()) -> None:
        """Refuse conditions on names that are not spectators of the data, before any training."""
        for text in self.of.values():
            if text != REST:
                Condition(text).check(spectators)

    def study(self, case: Case) -> Regions | None:
        """The categories on test; None without categories, or where a split has no expected yields."""
        if not self.of:
            return None
        valid, test = case.counted.get("valid"), case.counted.get("test")
        if not isinstance(valid, Counted) or not isinstance(test, Counted):
            return None
        places = {name: self.places(case.parts[name]) for name in ("valid", "test")}
        return Regions(
            regions={
                name: _region(case, places["valid"] == i, places["test"] == i, (valid.weights, test.weights))
                for i, name in enumerate(self.of)
            },
            uncategorised=_counted(case, places["test"] < 0, test.weights, np.array([EVERY])),
            uncategorised_events=int((places["test"] < 0).sum()),
            rules=case.rules,
        )

    def places(self, part: Scored) -> NDArray[np.intp]:
        """The category of each event, -1 for none, [n]."""
        regions = np.full(len(part), -1, dtype=np.intp)
        for i, text in enumerate(self.of.values()):
            chosen = regions < 0
            if text != REST:
                chosen &= Condition(text).holds(part.spectators)
            regions[chosen] = i
        return regions


def _region(
    case: Case, in_valid: NDArray[np.bool_], in_test: NDArray[np.bool_], weights: tuple[Array, Array]
) -> Region:
    """One category: its best cut on validation, and the test events without the cut and above it."""
    part = case.parts["valid"]
    above = curve(
        Ranking(case.discriminant("valid")[in_valid]), part.labels[in_valid] == case.signal, weights[0][in_valid]
    )
    cut, cuts = None, [EVERY]
    if len(above.thresholds):
        cut = best_cut(above, case.rules)
    if cut is not None:
        cuts.append(cut)
    return Region(cut=cut, counted=_counted(case, in_test, weights[1], np.array(cuts)), rules=case.rules)


def _counted(case: Case, chosen: NDArray[np.bool_], weights: Array, cuts: Array) -> ExpectedEvents:
    part = case.parts["test"]
    scores = np.where(chosen, case.discriminant("test"), -np.inf)
    return expected_events(scores, part, case.signal, np.where(chosen, weights, 0.0), cuts)


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """One category: its cut, None where validation has none, and the test events without the cut and above it."""

    cut: float | None
    counted: ExpectedEvents
    rules: Rules

    def yields(self, index: int) -> ExpectedEvents:
        """Events before the cut (0) or above it (1)."""
        return self.counted.select(index)

    @property
    def reason(self) -> str | None:
        """Why the category adds nothing to the combination; None where it does."""
        if self.cut is None:
            return "no cut on validation keeps enough background and a positive signal"
        if not self.counts(1):
            return "its cut leaves too little background on test"
        return None

    def counts(self, index: int) -> bool:
        """Whether there is a significance before the cut (0), or above it (1)."""
        return index < len(self.counted.cuts) and bool(self.counted.qualified(self.rules.minimum_background)[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Regions:
    """The regions in their order, and the events that are in none of them."""

    regions: Mapping[str, Region]
    uncategorised: ExpectedEvents
    uncategorised_events: int
    rules: Rules

    def combined(self, index: int) -> dict[str, Value]:
        """All regions together, before their cuts (0) or above them (1).

        S/sqrt(B) in quadrature; the others are one likelihood: with a background without uncertainty, or with its MC
        statistical uncertainty in each region and a systematic that is correlated between them.
        """
        used = [region.yields(index) for region in self.regions.values() if region.counts(index)]
        if not used:
            return dict.fromkeys(("s_over_sqrt_b", "asimov", "asimov_systematic"), NOTHING)
        singles = [counted.figure("s_over_sqrt_b", self.rules) for counted in used]
        channels = _channels(used)
        return {
            "s_over_sqrt_b": quadrature(singles),
            "asimov": discovery(channels, statistical=False),
            "asimov_systematic": discovery(channels, self.rules.systematic),
        }

    @property
    def sentences(self) -> tuple[str, ...]:
        """The combined significance, the categories that add nothing, and the events in no category."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        after, used = self.combined(1), sum(region.counts(1) for region in self.regions.values())
        if after["s_over_sqrt_b"].value is not None:
            count = f"{used}"
            if used < len(self.regions):
                count = f"{used} of {len(self.regions)}"
            yield (
                f"{count} categories, each above its own cut, combine to S/√B = "
                f"{number(*after['s_over_sqrt_b'])} (in quadrature) and to an Asimov significance of "
                f"{number(*after['asimov_systematic'])} with MC statistical uncertainty and a correlated "
                f"{percent(self.rules.systematic, None)} systematic."
            )
        for name, region in self.regions.items():
            if region.reason:
                yield f"Category {name} adds nothing: {region.reason}."
        if self.uncategorised_events:
            is_signal = self.uncategorised.signal
            s, b = self.uncategorised.sum(is_signal), self.uncategorised.sum(~is_signal)
            yield (
                f"{self.uncategorised_events:,} test events are in no category: S = {number(*s, 1)}, "
                f"B = {number(*b, 1)} expected."
            )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Before the cuts, above them, and combined."""
        together = [(self.combined(index), name) for index, name in enumerate(("before", "after"))]
        rows = [
            [label, *(number(*figures[name]) for figures, _ in together)]
            for name, label in (
                ("s_over_sqrt_b", "S/√B, in quadrature"),
                ("asimov", "Asimov Z, one likelihood"),
                ("asimov_systematic", f"Asimov Z, sigma_B = {percent(self.rules.systematic, None)} ⊕ MC stat."),
            )
        ]
        header = ("S", "B", "S/B", "S/√B", "Z with sigma_B")
        return (
            Grid(
                "categories before their cuts, on test",
                ("category", *header),
                [[name, *self._row(region, 0)] for name, region in self.regions.items()],
            ),
            Grid(
                "categories above their cuts (chosen on validation, counted on test)",
                ("category", "score ≥", *header),
                [[name, number(region.cut), *self._row(region, 1)] for name, region in self.regions.items()],
            ),
            Grid("categories combined", ("", "before", "after"), rows),
        )

    def _row(self, region: Region, index: int) -> list[str]:
        if index and region.cut is None:
            return 5 * ["-"]
        counted = region.yields(index)
        return [
            number(*counted.sum(counted.signal, 0), 1),
            counted.background_words(1),
            _ratio(counted),
            number(*counted.figure("s_over_sqrt_b", self.rules)),
            number(*counted.figure("asimov_systematic", self.rules)),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Each category before and after its cut, both combinations, and the events in no category."""
        return {
            "regions": {name: self._region(region) for name, region in self.regions.items()},
            "combined": {
                name: {measure: value.to_dict() for measure, value in self.combined(index).items()}
                for index, name in enumerate(("before", "after"))
            },
            "uncategorised": {
                "events": self.uncategorised_events,
                "s": self.uncategorised.sum(self.uncategorised.signal).to_dict(),
                "b": self.uncategorised.sum(~self.uncategorised.signal).to_dict(),
            },
        }

    def _region(self, region: Region) -> dict[str, Any]:
        after = None
        if region.cut is not None:
            after = self._numbers(region.yields(1))
        return {
            "cut": region.cut,
            "before": self._numbers(region.yields(0)),
            "after": after,
            "reason": region.reason,
        }

    def _numbers(self, counted: ExpectedEvents) -> dict[str, Any]:
        numbers: dict[str, Any] = {}
        if limit := counted.background_limit():
            numbers["b_limit"] = limit._asdict()
        numbers |= {
            "s": counted.sum(counted.signal, 0).to_dict(),
            "b": counted.sum(~counted.signal, 0).to_dict(),
            "processes": {name: counted.process(g, 0).to_dict() for g, name in enumerate(counted.names)},
        }
        for name in ("s_over_sqrt_b", "asimov", "asimov_systematic"):
            numbers[name] = counted.figure(name, self.rules).to_dict()
        return numbers


def quadrature(significances: list[Value]) -> Value:
    """sqrt(sum z^2) of independent channels, with its error; without a value where one channel has none."""
    values = np.array([significance.value for significance in significances], dtype=np.float64)  # None becomes nan
    errors = np.array([significance.error or 0.0 for significance in significances])
    total = float(np.sqrt(np.sum(values**2)))
    if not total > 0:
        return measured(total)
    return measured(total, float(np.sqrt(np.sum((values * errors) ** 2))) / total)


def _channels(used: list[ExpectedEvents]) -> Channels:
    columns = [_sums(counted) for counted in used]
    return Channels(*(np.array(column) for column in zip(*columns, strict=True)))


def _sums(counted: ExpectedEvents) -> list[float]:
    """The sums of one category for `Channels`: weights and squares of both classes, higher powers of background."""
    s, b = (counted.above[:, processes, 0].sum(axis=1) for processes in (counted.signal, ~counted.signal))
    return [s[0], b[0], s[1], b[1], b[2], b[3]]


def _ratio(counted: ExpectedEvents) -> str:
    s, b, limit = float(counted.counts.s[0]), float(counted.counts.b[0]), counted.background_limit()
    if limit is not None and s > 0:
        return f"> {s / limit.at_95:.2g} (95 %)"
    if b <= 0:
        return "-"
    return f"{s / b:.2g}"

"""The dependence of efficiencies on a spectator, in bins of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, corrected, small
from hepclf.evaluation.studies.column import named_column, unknown
from hepclf.recipe import recipe
from hepclf.statistics.curves.chosen import Wish, check_shares, granted_cuts, wishes, wishes_text
from hepclf.statistics.curves.passing import Passing, passing
from hepclf.statistics.shapes.bins import Bins, column_bins
from hepclf.statistics.shapes.flat import FlatnessTest, flatness_test
from hepclf.statistics.value import Value
from hepclf.words import Grid, formatted, grouped_rows, number

BACKGROUND, SIGNAL = 0, 1
KINDS = ("background", "signal")
Array = NDArray[np.float64]


@recipe
class Flatness:
    """Efficiencies on test against spectators (or features), at cuts chosen on validation.

    Bins have the given `edges`, or about equally many test events. `signal_efficiencies` are by default those of the
    evaluation.
    """

    question: ClassVar[str] = "Does the efficiency of a cut depend on a spectator?"
    page_title: ClassVar[str] = "Flatness of the efficiency"
    page_section: ClassVar[str] = "believe"
    page_rank: ClassVar[int] = 1

    spectators: tuple[str, ...] = ()
    bins: int = 10
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    signal_efficiencies: tuple[float, ...] | None = None
    background_efficiencies: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_shares(signal_efficiencies=self.signal_efficiencies, background_efficiencies=self.background_efficiencies)
        if not 2 <= self.bins <= 1000:
            raise ValueError(f"bins must be 2..1000, not {self.bins}")
        for name, edges in self.edges.items():
            if len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
                raise ValueError(f"edges.{name} must be two rising numbers or more, not {list(edges)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The configured spectators, in order."""
        return tuple(dict.fromkeys((*self.spectators, *self.edges)))

    def check(self, spectators: tuple[str, ...], features: tuple[str, ...] = ()) -> None:
        """Refuse columns that the data does not have, before any training."""
        for name in self.names:
            if name not in (*spectators, *features):
                raise ValueError(f"evaluation.flatness: {unknown(name, (*spectators, *features))}")

    def study(self, case: Case) -> EfficiencyShapes | None:
        """The efficiencies in bins; None where no spectator is named, or a split has no events."""
        if not self.names or not {"valid", "test"} <= set(case.parts):
            return None
        targets = case.efficiencies(self.signal_efficiencies)
        requests = wishes(signal_efficiency=targets, background_efficiency=self.background_efficiencies)
        cuts, refused = granted_cuts(requests, case.curves["valid"], "not asked for")
        shapes = {
            name: _against_spectator(
                case, column_bins(name, named_column(case, name), self.bins, self.edges.get(name, ())), cuts
            )
            for name in self.names
        }
        return EfficiencyShapes(cuts=cuts, shapes=shapes, refused=refused)


@dataclass(frozen=True, kw_only=True, eq=False)
class EfficiencyShape:
    """Efficiencies of one class at one cut in each bin [b], that of all bins, and the test of flatness."""

    efficiency: Array
    error: Array
    mean: Value
    test: FlatnessTest

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers; an undefined efficiency is nan here and None in metrics.json."""
        return {
            "efficiency": self.efficiency.tolist(),
            "error": np.where(self.error > 0, self.error, np.nan).tolist(),
            "mean": self.mean.to_dict(),
            **self.test._asdict(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Against:
    """The shapes against one spectator: a pair, background and signal, for each cut."""

    bins: Bins
    shapes: Mapping[Wish, tuple[EfficiencyShape, EfficiencyShape]]


@dataclass(frozen=True, kw_only=True, eq=False)
class EfficiencyShapes:
    """Efficiencies against each spectator, at each cut."""

    cuts: Mapping[Wish, float]
    shapes: Mapping[str, Against]
    refused: Mapping[Wish, str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The results of the tests of the middle cut, for background and signal in each spectator."""
        refused = tuple(f"No cut for {wish}: {why}." for wish, why in self.refused.items())
        return (*self._conclusions(), *refused)

    @property
    def middle(self) -> Wish | None:
        """The cut that is tested, in the middle of all cuts; None without cuts."""
        if not self.cuts:
            return None
        return list(self.cuts)[(len(self.cuts) - 1) // 2]

    @property
    def evidence(self) -> dict[tuple[str, str], Evidence]:
        """Evidence that an efficiency at the middle cut depends on a spectator, by spectator and class."""
        if self.middle is None:
            return {}
        return corrected(
            {
                (name, kind): shape.test.p
                for name, against in self.shapes.items()
                for kind, shape in zip(KINDS, against.shapes[self.middle], strict=True)
            }
        )

    @property
    def passed(self) -> dict[str, str]:
        """The sentences that there is no dependence, with their short forms."""
        evidence = self.evidence
        return {
            sentence: evidence[name, kind].short(f"{kind} efficiency in {name}")
            for (name, kind), sentence in self._tests().items()
            if evidence[name, kind].answer == "none"
        }

    def _tests(self) -> dict[tuple[str, str], str]:
        """The sentence of each test, by spectator and class."""
        if self.middle is None:
            return {}
        evidence, effect = self.evidence, f"efficiency at the cut for {self.middle} depends on"
        return {
            (name, kind): _conclusion(f"the {kind} {effect} {name}", shape, against.bins, evidence[name, kind])
            for name, against in self.shapes.items()
            for kind, shape in zip(KINDS, against.shapes[self.middle], strict=True)
        }

    def _conclusions(self) -> Iterator[str]:
        tests = self._tests()
        if not tests:
            return
        for name, against in self.shapes.items():
            yield from (tests[name, kind] for kind in KINDS)
            if against.bins.outside:
                yield f"{against.bins.outside:,} test events are in no bin of {name}."

    @property
    def tables(self) -> tuple[Grid, ...]:
        """A summary for each spectator."""
        header = ("cut for", "class", "mean", "lowest", "highest", "chi2/ndf", "p")
        cuts = grouped_rows(self.cuts, self.cuts.__getitem__)
        return tuple(
            Grid(_title(name, against), header, list(_rows(against, cuts))) for name, against in self.shapes.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {name: self._against(name, against) for name, against in self.shapes.items()}

    def _against(self, name: str, against: Against) -> dict[str, Any]:
        bins: dict[str, Any] = {"bins": list(against.bins.names)}
        if against.bins.edges is not None:
            bins = {"edges": against.bins.edges.tolist()}
        cuts = [
            {
                "chosen_for": wish.quantity,
                "target": wish.target,
                "cut": self.cuts[wish],
                **{kind: shape.to_dict() for kind, shape in zip(KINDS, pair, strict=True)},
            }
            for wish, pair in against.shapes.items()
        ]
        evidence = {kind: test.to_dict() for (spectator, kind), test in self.evidence.items() if spectator == name}
        return {**bins, "outside": against.bins.outside, "evidence": evidence, "cuts": cuts}


def _against_spectator(case: Case, bins: Bins, cuts: Mapping[Wish, float]) -> Against:
    part, count = case.parts["test"], len(bins.names)
    groups = np.where(bins.index < 0, -1, bins.index * 2 + (part.labels == case.signal))
    values = np.array(list(cuts.values()))
    passed = passing(case.discriminant("test"), values, groups, case.weights("test").within, 2 * count)
    inclusive = passed.merged(np.arange(2 * count) % 2, 2)
    shapes = {
        wish: (_shape(passed, inclusive, BACKGROUND, column), _shape(passed, inclusive, SIGNAL, column))
        for column, wish in enumerate(cuts)
    }
    return Against(bins=bins, shapes=shapes)


def _shape(passed: Passing, inclusive: Passing, kind: int, column: int) -> EfficiencyShape:
    rows = slice(kind, None, 2)
    test = flatness_test(
        passed.total[rows], passed.squares[rows], passed.passing[rows, column], passed.passing_squares[rows, column]
    )
    return EfficiencyShape(
        efficiency=passed.efficiency[rows, column],
        error=passed.error[rows, column],
        mean=inclusive.value(kind, column),
        test=test,
    )


def _title(name: str, against: Against) -> str:
    few = any(shape.test.p is not None and not shape.test.enough for pair in against.shapes.values() for shape in pair)
    title = f"efficiencies in {len(against.bins.names)} bins of {name}, test"
    if few:
        title += "; * too few events in a bin"
    return title


def _rows(against: Against, cuts: list[list[Wish]]) -> Iterator[tuple[str, ...]]:
    """Two rows for each cut; targets with the same cut share them."""
    for same in cuts:
        for kind, shape in zip(KINDS, against.shapes[same[0]], strict=True):
            efficiencies = [formatted(shape.mean.value, ".3g"), *_range(shape)]
            yield (wishes_text(same), kind, *efficiencies, *_test_cells(shape.test))


def _range(shape: EfficiencyShape) -> list[str]:
    """The lowest and the highest efficiency."""
    low, high = _extremes(shape)
    if low is None or high is None:
        return ["-", "-"]
    return [f"{shape.efficiency[i]:.3g}" for i in (low, high)]


def _test_cells(test: FlatnessTest) -> tuple[str, str]:
    """chi2/ndf and p; a star marks bins with too few events for the test."""
    if test.chi2 is None or test.p is None:
        return "-", "-"
    star = "" if test.enough else "*"
    return f"{test.chi2:.1f}/{test.degrees}", f"{small(test.p)}{star}"


def _extremes(shape: EfficiencyShape) -> tuple[int, int] | tuple[None, None]:
    """The bins of the lowest and of the highest efficiency."""
    if np.isnan(shape.efficiency).all():
        return None, None
    return int(np.nanargmin(shape.efficiency)), int(np.nanargmax(shape.efficiency))


def _conclusion(effect: str, shape: EfficiencyShape, bins: Bins, evidence: Evidence) -> str:
    chi2, degrees, _, enough = shape.test
    low, high = _extremes(shape)
    if chi2 is None or low is None or high is None:
        return f"{evidence.claim(effect)}: everything or nothing passes, or only one bin has events."
    conclusion = f"{evidence.claim(effect)}: chi2/ndf = {chi2:.1f}/{degrees}, {evidence.test}"
    if not enough:
        conclusion += ", too few events in a bin"
    if not evidence.significant:
        return f"{conclusion}."
    ends = (f"{number(shape.efficiency[i], shape.error[i])} in {bins.names[i]}" for i in (low, high))
    return f"{conclusion}. It ranges from {' to '.join(ends)}."

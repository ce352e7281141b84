"""Expected events above cuts: each measure at its best cut, and other luminosities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.statistics.counting.expected import ExpectedEvents, effective, expected_events
from hepclf.statistics.counting.measures import MEASURES, Rules, available_measures
from hepclf.statistics.counting.scan import best_cut, best_cuts, drawn_thresholds
from hepclf.statistics.counting.significance import asimov
from hepclf.statistics.counting.yields import Counted, scaled_curve
from hepclf.statistics.curves.roc import Curve
from hepclf.statistics.value import measured
from hepclf.words import Grid, grouped_rows, number, percent, to_error_digits

NAMES = {
    "s_over_sqrt_b": "S/√B",
    "s_over_sqrt_s_plus_b": "S/√(S+B)",
    "asimov": "Asimov Z",
    "asimov_systematic": "Asimov Z with sigma_B",
    "ams": "AMS",
    "punzi": "Punzi",
    "li_ma": "Li-Ma",
}
# The measures in each row of a table, with shorter names.
ALWAYS = {"s_over_sqrt_b": "S/√B", "asimov": "Asimov Z", "asimov_systematic": "with sigma_B"}


@recipe
class Counting:
    """Expected events above cuts, and their significances.

    Yields are those of `luminosity_fb`, by default the evaluation's, and are scaled to other luminosities. A yield and
    its statistical error scale by the same factor, because the simulated events are the same; the systematic is a
    fraction of the background. The best cut is chosen again for each luminosity.
    """

    question: ClassVar[str] = "How many events pass a cut, and with which significance?"
    page_title: ClassVar[str] = "Yields and significance"
    page_section: ClassVar[str] = "cut"

    luminosity_fb: float | None = None
    luminosities_fb: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        settings = {"luminosity_fb": self.luminosity_fb}
        settings |= {f"luminosities_fb[{i}]": luminosity for i, luminosity in enumerate(self.luminosities_fb)}
        for name, value in settings.items():
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above zero, not {value:g}")

    def belongs(self, luminosity_fb: float | None) -> None:
        """Refuse a luminosity that contradicts that of the evaluation, and luminosities without a reference."""
        if self.luminosities_fb and (luminosity_fb or self.luminosity_fb) is None:
            raise ValueError(
                "evaluation.counting.luminosities_fb needs the luminosity that the yields stand for; "
                "give evaluation.counting.luminosity_fb"
            )
        if luminosity_fb and self.luminosity_fb not in (None, luminosity_fb):
            raise ValueError(
                f"evaluation.counting.luminosity_fb={self.luminosity_fb:g} contradicts "
                f"evaluation.luminosity_fb={luminosity_fb:g}; leave it out"
            )

    def study(self, case: Case) -> Yields | None:
        """Cuts chosen on validation, counted on test; None without expected yields in both splits, or without a cut."""
        valid, test = case.counted.get("valid"), case.counted.get("test")
        if not isinstance(valid, Counted) or not isinstance(test, Counted) or case.cut is None:
            return None
        base, factors, reached = self.luminosity_fb or case.luminosity_fb, {}, {}
        if base:
            factors = {luminosity: luminosity / base for luminosity in self.luminosities_fb}
        if valid.curve.defined:
            reached = _reached(case.curves["valid"], case.targets)
        best = best_cuts(valid.curve, case.rules) | {case.rules.optimise: case.cut}
        best_cut_at = {
            luminosity: best_cut(scaled_curve(valid.curve, factor, factor), case.rules)
            for luminosity, factor in factors.items()
        }
        drawn = test.curve.thresholds[drawn_thresholds(test.curve, case.rules)][::-1]
        chosen = [cut for cut in (*best.values(), *reached.values(), *best_cut_at.values()) if cut is not None]
        cuts = np.unique(np.concatenate([drawn, chosen]))
        above = expected_events(case.discriminant("test"), case.parts["test"], case.signal, test.weights, cuts)

        def counted(*chosen_cuts: float) -> ExpectedEvents:
            return above.select(*np.searchsorted(cuts, chosen_cuts))

        luminosities: dict[float, ExpectedEvents | None] = dict.fromkeys(best_cut_at)
        for luminosity, cut in best_cut_at.items():
            if cut is not None:
                luminosities[luminosity] = counted(cut).scaled(factors[luminosity])
        return Yields(
            rules=case.rules,
            best={name: counted(best[name]) for name in MEASURES if name in best},
            working={target: counted(cut) for target, cut in reached.items()},
            luminosity_fb=base,
            luminosities=luminosities,
            scan=counted(*drawn),
        )


def _reached(curve: Curve, targets: tuple[float, ...]) -> dict[float, float]:
    """The cut at each signal efficiency; empty where a class has no positive sum of weights."""
    if not curve.defined:
        return {}
    return dict(zip(targets, curve.thresholds[curve.index_at(targets)].tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Yields:
    """Expected events of the test set above cuts chosen on the validation set.

    best          the cut that maximises each measure
    working       the cuts of the evaluation's signal efficiencies
    luminosities  the best cut at each luminosity, with scaled yields; None where no cut keeps enough background
    scan          many cuts on test, for drawing
    """

    rules: Rules
    best: Mapping[str, ExpectedEvents]
    working: Mapping[float, ExpectedEvents]
    luminosity_fb: float | None
    luminosities: Mapping[float, ExpectedEvents | None]
    scan: ExpectedEvents

    @property
    def chosen(self) -> ExpectedEvents:
        """The cut that maximises the measure of the evaluation."""
        return self.best[self.rules.optimise]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The expected background at the chosen cut, with its number of effective MC events."""
        b = self.chosen.sum(~self.chosen.signal, 0)
        if b.value is None or b.error is None or b.value <= 0:
            return ()
        share, systematic = b.error / b.value, self.rules.systematic
        total = percent(math.hypot(share, systematic))
        parts = f"{percent(share)} from MC statistics and {percent(systematic, None)} systematic, in quadrature"
        return (
            f"Expected background at score ≥ {number(self.chosen.cuts[0])}: {number(*b)}, from {effective(b):,.0f} "
            f"effective MC events. Its uncertainty is {total} ({parts}){self._unlimited(b.value)}.",
        )

    def _unlimited(self, b: float) -> str:
        """The significance of the chosen cut, and what it would be with the systematic alone."""
        s, z = self.chosen.sum(self.chosen.signal, 0).value or 0.0, self.chosen.figure("asimov_systematic", self.rules)
        unlimited = measured(float(asimov(s, b, self.rules.systematic * b)))
        if z.value is None or unlimited.value is None:
            return ""
        without = to_error_digits(unlimited.value, z.error) if z.error else number(*unlimited)
        return f": Asimov Z = {number(*z)}, and {without} with unlimited MC events"

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Each measure at its own best cut, working points, processes, luminosities."""
        grids = [
            Grid(
                "each figure of merit at its best cut (chosen on validation, quoted on test)",
                ("figure of merit", "score ≥", "S", "B", "value"),
                [
                    [NAMES[name], *_counted(counted), number(*counted.figure(name, self.rules))]
                    for name, counted in self.best.items()
                ],
            ),
            Grid(
                "significance at signal efficiencies (chosen on validation, quoted on test)",
                ("signal efficiency", "score ≥", *ALWAYS.values()),
                [
                    [
                        ", ".join(number(target, digits=2) for target in targets),
                        number(counted.cuts[0]),
                        *self._always(counted),
                    ]
                    for targets, counted in self._distinct()
                ],
            ),
        ]
        if len(self.chosen.names) > 2:
            grids.append(self._processes())
        if self.luminosities:
            rows = [self._luminosity(*pair) for pair in self.luminosities.items()]
            header = ("1/fb", "score ≥", "S", "B", *ALWAYS.values())
            grids.append(Grid(f"best cut by {NAMES[self.rules.optimise]} at other luminosities, on test", header, rows))
        return tuple(grids)

    def _distinct(self) -> Iterator[tuple[list[float], ExpectedEvents]]:
        """The working points of each cut: several targets share a cut where scores tie."""
        for same in grouped_rows(self.working.items(), lambda point: float(point[1].cuts[0])):
            yield [target for target, _ in same], same[0][1]

    def _processes(self) -> Grid:
        counted = self.chosen
        rows = [
            [
                name,
                ("background", "signal")[int(counted.signal[g])],
                *map(str, (counted.process(g), counted.process(g, 0))),
            ]
            for g, name in enumerate(counted.names)
        ]
        return Grid(
            "expected yields, estimated from test events",
            ("process", "kind", "before cuts", f"score ≥ {number(counted.cuts[0])}"),
            rows,
        )

    def _luminosity(self, luminosity: float, counted: ExpectedEvents | None) -> list[str]:
        if counted is None:
            return [f"{luminosity:g}", *6 * ["-"]]
        return [f"{luminosity:g}", *_counted(counted), *self._always(counted)]

    def _always(self, counted: ExpectedEvents) -> list[str]:
        return [number(*counted.figure(name, self.rules)) for name in ALWAYS]

    def to_dict(self) -> dict[str, Any]:
        """Every cut with its yields, process by process, and its measures."""
        return {
            "processes": {name: self.scan.process(g).to_dict() for g, name in enumerate(self.scan.names)},
            "best": {name: self._plain(counted) for name, counted in self.best.items()},
            "working_points": [
                {"signal_efficiency": target} | self._plain(counted) for target, counted in self.working.items()
            ],
            "luminosity_fb": self.luminosity_fb,
            "luminosities": [
                {"luminosity_fb": luminosity} | self._plain(counted)
                for luminosity, counted in self.luminosities.items()
            ],
        }

    def _plain(self, counted: ExpectedEvents | None) -> dict[str, Any]:
        if counted is None:
            return {"cut": None}
        figures = {name: counted.figure(name, self.rules).to_dict() for name in available_measures(self.rules)}
        bounded = {}
        if limit := counted.background_limit():
            bounded["b_limit"] = limit._asdict()
        return bounded | {
            "cut": float(counted.cuts[0]),
            "s": counted.sum(counted.signal, 0).to_dict(),
            "b": counted.sum(~counted.signal, 0).to_dict(),
            "effective_background": float(counted.effective_background[0]),
            "processes": {name: counted.process(g, 0).to_dict() for g, name in enumerate(counted.names)},
            "measures": figures,
        }


def _counted(counted: ExpectedEvents) -> list[str]:
    return [number(counted.cuts[0]), number(*counted.sum(counted.signal, 0), 1), counted.background_words(1)]

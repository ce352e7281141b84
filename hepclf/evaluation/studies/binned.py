"""Which significance does the shape of the score have? Its bins in one likelihood, against the best single cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.statistics.counting.binning import best_edges, even_edges
from hepclf.statistics.counting.likelihood import Channels, discovery
from hepclf.statistics.counting.measures import Rules, propagated
from hepclf.statistics.counting.scan import best_cuts, with_margin
from hepclf.statistics.counting.significance import asimov
from hepclf.statistics.counting.template import Template, template
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.roc import Curve
from hepclf.statistics.value import Value, measured
from hepclf.words import Grid, number, percent

Array = NDArray[np.float64]

FINE = np.linspace(0.0, 1.0, 101)
TOP = float(np.nextafter(1.0, 2.0))  # the end of the last bin: a cut at 1 is a bin of its own
SAME_FIT = (
    "Both are profile-likelihood significances, with {systematic}MC statistics as in HistFactory. The cut is "
    "the best one for them: do not compare it with the significance table, which has another formula and another cut."
)
CONSTRAINT = (
    "Bins with much background constrain the systematic, which is right only if the background's shape is known."
)
KNOWLEDGE = {"asimov": "none", "asimov_statistical": "MC statistics", "asimov_systematic": "MC statistics ⊕ {}"}


@recipe
class Binned:
    """The score as a histogram: edges chosen on validation, counted on test, all bins in one likelihood.

    `binning` is by the greatest combined significance, or into equal fractions of the signal; `edges` replace it where
    given. Each bin has at least the minimum effective background; on validation, two standard deviations more.
    """

    question: ClassVar[str] = "Which significance does the shape of the score have, compared with one cut?"
    page_title: ClassVar[str] = "Binned fit of the score"
    page_section: ClassVar[str] = "cut"
    page_rank: ClassVar[int] = 2

    binning: Literal["significance", "equal_signal"] = "significance"
    bins: int = 10
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ValueError(f"bins must be one or more, not {self.bins}")
        if self.edges and not (len(self.edges) > 1 and all(low < high for low, high in pairwise(self.edges))):
            raise ValueError(f"edges must be two or more in ascending order, not {list(self.edges)}")
        if self.edges and not (self.edges[0] >= 0 and self.edges[-1] <= 1):
            raise ValueError(f"edges are probabilities in 0..1, not {list(self.edges)}")

    def study(self, case: Case) -> BinnedScore | None:
        """The bins on the test set; None where a split has no expected yields, or no binning has enough background."""
        valid, test = case.counted.get("valid"), case.counted.get("test")
        if not isinstance(valid, Counted) or not isinstance(test, Counted) or not valid.curve.defined:
            return None
        edges, cuts = self._all_edges(valid, case.rules), _single_cuts(valid.curve, case.rules)
        all_edges = np.unique(np.concatenate([edges, FINE, [TOP], list(cuts.values())]))
        full = template(case.discriminant("test"), case.parts["test"], case.signal, test.weights, all_edges)
        chosen = full.onto(edges).sound(case.rules.minimum_background)
        if not chosen.qualified(case.rules.minimum_background).all():
            return None
        above = {name: full.onto(np.array([0.0, cut, TOP])) for name, cut in cuts.items()}
        return BinnedScore(
            template=chosen,
            fine=full.onto(FINE),
            joined=len(edges) - len(chosen.edges),
            cuts={
                name: two_bins
                for name, two_bins in above.items()
                if two_bins.qualified(case.rules.minimum_background)[-1]
            },
            rules=case.rules,
        )

    def _all_edges(self, valid: Counted, rules: Rules) -> Array:
        if self.edges:
            return np.unique([0.0, *self.edges, 1.0])
        choose = {"significance": best_edges, "equal_signal": even_edges}[self.binning]
        inner = choose(valid.curve, self.bins, with_margin(rules.minimum_background))
        return np.unique([0.0, *inner, TOP])


def _single_cuts(curve: Curve, rules: Rules) -> dict[str, float]:
    """The best cut on the validation set for each background uncertainty in KNOWLEDGE."""
    best = best_cuts(curve, rules)
    cuts = {name: best.get(name) for name in ("asimov", "asimov_systematic")}
    cuts["asimov_statistical"] = best_cuts(curve, replace(rules, systematic=0.0)).get("asimov_systematic")
    return {name: cut for name in KNOWLEDGE if (cut := cuts[name]) is not None and cut > 0}


@dataclass(frozen=True, kw_only=True, eq=False)
class BinnedScore:
    """The score of the test set as a template.

    template  in the chosen bins
    fine      in a hundred bins from 0 to 1, for a binning of one's own
    joined    number of bins with too little background on the test set, which were merged with a neighbour
    cuts      test events below and above the best single cut, for each background uncertainty in KNOWLEDGE
    """

    template: Template
    fine: Template
    joined: int
    cuts: Mapping[str, Template]
    rules: Rules

    @property
    def significances(self) -> Mapping[str, Value]:
        """Significance of all bins together, for each background uncertainty in KNOWLEDGE."""
        return {name: _significance(self.template.channels, name, self.rules) for name in KNOWLEDGE}

    @property
    def single(self) -> Mapping[str, Value]:
        """The same of the best single cut for it; left out where there is none."""
        above = {name: Channels(*(column[-1:] for column in counts.channels)) for name, counts in self.cuts.items()}
        return {name: _significance(channel, name, self.rules) for name, channel in above.items()}

    @property
    def by_bin(self) -> tuple[Array, Array]:
        """Asimov significance of each bin with the background's statistical uncertainty, and its error, [m]."""
        channels = self.template.channels
        sums = np.stack([channels.s, channels.b, channels.b_squares])
        return propagated(lambda s, b, squares: asimov(s, b, np.sqrt(squares)), sums, channels.covariance)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The gain of the bins over a single cut, and the number of merged bins."""
        name = "asimov_systematic"
        bins, z = len(self.template.edges) - 1, self.significances[name]
        uncertainty = f"MC statistical uncertainty and a correlated {percent(self.rules.systematic, None)} systematic"
        verb = "give" if bins > 1 else "gives"
        sentence = (
            f"{_plural(bins, 'bin')} of the score {verb} an Asimov significance of {number(*z)} with {uncertainty}"
        )
        single = self.single.get(name)
        if single and single.value and z.value is not None:
            sentence += f", {_gain(z.value, single.value)} compared with {number(*single)} for the best single cut"
            systematic = "a log-normal systematic and " if self.rules.systematic else ""
            sentence += f"{self._without()}. {SAME_FIT.format(systematic=systematic)}"
            if self.rules.systematic and bins > 1:
                sentence += f" {CONSTRAINT}"
        verb = "was" if self.joined == 1 else "were"
        merged = (
            f"{self.joined} of the {bins + self.joined} bins had too little background in the test set and {verb} "
            "merged with a neighbour.",
        )
        return (f"{sentence.rstrip('.')}.", *merged[: min(self.joined, 1)])

    def _without(self) -> str:
        """The gain without the systematic, which the bins of low score constrain."""
        z, single = (
            values.get("asimov_statistical", Value(None)).value for values in (self.significances, self.single)
        )
        if not z or not single or not self.rules.systematic:
            return ""
        return f" ({_gain(z, single)} without the systematic)"

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Each bin, and all of them."""
        channels, (z, error) = self.template.channels, self.by_bin
        rows = [
            [
                f"{number(low)} to {number(high)}",
                number(float(channels.s[i]), float(np.sqrt(channels.s_squares[i])), 1),
                number(float(channels.b[i]), float(np.sqrt(channels.b_squares[i])), 1),
                f"{channels.s[i] / channels.b[i]:.2g}",
                number(float(z[i]), float(error[i])),
            ]
            for i, (low, high) in reversed(list(enumerate(pairwise(self.template.edges))))
        ]
        together = [
            [
                KNOWLEDGE[name].format(percent(self.rules.systematic, None)),
                number(*value),
                number(*self.single.get(name, Value(None))),
            ]
            for name, value in self.significances.items()
        ]
        return (
            Grid(
                "bins of the score (chosen on validation, counted on test)",
                ("score", "S", "B", "S/B", "Asimov Z"),
                rows,
            ),
            Grid("Asimov significance", ("background uncertainty", "all bins combined", "best single cut"), together),
        )

    def to_dict(self) -> dict[str, Any]:
        """Edges, contents of each process with errors, significances."""
        channels, (values, errors) = self.template.channels, self.by_bin
        return {
            "edges": self.template.edges.tolist(),
            "joined": self.joined,
            "processes": {
                name: {"values": sums[0].tolist(), "errors": np.sqrt(sums[1]).tolist()}
                for name, sums in zip(self.template.names, self.template.sums.swapaxes(0, 1), strict=True)
            },
            "signal": channels.s.tolist(),
            "background": channels.b.tolist(),
            "bins": [
                measured(float(value), float(error)).to_dict() for value, error in zip(values, errors, strict=True)
            ],
            "together": {name: value.to_dict() for name, value in self.significances.items()},
            "single_cut": {name: value.to_dict() for name, value in self.single.items()},
        }


def _significance(channels: Channels, name: str, rules: Rules) -> Value:
    systematic = 0.0
    if name == "asimov_systematic":
        systematic = rules.systematic
    return discovery(channels, systematic, statistical=name != "asimov")


def _gain(z: float, single: float) -> str:
    return f"{100 * (z / single - 1):+.0f} %"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"

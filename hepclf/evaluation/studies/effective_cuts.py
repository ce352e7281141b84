"""The cuts on features that correspond to a cut on the score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, corrected
from hepclf.evaluation.split_results import decisions
from hepclf.evaluation.studies.sample import sample
from hepclf.recipe import recipe
from hepclf.statistics.quantile import quantile
from hepclf.statistics.shapes.bins import column_bins
from hepclf.statistics.shapes.divergence import PER_BIN, BinSums, Divergence, bin_sums, divergence
from hepclf.statistics.value import Value, effective_count
from hepclf.words import Grid, first_of, number

BINS, FEWEST = 10, 3  # most and fewest bins of the divergence, equally populated by the background
DRAWN = 30  # bins of the picture, equally wide
LARGEST = 2**24  # from here on single precision does not hold all integers
ENDS = (0.05, 0.95)
SHOWN = 8
KINDS = ("background", "signal")
Array = NDArray[np.float64]


@recipe
class EffectiveCuts:
    """The distribution of every feature in test events, before and after the cut on the score.

    events  the largest number of test events to use, shared equally among passing and failing events of each class
    """

    question: ClassVar[str] = "Which cuts on the features does a cut on the score correspond to?"
    page_title: ClassVar[str] = "Effective cuts"
    page_section: ClassVar[str] = "learn"

    events: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.events < 2:
            raise ValueError(f"events must be at least 2, not {self.events}")

    def study(self, case: Case) -> FeatureChanges | None:
        """Ranges and shapes by feature; None without the features of test events, as for stored scores."""
        if case.inside is None or "test" not in case.parts:
            return None
        part = case.parts["test"]
        is_signal, passed = part.labels == case.signal, decisions(part, case.signal, case.threshold) == case.signal
        kinds = 2 * is_signal.astype(np.int64) + passed
        places, factors = sample(kinds, part.weights, self.events, np.random.default_rng(self.seed))
        features, weights = case.inside.read(places), part.weights[places] * factors
        changes = {
            name: _feature_change(name, features[:, column].astype(np.float64), weights, kinds[places])
            for column, name in enumerate(case.inside.names)
        }
        threshold = None
        if len(part.classes) == 2:
            threshold = case.threshold
        return FeatureChanges(
            features={name: change for name, change in changes.items() if change},
            threshold=threshold,
            events=len(places),
        )


class Range(NamedTuple):
    """The weighted 5 % and 95 % quantiles."""

    low: Value
    high: Value


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureChange:
    """A feature before and after the cut, each a pair of background and signal.

    divergence  of the shapes of passing and failing background
    edges       of the bins of the picture, [m+1]; values beyond them are in no bin
    """

    before: tuple[Range, Range]
    after: tuple[Range, Range]
    divergence: Divergence
    edges: Array
    shapes_before: tuple[BinSums, BinSums]
    shapes_after: tuple[BinSums, BinSums]


def _feature_change(name: str, values: Array, weights: Array, kinds: NDArray[np.int64]) -> FeatureChange | None:
    """The change of a feature, None where it has fewer than two distinct values; kinds are 2 * signal + passing."""
    order = np.argsort(values)[: np.isfinite(values).sum()]  # missing values are sorted last
    values, weights, kinds = values[order], weights[order], kinds[order]
    if not len(values) or values[0] == values[-1]:
        return None
    before = [np.where(kinds // 2 == kind, weights, 0.0) for kind in (0, 1)]
    after = [np.where(kinds == 2 * kind + 1, weights, 0.0) for kind in (0, 1)]
    edges = _edges(values)
    bins = np.searchsorted(values, edges[:-1]), np.searchsorted(values, edges[-1], side="right")
    return FeatureChange(
        before=(_range(values, before[0]), _range(values, before[1])),
        after=(_range(values, after[0]), _range(values, after[1])),
        divergence=_divergence(name, values, weights, kinds),
        edges=edges,
        shapes_before=(_shape(before[0], *bins), _shape(before[1], *bins)),
        shapes_after=(_shape(after[0], *bins), _shape(after[1], *bins)),
    )


def _edges(values: Array) -> Array:
    """The edges of the bins of the picture, of sorted values; an integer is in the middle of its bin."""
    low, high = _ends(values)
    if (values == np.floor(values)).all() and max(abs(low), abs(high)) < LARGEST:
        step = math.ceil((high - low + 1) / DRAWN)
        return np.arange(low - 0.5, high + step, step)
    return np.linspace(low, high, DRAWN + 1)


def _ends(values: Array) -> tuple[float, float]:
    """The range of the picture, of sorted values: without half a percent at each end, unless one value is left."""
    low, high = float(values[len(values) // 200]), float(values[-1 - len(values) // 200])
    if high > low:
        return low, high
    return float(values[0]), float(values[-1])


def _obstacle(unmeasured: Divergence) -> str:
    """Why the change of a feature is not measured."""
    if unmeasured.few is None:
        return str(unmeasured.reason)
    count, needed = unmeasured.few
    return f"too few background events are on one side of the cut ({count:.3g} effective; {needed} are needed)"


def _divergence(name: str, values: Array, weights: Array, kinds: NDArray[np.int64]) -> Divergence:
    background = kinds < 2
    if not background.any():
        return Divergence(reason="there is no background")
    w, passing = weights[background], kinds[background] == 1
    smaller = min(effective_count(float(side.sum()), float(side @ side)) for side in (w[passing], w[~passing]))
    bins = column_bins(name, values[background], min(BINS, max(FEWEST, int(smaller / PER_BIN))))
    m, index = len(bins.names), bins.index
    return divergence(bin_sums(index[passing], w[passing], m), bin_sums(index[~passing], w[~passing], m))


def _shape(weights: Array, starts: NDArray[np.intp], end: np.intp) -> BinSums:
    """The histogram of sorted values whose bins start at these indices; the last bin ends before `end`."""
    sums, squares = (
        np.diff(np.append(0.0, np.cumsum(values))[np.append(starts, end)]) for values in (weights, weights**2)
    )
    return BinSums(sums, squares)


def _range(values: Array, weights: Array) -> Range:
    low, high = (quantile(values, weights, share) for share in ENDS)
    return Range(low, high)


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureChanges:
    """Each feature before and after the cut on the score; threshold is None for several classes."""

    features: Mapping[str, FeatureChange]
    threshold: float | None
    events: int

    @property
    def ranked(self) -> list[str]:
        """Features by decreasing divergence of the passing background."""
        return sorted(self.features, key=lambda name: -(self.features[name].divergence.bits.value or 0.0))

    @property
    def is_ranked(self) -> bool:
        """Whether the divergence of any feature could be measured."""
        return any(change.divergence.bits.value is not None for change in self.features.values())

    @property
    def _cut(self) -> str:
        if self.threshold is None:
            return "the classification as signal"
        return f"score ≥ {number(self.threshold)}"

    @property
    def evidence(self) -> dict[str, Evidence]:
        """Evidence that the cut changes the background's shape, for each feature."""
        return corrected({name: self.features[name].divergence.p for name in self.ranked})

    @property
    def sentences(self) -> tuple[str, ...]:
        """The feature in which the background changes most."""
        if not self.features:
            return ()
        name, evidence = self.ranked[0], self.evidence
        before, after = self.features[name].before[0], self.features[name].after[0]
        if not self.is_ranked:
            return (f"Effective cuts: the features are not ranked, since {_obstacle(self.features[name].divergence)}.",)
        if evidence[name].answer is None:
            return ()
        if evidence[name].answer == "clear":
            return (
                f"The background changes most in {name}: its central 90 % is {_span(before)} before and {_span(after)} "
                f"after the cut ({self._cut}).",
            )
        claim = evidence[name].claim(f"{self._cut} changes the background in a feature")
        return (f"{claim} ({evidence[name].test}); the largest change is in {name}.",)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Central ranges before and after the cut, of the features that change most."""
        shown = self.ranked[:SHOWN]
        if not shown:
            return ()
        rows = [
            [
                name,
                _span(change.before[0]),
                _span(change.after[0]),
                _span(change.after[1]),
                number(*change.divergence.bits),
            ]
            for name, change in ((name, self.features[name]) for name in shown)
        ]
        title = f"effective cuts of {self._cut}, test{first_of(len(shown), len(self.features))}"
        header = ("5 % to 95 % of", "all background", "background after", "signal after", "JSD in bits")
        return (Grid(title, header, rows),)

    def to_dict(self) -> dict[str, Any]:
        """Ranges and divergences by feature."""
        evidence = self.evidence
        return {
            "threshold": self.threshold,
            "events": self.events,
            "features": {
                name: _plain(feature) | {"evidence": evidence[name].to_dict()}
                for name, feature in self.features.items()
            },
        }


def _span(quantiles: Range) -> str:
    if quantiles.low.value is None or quantiles.high.value is None:
        return "-"
    return f"{quantiles.low.value:.3g} to {quantiles.high.value:.3g}"


def _plain(change: FeatureChange) -> dict[str, Any]:
    ranges = {
        f"{kind}_{when}": {"q05": quantiles.low.to_dict(), "q95": quantiles.high.to_dict()}
        for when, pair in (("before", change.before), ("after", change.after))
        for kind, quantiles in zip(KINDS, pair, strict=True)
    }
    return {**ranges, "jsd_bits": change.divergence.bits.to_dict(), "reason": change.divergence.reason}

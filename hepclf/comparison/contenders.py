"""Several taggers side by side: their areas on test events, and whether the differences are more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.split_results import with_limits
from hepclf.scored import SPLITS, Scored, discriminant
from hepclf.statistics.counting.mixture import mixed, process_mixture
from hepclf.statistics.curves.roc import (
    Curve,
    Ranking,
    Roc,
    WorkingPoint,
    area,
    background_error,
    curve,
    influence,
)
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]

GRID = np.linspace(0.01, 1, 100)  # signal efficiencies at which rejections are set against each other
# A variance of areas below this is the rounding of none; 1e9 events have 1e-10.
NO_VARIANCE = 1e-24
# Weights in a mixture that differ by less are the same ones, summed in another order.
ALIKE = 1e-9
# Spectators that differ by less are the same ones, computed on another machine.
SAME_SPECTATORS = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contender:
    """The performance of a tagger, computed from its scored events.

    valid, test            area under the curve, as in metrics.json: of several classes the mean, one against the rest
    valid_loss             log-loss on validation, as in metrics.json
    influences             by how much each test event moves the test area, [n]
    weights                of the test events in the mixture that its areas refer to, [n]
    events, positions      the test events, and their positions in the data, [n]
    background_efficiency  at each signal efficiency of GRID, with its error, [100]; nan without a curve
    copy_of                the tagger whose training this one repeats: equal configuration and seed
    """

    name: str
    valid: Value
    valid_loss: Value
    test: Value
    influences: Array
    weights: Array
    events: Scored
    positions: NDArray[np.intp]
    roc: Roc | None
    working_points: tuple[WorkingPoint, ...]
    background_efficiency: Array
    background_efficiency_error: Array
    copy_of: str | None = None


class Difference(NamedTuple):
    """The test area of a tagger minus that of the reference, and the p-value if the taggers are equal.

    reason  why there is no p; None if there is one
    holm    p, corrected for the number of differences in the comparison
    """

    name: str
    reference: str
    value: Value
    p: float | None = None
    holm: float | None = None
    reason: str | None = None


class RejectionRatio(NamedTuple):
    """Rejection of a tagger over that of the reference at each signal efficiency of GRID, [100]; nan if unknown.

    The error is that of the tagger's own rejection.
    """

    value: Array
    error: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Taggers that are evaluated on the same test events, in the order of their validation area.

    The first is the reference, with which each other one is compared. A copy stands behind its original.
    differs_in  how their test events differ from those of the first comparison; None for the first
    """

    contenders: tuple[Contender, ...]
    differences: tuple[Difference, ...]
    ratios: tuple[RejectionRatio, ...]
    differs_in: str | None = None

    @property
    def by_validation(self) -> bool:
        """Whether the reference is the best on validation, and not just the first given."""
        return self.contenders[0].valid.value is not None

    @property
    def reference(self) -> Contender:
        """The tagger with which the others are compared."""
        return self.contenders[0]

    @property
    def trainings(self) -> tuple[Contender, ...]:
        """The taggers without copies."""
        return tuple(tagger for tagger in self.contenders if tagger.copy_of is None)


def contender(
    name: str,
    scored: Scored,
    signal: int,
    targets: Sequence[float] = (),
    yields: Mapping[str, float] | None = None,
) -> Contender:
    """The performance of a tagger on scored events. `signal` is the class of the curve, `targets` its working points.

    `yields` are those of its evaluation: areas and efficiencies refer to the same mixture as there.
    """
    test, valid = scored.of("test"), scored.of("valid")
    splits = {split: events for split in SPLITS if len(events := scored.of(split))}
    mix = process_mixture(scored, yields or {}, signal, splits, {})
    weights = mix.split_weights("test", test).weights
    ranked = _Ranked.from_scored(test, signal, weights)
    test_area, influences = _area(test, ranked, signal, weights)
    valid_weights = mix.split_weights("valid", valid).weights
    valid_area, _ = _area(valid, _Ranked.from_scored(valid, signal, valid_weights), signal, valid_weights)
    efficiency, error = _background_efficiency(ranked.curve)
    roc, points = with_limits(ranked.curve, tuple(targets), test, signal, ranked.weights)
    return Contender(
        name=name,
        valid=valid_area,
        valid_loss=log_loss(valid.labels, valid.scores, valid.weights),
        test=test_area,
        influences=influences,
        weights=weights if len(test.classes) > 2 else ranked.weights,
        events=test,
        positions=np.flatnonzero(scored.split == SPLITS.index("test")),
        roc=roc,
        working_points=points,
        background_efficiency=efficiency,
        background_efficiency_error=error,
    )


def comparisons(contenders: Sequence[Contender]) -> tuple[Comparison, ...]:
    """One comparison for each set of test events; the one with most taggers comes first.

    Holm's correction counts the differences of all comparisons.
    """
    samples: list[list[Contender]] = []
    for tagger in contenders:
        shared_sample = next((sample for sample in samples if differing_property(tagger, sample[0]) is None), None)
        if shared_sample is None:
            samples.append([tagger])
        else:
            shared_sample.append(tagger)
    samples.sort(key=len, reverse=True)
    first = samples[0][0]
    return _with_holm([replace(compare(sample), differs_in=differing_property(sample[0], first)) for sample in samples])


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Each tagger against the best on validation (without validation events: the first), on the same test events."""
    position = {tagger.name: index for index, tagger in enumerate(contenders)}

    def order(tagger: Contender) -> tuple[float, int, bool]:
        index = position[tagger.copy_of or tagger.name]
        area = contenders[index].valid.value
        return math.inf if area is None else -area, index, tagger.copy_of is not None

    ordered = sorted(contenders, key=order)
    reference = ordered[0]
    comparison = Comparison(
        contenders=tuple(ordered),
        differences=tuple(auc_difference(tagger, reference) for tagger in ordered[1:]),
        ratios=tuple(_ratio(tagger, reference) for tagger in ordered),
    )
    return _with_holm([comparison])[0]


def _with_holm(samples: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The comparisons with p-values corrected by Holm's method for the differences of all of them."""
    corrected = iter(holm_p_values([difference.p for sample in samples for difference in sample.differences]))
    return tuple(
        replace(
            sample,
            differences=tuple(difference._replace(holm=next(corrected)) for difference in sample.differences),
        )
        for sample in samples
    )


def auc_difference(tagger: Contender, reference: Contender) -> Difference:
    r"""The difference of two areas with its error, and the two-sided p of no difference.

    On the same events the areas are correlated: with m the influence of each event on its area, the variance of the
    difference is sum (m_1 - m_2)^2, that is var A_1 + var A_2 - 2 cov with the covariance of DeLong, DeLong and
    Clarke-Pearson (1988) for equal weights. Weights may be negative. p = erfc(|d| / (sqrt(2) sigma_d)).
    """
    if differs_in := differing_property(tagger, reference):
        raise ValueError(
            f"areas are compared on the same test events, however those of {tagger.name!r} and {reference.name!r} "
            f"differ in their {differs_in}; compare them apart"
        )
    names = tagger.name, reference.name
    if tagger.copy_of is not None:
        return Difference(*names, NOTHING, reason=f"it is the same training as {tagger.copy_of}")
    if tagger.test.value is None or reference.test.value is None:
        return Difference(*names, NOTHING, reason="there is no AUC on test")
    value = tagger.test.value - reference.test.value
    variances = float(tagger.influences @ tagger.influences + reference.influences @ reference.influences)
    variance = float(np.sum((tagger.influences - reference.influences) ** 2))
    if math.isnan(variance):
        return Difference(*names, measured(value), reason="too few events for an error")
    if variances <= NO_VARIANCE:
        return Difference(*names, measured(value), reason="both order the classes without exception")
    if variance == 0:
        return Difference(*names, measured(0.0), reason="they rank the events alike")
    error = math.sqrt(variance)
    return Difference(*names, measured(value, error), math.erfc(abs(value) / error / math.sqrt(2)))


def differing_property(tagger: Contender, reference: Contender) -> str | None:
    """In what the test events of two taggers differ; None if they are the same, in the same order and mixture."""
    if not np.array_equal(tagger.positions, reference.positions):
        return "split"
    events, reference_events = tagger.events, reference.events
    if events.process_names != reference_events.process_names:
        return "processes"
    for name in ("labels", "weights", "processes"):
        if not np.array_equal(getattr(events, name), getattr(reference_events, name)):
            return name
    for name, values in events.spectators.items():
        if name in reference_events.spectators and not _equal(values, reference_events.spectators[name]):
            return name
    if not np.allclose(tagger.weights, reference.weights, rtol=ALIKE, atol=0):
        return "mixture"
    return None


def holm_p_values(values: Sequence[float | None]) -> list[float | None]:
    """p-values after Holm (1979): the i-th smallest of m times m - i + 1, never falling, at most 1.

    Rejecting below a level alpha rejects any true equality with a probability of at most alpha. None stays None.
    """
    ascending = sorted((p, index) for index, p in enumerate(values) if p is not None)
    corrected: list[float | None] = [None] * len(values)
    highest = 0.0
    for rank, (p, index) in enumerate(ascending):
        highest = max(highest, min(1.0, p * (len(ascending) - rank)))
        corrected[index] = highest
    return corrected


@dataclass(frozen=True, eq=False)
class _Ranked:
    """The events of a split in the order of one class's probability, with their weights in the mixture."""

    ranking: Ranking
    curve: Curve
    is_label: NDArray[np.bool_]
    weights: Array

    @classmethod
    def from_scored(cls, events: Scored, label: int, mixture_weights: Array) -> _Ranked:
        ranking, is_label = Ranking(discriminant(events, label)), events.labels == label
        weights = mixed(events.weights, mixture_weights, is_label).within
        return cls(ranking, curve(ranking, is_label, weights), is_label, weights)


def _area(events: Scored, signal_ranked: _Ranked, signal: int, weights: Array) -> tuple[Value, Array]:
    """The area of two classes, or the mean of several, one against the rest, and the influences on it, [n]."""
    k = len(events.classes)
    labels = range(k) if k > 2 else (signal,)
    rankings = [signal_ranked if label == signal else _Ranked.from_scored(events, label, weights) for label in labels]
    if not all(ranked.curve.defined for ranked in rankings):
        return NOTHING, np.full(len(events), math.nan)
    influences = np.mean(
        [influence(ranked.curve, ranked.ranking, ranked.is_label, ranked.weights) for ranked in rankings], axis=0
    )
    value = float(np.mean([area(ranked.curve).value for ranked in rankings]))
    return measured(value, math.sqrt(float(influences @ influences))), influences


def _background_efficiency(curve: Curve) -> tuple[Array, Array]:
    """At each signal efficiency of GRID, with its error."""
    if not curve.defined:
        return np.full_like(GRID, math.nan), np.full_like(GRID, math.nan)
    index = curve.index_at(GRID)
    return curve.background_efficiency[index], background_error(curve, index)


def _ratio(tagger: Contender, reference: Contender) -> RejectionRatio:
    """Known where the relative error of the background efficiency is below a half, for both taggers."""
    efficiency, reference_efficiency = tagger.background_efficiency, reference.background_efficiency
    error, reference_error = tagger.background_efficiency_error, reference.background_efficiency_error
    with np.errstate(divide="ignore", invalid="ignore"):
        is_known = (error < efficiency / 2) & (reference_error < reference_efficiency / 2)
        value = np.where(is_known, reference_efficiency / efficiency, math.nan)
        return RejectionRatio(value, value * error / efficiency)


def _equal(values: NDArray[np.generic], reference: NDArray[np.generic]) -> bool:
    if values.dtype.kind == reference.dtype.kind == "f":
        return bool(np.allclose(values, reference, rtol=SAME_SPECTATORS, atol=0, equal_nan=True))
    return bool(np.array_equal(values, reference))

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
    """A tagger as its scored events tell of it.

    valid, test     area under the curve, as metrics.json has it: of several classes the mean, one against the rest
    valid_loss      log-loss on validation, as metrics.json has it
    moved           what each test event moves that area by, [n]
    weights         of the test events in the mixture that its areas refer to, [n]
    events, places  the test events, and where they stand in the data, [n]
    kept            background efficiency at each signal efficiency of GRID, with its error, [100]; nan without a curve
    copy_of         the tagger whose training this one repeats: equal configuration and seed
    """

    name: str
    valid: Value
    valid_loss: Value
    test: Value
    moved: Array
    weights: Array
    events: Scored
    places: NDArray[np.intp]
    roc: Roc | None
    working_points: tuple[WorkingPoint, ...]
    kept: Array
    kept_error: Array
    copy_of: str | None = None


class Difference(NamedTuple):
    """The test area of a tagger minus that of the reference, and the chance of as much between equal taggers.

    reason  why there is no p, None where there is one
    holm    p as it stands among all the differences of a comparison
    """

    name: str
    reference: str
    value: Value
    p: float | None = None
    holm: float | None = None
    reason: str | None = None


class Ratio(NamedTuple):
    """Rejection of a tagger over that of the reference at each signal efficiency of GRID, [100]; nan where unknown.

    The error is that of the tagger's own rejection.
    """

    value: Array
    error: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Taggers that are judged on the same test events, in the order of their validation area.

    Each after the first is set against the first, the reference. A copy stands behind its original.
    differs_in  in what their test events differ from those of the first comparison, None for that one
    """

    contenders: tuple[Contender, ...]
    differences: tuple[Difference, ...]
    ratios: tuple[Ratio, ...]
    differs_in: str | None = None

    @property
    def by_validation(self) -> bool:
        """Whether the reference is the best on validation, and not just the first given."""
        return self.contenders[0].valid.value is not None

    @property
    def reference(self) -> Contender:
        """The tagger that the others are set against."""
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
    """What scored events tell of a tagger; `signal` is the class whose curve is drawn, `targets` its working points.

    `yields` are those of its evaluation: areas and efficiencies refer to the same mixture as there.
    """
    test, valid = scored.of("test"), scored.of("valid")
    parts = {split: part for split in SPLITS if len(part := scored.of(split))}
    mix = process_mixture(scored, yields or {}, signal, parts, {})
    weights = mix.split_weights("test", test).weights
    drawn = _Ranked.of(test, signal, weights)
    value, moved = _area(test, drawn, signal, weights)
    of_valid = mix.split_weights("valid", valid).weights
    kept, error = _kept(drawn.curve)
    line, points = with_limits(drawn.curve, tuple(targets), test, signal, drawn.weights)
    return Contender(
        name=name,
        valid=_area(valid, _Ranked.of(valid, signal, of_valid), signal, of_valid)[0],
        valid_loss=log_loss(valid.labels, valid.scores, valid.weights),
        test=value,
        moved=moved,
        weights=weights if len(test.classes) > 2 else drawn.weights,
        events=test,
        places=np.flatnonzero(scored.split == SPLITS.index("test")),
        roc=line,
        working_points=points,
        kept=kept,
        kept_error=error,
    )


def comparisons(contenders: Sequence[Contender]) -> tuple[Comparison, ...]:
    """Taggers that are judged on the same test events are compared with each other alone; most taggers come first.

    The p-values after Holm count the differences of all.
    """
    samples: list[list[Contender]] = []
    for tagger in contenders:
        same = next((sample for sample in samples if differing(tagger, sample[0]) is None), None)
        if same is None:
            samples.append([tagger])
        else:
            same.append(tagger)
    samples.sort(key=len, reverse=True)
    first = samples[0][0]
    return _adjusted([replace(compare(sample), differs_in=differing(sample[0], first)) for sample in samples])


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Each tagger against the best on validation; without validation events, against the first. All on one test set."""
    position = {tagger.name: index for index, tagger in enumerate(contenders)}

    def order(tagger: Contender) -> tuple[float, int, bool]:
        index = position[tagger.copy_of or tagger.name]
        area = contenders[index].valid.value
        return math.inf if area is None else -area, index, tagger.copy_of is not None

    ordered = sorted(contenders, key=order)
    reference, *others = ordered
    whole = Comparison(
        contenders=tuple(ordered),
        differences=tuple(difference(tagger, reference) for tagger in others),
        ratios=tuple(_ratio(tagger, reference) for tagger in ordered),
    )
    return _adjusted([whole])[0]


def _adjusted(parts: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same with p-values after Holm, which count the differences of all parts."""
    adjusted = iter(holm([change.p for part in parts for change in part.differences]))
    return tuple(
        replace(part, differences=tuple(change._replace(holm=next(adjusted)) for change in part.differences))
        for part in parts
    )


def difference(one: Contender, reference: Contender) -> Difference:
    r"""The difference of two areas with its error, and the two-sided p of no difference.

    On the same events the areas are correlated: with m the influence of each event on its area, the variance of the
    difference is sum (m_1 - m_2)^2, that is var A_1 + var A_2 - 2 cov with the covariance of DeLong, DeLong and
    Clarke-Pearson (1988) for equal weights. Weights may be negative. p = erfc(|d| / (sqrt(2) sigma_d)).
    """
    if differs_in := differing(one, reference):
        raise ValueError(
            f"areas are compared on the same test events, however those of {one.name!r} and {reference.name!r} differ "
            f"in their {differs_in}; compare them apart"
        )
    names = one.name, reference.name
    if one.copy_of is not None:
        return Difference(*names, NOTHING, reason=f"it is the same training as {one.copy_of}")
    if one.test.value is None or reference.test.value is None:
        return Difference(*names, NOTHING, reason="there is no AUC on test")
    value = one.test.value - reference.test.value
    apart = float(one.moved @ one.moved + reference.moved @ reference.moved)
    variance = float(np.sum((one.moved - reference.moved) ** 2))
    if math.isnan(variance):
        return Difference(*names, measured(value), reason="too few events for an error")
    if apart <= NO_VARIANCE:
        return Difference(*names, measured(value), reason="both order the classes without exception")
    if variance == 0:
        return Difference(*names, measured(0.0), reason="they rank the events alike")
    error = math.sqrt(variance)
    return Difference(*names, measured(value, error), math.erfc(abs(value) / error / math.sqrt(2)))


def differing(one: Contender, other: Contender) -> str | None:
    """In what the test events of two taggers differ; None if they are the same, in the same order and mixture."""
    if not np.array_equal(one.places, other.places):
        return "split"
    mine, theirs = one.events, other.events
    if mine.process_names != theirs.process_names:
        return "processes"
    for name in ("labels", "weights", "processes"):
        if not np.array_equal(getattr(mine, name), getattr(theirs, name)):
            return name
    for name in mine.spectators:
        if name in theirs.spectators and not _equal(mine.spectators[name], theirs.spectators[name]):
            return name
    if not np.allclose(one.weights, other.weights, rtol=ALIKE, atol=0):
        return "mixture"
    return None


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p-values after Holm (1979): the i-th smallest of m times m - i + 1, never falling, at most 1.

    Below a level alpha, they reject a true equality anywhere with a chance of at most alpha. None stays None.
    """
    known = sorted((p, index) for index, p in enumerate(values) if p is not None)
    found: list[float | None] = [None] * len(values)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        found[index] = highest
    return found


@dataclass(frozen=True, eq=False)
class _Ranked:
    """The events of a split in the order of one class's probability, with their weights in the mixture."""

    ranking: Ranking
    curve: Curve
    is_label: NDArray[np.bool_]
    weights: Array

    @classmethod
    def of(cls, part: Scored, label: int, mixture_weights: Array) -> _Ranked:
        ranking, is_label = Ranking(discriminant(part, label)), part.labels == label
        weights = mixed(part.weights, mixture_weights, is_label).within
        return cls(ranking, curve(ranking, is_label, weights), is_label, weights)


def _area(part: Scored, drawn: _Ranked, signal: int, weights: Array) -> tuple[Value, Array]:
    """The area of two classes, or the mean of several, one against the rest, and the influences on it, [n]."""
    k = len(part.classes)
    labels = range(k) if k > 2 else (signal,)
    ranked = [drawn if label == signal else _Ranked.of(part, label, weights) for label in labels]
    if not all(one.curve.defined for one in ranked):
        return NOTHING, np.full(len(part), math.nan)
    moved = np.mean([influence(one.curve, one.ranking, one.is_label, one.weights) for one in ranked], axis=0)
    value = float(np.mean([area(one.curve).value for one in ranked]))
    return measured(value, math.sqrt(float(moved @ moved))), moved


def _kept(of: Curve) -> tuple[Array, Array]:
    if not of.defined:
        return np.full_like(GRID, math.nan), np.full_like(GRID, math.nan)
    index = of.index_at(GRID)
    return of.background_efficiency[index], background_error(of, index)


def _ratio(one: Contender, reference: Contender) -> Ratio:
    """Known where the background that is left is known to better than a half, for both."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (one.kept_error < one.kept / 2) & (reference.kept_error < reference.kept / 2)
        value = np.where(known, reference.kept / one.kept, math.nan)
        return Ratio(value, value * one.kept_error / one.kept)


def _equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    if one.dtype.kind == other.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=SAME_SPECTATORS, atol=0, equal_nan=True))
    return bool(np.array_equal(one, other))

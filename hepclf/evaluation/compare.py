"""Several taggers side by side: their areas on test events, and whether the differences are more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.curves.roc import (
    Curve,
    Ranking,
    Roc,
    WorkingPoint,
    area,
    background_error,
    curve,
    influence,
    roc,
    working_point,
)
from hepclf.evaluation.judge import discriminant
from hepclf.evaluation.scored import SPLITS, Scored
from hepclf.evaluation.value import NOTHING, Value, measured

Array = NDArray[np.float64]

GRID = np.linspace(0.01, 1, 100)  # signal efficiencies at which rejections are set against each other
# A variance of areas below this is the rounding of none; 1e9 events have 1e-10.
NO_VARIANCE = 1e-24


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contender:
    """A tagger as its scored events tell of it.

    valid, test     area under the curve, as metrics.json has it: of several classes the mean, one against the rest
    moved           what each test event moves that area by, [n]
    events, places  the test events, and where they stand in the data, [n]
    kept            background efficiency at each signal efficiency of GRID, with its error, [100]; nan without a curve
    """

    name: str
    valid: Value
    test: Value
    moved: Array
    events: Scored
    places: NDArray[np.intp]
    roc: Roc | None
    working_points: tuple[WorkingPoint, ...]
    kept: Array
    kept_error: Array


class Difference(NamedTuple):
    """The test area of a tagger minus that of the reference, and the chance of as much between equal taggers.

    other   in what their test events differ; None where they are the same and the test is a paired one
    reason  why there is no p, None where there is one
    holm    p as it stands among all the differences of a comparison
    """

    name: str
    value: Value
    other: str | None
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
    """Taggers in the order of their validation area, each after the first against the first, the reference."""

    contenders: tuple[Contender, ...]
    differences: tuple[Difference, ...]
    ratios: tuple[Ratio, ...]

    @property
    def by_validation(self) -> bool:
        """Whether the reference is the best on validation, and not just the first given."""
        return self.contenders[0].valid.value is not None


def contender(name: str, scored: Scored, signal: int, targets: Sequence[float] = ()) -> Contender:
    """What scored events tell of a tagger; `signal` is the class whose curve is drawn, `targets` its working points."""
    test, valid = scored.of("test"), scored.of("valid")
    drawn = _Ranked.of(test, signal)
    value, moved = _area(test, drawn, signal)
    kept, error = _kept(drawn.curve)
    return Contender(
        name=name,
        valid=_area(valid, _Ranked.of(valid, signal), signal)[0],
        test=value,
        moved=moved,
        events=test,
        places=np.flatnonzero(scored.split == SPLITS.index("test")),
        roc=roc(drawn.curve),
        working_points=tuple(working_point(drawn.curve, target) for target in targets),
        kept=kept,
        kept_error=error,
    )


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Each tagger against the best on validation; without validation events, against the first."""
    ordered = sorted(contenders, key=lambda one: math.inf if one.valid.value is None else -one.valid.value)
    reference, *others = ordered
    found = [difference(other, reference) for other in others]
    adjusted = holm([one.p for one in found])
    return Comparison(
        contenders=tuple(ordered),
        differences=tuple(one._replace(holm=p) for one, p in zip(found, adjusted, strict=True)),
        ratios=tuple(_ratio(one, reference) for one in ordered),
    )


def difference(one: Contender, reference: Contender) -> Difference:
    r"""The difference of two areas with its error, and the two-sided p of no difference.

    On the same events the areas are correlated: with m the influence of each event on its area, the variance of the
    difference is sum (m_1 - m_2)^2, that is var A_1 + var A_2 - 2 cov with the covariance of DeLong, DeLong and
    Clarke-Pearson (1988) for equal weights. Weights may be negative. On other events the areas are taken as
    independent, sum m_1^2 + sum m_2^2. p = erfc(|d| / (sqrt(2) sigma_d)).
    """
    other = differing(one, reference)
    if one.test.value is None or reference.test.value is None:
        return Difference(one.name, NOTHING, other, reason="there is no AUC on test")
    value = one.test.value - reference.test.value
    apart = float(one.moved @ one.moved + reference.moved @ reference.moved)
    variance = apart if other else float(np.sum((one.moved - reference.moved) ** 2))
    if math.isnan(variance):
        return Difference(one.name, measured(value), other, reason="too few events for an error")
    if apart <= NO_VARIANCE:
        return Difference(one.name, measured(value), other, reason="both order the classes without exception")
    if variance == 0:
        return Difference(one.name, measured(0.0), other, reason="they rank the events alike")
    error = math.sqrt(variance)
    return Difference(one.name, measured(value, error), other, p=math.erfc(abs(value) / error / math.sqrt(2)))


def differing(one: Contender, other: Contender) -> str | None:
    """In what the test events of two taggers differ; None if they are the same events, in the same order."""
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
    """The events of a split in the order of one class's probability."""

    ranking: Ranking
    curve: Curve
    is_label: NDArray[np.bool_]

    @classmethod
    def of(cls, part: Scored, label: int) -> _Ranked:
        ranking, is_label = Ranking(discriminant(part, label)), part.labels == label
        return cls(ranking, curve(ranking, is_label, part.weights), is_label)


def _area(part: Scored, drawn: _Ranked, signal: int) -> tuple[Value, Array]:
    """The area of two classes, or the mean of several, one against the rest, and the influences on it, [n]."""
    k = len(part.classes)
    labels = range(k) if k > 2 else (signal,)
    ranked = [drawn if label == signal else _Ranked.of(part, label) for label in labels]
    if not all(one.curve.defined for one in ranked):
        return NOTHING, np.full(len(part), math.nan)
    moved = np.mean([influence(one.curve, one.ranking, one.is_label, part.weights) for one in ranked], axis=0)
    value = float(np.mean([area(one.curve).value for one in ranked]))
    return measured(value, math.sqrt(float(moved @ moved))), moved


def _kept(of: Curve) -> tuple[Array, Array]:
    if not of.defined:
        return np.full_like(GRID, math.nan), np.full_like(GRID, math.nan)
    index = of.reach(GRID)
    return of.background_efficiency[index], background_error(of, index)


def _ratio(one: Contender, reference: Contender) -> Ratio:
    """Known where the background that is left is known to better than a half, for both."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (one.kept_error < one.kept / 2) & (reference.kept_error < reference.kept / 2)
        value = np.where(known, reference.kept / one.kept, math.nan)
        return Ratio(value, value * one.kept_error / one.kept)


def _equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    both_float = one.dtype.kind == other.dtype.kind == "f"
    return bool(np.array_equal(one, other, equal_nan=both_float))

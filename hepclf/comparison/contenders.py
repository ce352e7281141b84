"""The performance of one tagger, as a comparison needs it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.comparison.exact import ExactRatio, exact_ratio
from hepclf.evaluation.case import Balance
from hepclf.evaluation.split_results import with_limits
from hepclf.scored import SPLITS, Scored, discriminant
from hepclf.statistics.counting.mixture import mixed, process_mixture
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, Roc, area, background_error, curve, influence
from hepclf.statistics.curves.working_point import WorkingPoint
from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]

GRID = np.linspace(0.01, 1, 100)  # signal efficiencies at which rejections are set against each other


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contender:
    """The performance of a tagger, computed from its scored events.

    valid, test            area under the curve, as in metrics.json: for several classes the mean of one against rest
    valid_loss             log-loss on validation with the weights of the training
    influences             influence of each test event on the test area, [n]
    weights                of the test events in the mixture of the areas, [n]
    events, positions      the test events, and their positions in the data, [n]
    background_efficiency  at each signal efficiency of GRID, with its error, [100]; nan without a curve
    copy_of                the tagger whose training this one repeats: equal configuration and seed
    exact                  the exact likelihood ratio of the test events, where they have it
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
    exact: ExactRatio | None = None


def contender(
    name: str,
    scored: Scored,
    signal: int,
    targets: Sequence[float] = (),
    yields: Mapping[str, float] | None = None,
    valid_loss: Value = NOTHING,
    balance: Balance = "classes",
) -> Contender:
    """The performance of a tagger on scored events. `signal` is the class of the curve, `targets` its working points.

    `yields` are those of its evaluation, and define the mixture of areas and efficiencies; `balance` is the trainer's.
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
    if len(test.classes) == 2:
        weights = ranked.weights
    return Contender(
        name=name,
        valid=valid_area,
        valid_loss=valid_loss,
        test=test_area,
        influences=influences,
        weights=weights,
        events=test,
        positions=np.flatnonzero(scored.split == SPLITS.index("test")),
        roc=roc,
        working_points=points,
        background_efficiency=efficiency,
        background_efficiency_error=error,
        exact=exact_ratio(scored, signal, ranked.weights, balance),
    )


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
    """The area for two classes, or the mean of one against the rest for several, and the influences on it, [n]."""
    by_label = {signal: signal_ranked}
    if len(events.classes) > 2:
        others = (label for label in range(len(events.classes)) if label != signal)
        by_label |= {label: _Ranked.from_scored(events, label, weights) for label in others}
    rankings = [by_label[label] for label in sorted(by_label)]
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

"""The table of the test events that every movable threshold is read from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.statistics.counting.expected import POWERS, ExpectedEvents
from hepclf.statistics.curves.cuts import CutTable, heaviest_background
from hepclf.statistics.curves.roc import Curve, Ranking, thinned

Array = NDArray[np.float64]

ROWS = 500


DECISION, BEST = "decision", "best cut"


def cuts(case: Case) -> CutTable | None:
    """The table of the test split, at most some 500 cuts; None without test events of both classes."""
    of = case.curves.get("test")
    if of is None or not of.defined:
        return None
    ranking, part, counted = case.rankings["test"], case.parts["test"], case.counted["test"]
    wanted = _wanted(case)
    places = {float(of.thresholds[i]): int(i) for i in _shown(of)} | {cut: ranking.last(cut) for cut in wanted.values()}
    at = np.array(sorted(places))
    index = np.array([places[cut] for cut in at])
    marks = {name: int(np.searchsorted(at, cut)) for name, cut in wanted.items()}
    is_signal, mix = part.labels == case.signal, case.weights("test")
    return CutTable(
        cuts=at,
        above=np.stack([_at(of.background, index), _at(of.signal, index)]),
        squares=np.stack([_at(of.background_squares, index), _at(of.signal_squares, index)]),
        totals=np.array([of.background[-1], of.signal[-1]]),
        total_squares=np.array([of.background_squares[-1], of.signal_squares[-1]]),
        expected=counted if isinstance(counted, str) else _expected(ranking, is_signal, counted.weights, at, index),
        rules=case.rules,
        marks=marks,
        start=next(iter(marks.values()), len(at) // 2),
        scale=np.array(mix.scale),
        weight=heaviest_background(mix.weights, part, is_signal),
        expected_weight=0.0 if isinstance(counted, str) else heaviest_background(counted.weights, part, is_signal),
    )


def _wanted(case: Case) -> dict[str, float]:
    """Cuts that a reader asks for, first the one that the results go by; the others are chosen on validation."""
    found = {DECISION: case.threshold} if len(case.scored.classes) == 2 else {}
    if case.cut is not None:
        found[BEST] = case.cut
    valid = case.curves.get("valid")
    if valid is not None and valid.defined:
        reached = valid.thresholds[valid.index_at(case.targets)].tolist() if case.targets else []
        found |= {f"signal efficiency {t:g}": cut for t, cut in zip(case.targets, reached, strict=True)}
    return found


def _shown(of: Curve) -> NDArray[np.intp]:
    found = thinned(of.signal_efficiency, of.background_efficiency)
    return found[np.unique(np.linspace(0, len(found) - 1, min(len(found), ROWS)).astype(np.intp))]


def _at(sums: Array, index: NDArray[np.intp]) -> Array:
    """The sums at these thresholds, zero for -1, a cut above all."""
    return np.where(index >= 0, sums[index], 0.0)


def _expected(
    ranking: Ranking, is_signal: NDArray[np.bool_], weights: Array, at: Array, index: NDArray[np.intp]
) -> ExpectedEvents:
    """The first four powers of the weights above each threshold, summed in the order of the ranking."""
    order = ranking.events_above(len(ranking.thresholds) - 1)
    ends = np.array([len(ranking.events_above(int(i))) for i in index])
    ranked_weights, ranked_signal = weights[order], is_signal[order]
    before, above = np.zeros((POWERS, 2)), np.zeros((POWERS, 2, len(at)))
    for group in (0, 1):
        places = np.flatnonzero(ranked_signal == bool(group))
        passing = np.searchsorted(places, ends)
        power = w = ranked_weights[places]
        for p in range(POWERS):
            sums = np.cumsum(power)
            before[p, group] = sums[-1] if len(sums) else 0.0
            above[p, group] = np.where(passing > 0, sums[passing - 1], 0.0) if len(sums) else 0.0
            power = power * w
    names, signal = ("background", "signal"), np.array([False, True])
    return ExpectedEvents(cuts=at, names=names, signal=signal, before=before, above=above)

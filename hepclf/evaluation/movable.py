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


def cut_table(case: Case) -> CutTable | None:
    """The table of the test split, at most some 500 cuts; None without test events of both classes."""
    curve = case.curves.get("test")
    if curve is None or not curve.defined:
        return None
    ranking, part, counted = case.rankings["test"], case.parts["test"], case.counted["test"]
    marked_cuts = _marked_cuts(case)
    places = {float(curve.thresholds[i]): int(i) for i in _drawn_index(curve)}
    places |= {cut: ranking.last(cut) for cut in marked_cuts.values()}
    thresholds = np.array(sorted(places))
    index = np.array([places[cut] for cut in thresholds])
    marks = {name: int(np.searchsorted(thresholds, cut)) for name, cut in marked_cuts.items()}
    is_signal, mix = part.labels == case.signal, case.weights("test")
    return CutTable(
        cuts=thresholds,
        above=np.stack([_sums_above(curve.background, index), _sums_above(curve.signal, index)]),
        squares=np.stack([_sums_above(curve.background_squares, index), _sums_above(curve.signal_squares, index)]),
        totals=np.array([curve.background[-1], curve.signal[-1]]),
        total_squares=np.array([curve.background_squares[-1], curve.signal_squares[-1]]),
        expected=counted
        if isinstance(counted, str)
        else _expected(ranking, is_signal, counted.weights, thresholds, index),
        rules=case.rules,
        marks=marks,
        start=next(iter(marks.values()), len(thresholds) // 2),
        scale=np.array(mix.scale),
        weight=heaviest_background(mix.weights, part, is_signal),
        expected_weight=0.0 if isinstance(counted, str) else heaviest_background(counted.weights, part, is_signal),
    )


def _marked_cuts(case: Case) -> dict[str, float]:
    """Named cuts, first the one that the results go by; the others are chosen on validation."""
    marked_cuts = {DECISION: case.threshold} if len(case.scored.classes) == 2 else {}
    if case.cut is not None:
        marked_cuts[BEST] = case.cut
    valid = case.curves.get("valid")
    if valid is not None and valid.defined:
        reached = valid.thresholds[valid.index_at(case.targets)].tolist() if case.targets else []
        marked_cuts |= {f"signal efficiency {t:g}": cut for t, cut in zip(case.targets, reached, strict=True)}
    return marked_cuts


def _drawn_index(curve: Curve) -> NDArray[np.intp]:
    index = thinned(curve.signal_efficiency, curve.background_efficiency)
    return index[np.unique(np.linspace(0, len(index) - 1, min(len(index), ROWS)).astype(np.intp))]


def _sums_above(sums: Array, index: NDArray[np.intp]) -> Array:
    """The sums at these thresholds, zero for -1, a cut above all."""
    return np.where(index >= 0, sums[index], 0.0)


def _expected(
    ranking: Ranking, is_signal: NDArray[np.bool_], weights: Array, thresholds: Array, index: NDArray[np.intp]
) -> ExpectedEvents:
    """The first four powers of the weights above each threshold, summed in the order of the ranking."""
    order = ranking.events_above(len(ranking.thresholds) - 1)
    ends = np.array([len(ranking.events_above(int(i))) for i in index])
    ranked_weights, ranked_signal = weights[order], is_signal[order]
    before, above = np.zeros((POWERS, 2)), np.zeros((POWERS, 2, len(thresholds)))
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
    return ExpectedEvents(cuts=thresholds, names=names, signal=signal, before=before, above=above)

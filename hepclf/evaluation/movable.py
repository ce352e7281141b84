"""The table of test events above each cut, for the movable threshold of the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.statistics.counting.expected import POWERS, ExpectedEvents
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.cuts import CutTable, heaviest_background
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, thinned

Array = NDArray[np.float64]

ROWS = 500


DECISION, BEST = "decision", "best cut"


def cut_table(case: Case) -> CutTable | None:
    """The table of the test split, with about 500 cuts at most; None without test events of both classes."""
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
    expected: ExpectedEvents | str
    if isinstance(counted, Counted):
        expected = _expected(ranking, is_signal, counted.weights, thresholds, index)
        expected_weight = heaviest_background(counted.weights, part, is_signal)
    else:
        expected, expected_weight = counted, 0.0
    return CutTable(
        cuts=thresholds,
        above=np.stack([_sums_above(curve.background, index), _sums_above(curve.signal, index)]),
        squares=np.stack([_sums_above(curve.background_squares, index), _sums_above(curve.signal_squares, index)]),
        totals=np.array([curve.background[-1], curve.signal[-1]]),
        total_squares=np.array([curve.background_squares[-1], curve.signal_squares[-1]]),
        expected=expected,
        rules=case.rules,
        marks=marks,
        start=next(iter(marks.values()), len(thresholds) // 2),
        scale=np.array(mix.scale),
        weight=heaviest_background(mix.weights, part, is_signal),
        expected_weight=expected_weight,
    )


def _marked_cuts(case: Case) -> dict[str, float]:
    """Cuts with a name: first the decision that the results quote, then those chosen on the validation set."""
    marked_cuts = {}
    if len(case.scored.classes) == 2:
        marked_cuts[DECISION] = case.threshold
    if case.cut is not None:
        marked_cuts[BEST] = case.cut
    valid = case.curves.get("valid")
    if case.targets and valid is not None and valid.defined:
        reached = valid.thresholds[valid.index_at(case.targets)].tolist()
        marked_cuts |= {f"signal efficiency {t:g}": cut for t, cut in zip(case.targets, reached, strict=True)}
    return marked_cuts


def _drawn_index(curve: Curve) -> NDArray[np.intp]:
    index = thinned(curve.signal_efficiency, curve.background_efficiency)
    return index[np.unique(np.linspace(0, len(index) - 1, min(len(index), ROWS)).astype(np.intp))]


def _sums_above(sums: Array, index: NDArray[np.intp]) -> Array:
    """The sums at these thresholds; zero for -1, a cut above all scores."""
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
            sums = np.append(0.0, np.cumsum(power))  # sums[j]: of the first j events
            before[p, group], above[p, group] = sums[-1], sums[passing]
            power = power * w
    names, signal = ("background", "signal"), np.array([False, True])
    return ExpectedEvents(cuts=thresholds, names=names, signal=signal, before=before, above=above)

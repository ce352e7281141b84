"""What every cut keeps of the test events: the table behind a threshold that a reader moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.counting.expected import POWERS, Expected
from hepclf.evaluation.counting.measures import Rules
from hepclf.evaluation.curves.limit import Limit, heaviest, purity_limit, rejection_limit
from hepclf.evaluation.curves.roc import Curve, Ranking, thinned
from hepclf.scored import Scored
from hepclf.statistics.value import efficiency_error

Array = NDArray[np.float64]

ROWS = 500
DECISION, BEST = "decision", "best cut"
# A sum that is left of a whole by subtraction is nothing where it is but the rounding of what cancelled.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Cuts:
    """Weight sums of background and signal, in this order, at or above some cuts; each is exact at its cut.

    Efficiencies are those of the sums. The confusion matrix and the purity have background and signal times `scale`,
    which makes the sums those of the mixture.

    cuts      rising [c]
    above     sums of weights [2, c]; squares those of squared weights
    totals    the same without a cut, [2]
    expected  the same cuts with the weights that stand for the whole sample, or why there are none
    rules     of the significances
    scale     of background and signal [2]
    weight    what one more background event would weigh in the mixture (`heaviest`)
    expected_weight  the same with the weights that stand for the whole sample, 0 without them
    marks     cuts that have a name, by row
    start     the row of the decision that the verdict quotes
    """

    cuts: Array
    above: Array
    squares: Array
    totals: Array
    total_squares: Array
    expected: Expected | str
    rules: Rules
    marks: Mapping[str, int]
    start: int
    scale: Array
    weight: float
    expected_weight: float

    @property
    def cells(self) -> Array:
        """The confusion matrix of each cut: the mixture's weights by truth and decision, [2, 2, c]."""
        below = self.totals[:, None] - self.above
        below[np.abs(below) <= ROUNDING * np.abs(self.totals[:, None])] = 0.0
        (b, s), above = self.scale, self.above
        return np.stack([b * np.stack([below[0], above[0]]), s * np.stack([below[1], above[1]])])

    @property
    def efficiencies(self) -> tuple[Array, Array]:
        """Shares of background and signal that pass each cut, and their errors, [2, c] each."""
        totals = self.totals[:, None]
        return self.above / totals, efficiency_error(self.above, totals, self.squares, self.total_squares[:, None])

    @property
    def purity(self) -> tuple[Array, Array]:
        """Share of signal in the weight that passes, and its error from both sums, [c]; nan where nothing passes."""
        b, s = self.scale[:, None] * self.above
        b_squares, s_squares = self.scale[:, None] ** 2 * self.squares
        with np.errstate(invalid="ignore", divide="ignore"):
            passing = np.where(b + s > 0, b + s, np.nan)
            return s / passing, np.sqrt(b**2 * s_squares + s**2 * b_squares) / passing**2

    def purity_limit(self, row: int) -> Limit | None:
        """What the purity of a cut is greater than where no simulated background event passes it."""
        if self.squares[0, row] > 0:
            return None
        return purity_limit(float(self.scale[1] * self.above[1, row]), self.weight)

    def rejection_limit(self, row: int) -> Limit | None:
        """What the rejection of a cut is greater than there."""
        if self.squares[0, row] > 0 or not self.weight or not self.scale[0]:
            return None
        return rejection_limit(float(self.scale[0] * self.totals[0]), self.weight)


def cuts(case: Case) -> Cuts | None:
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
    return Cuts(
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
        weight=_heaviest(mix.weights, part, is_signal),
        expected_weight=0.0 if isinstance(counted, str) else _heaviest(counted.weights, part, is_signal),
    )


def _heaviest(weights: Array, part: Scored, is_signal: NDArray[np.bool_]) -> float:
    return heaviest(weights[~is_signal], part.processes[~is_signal])


def _wanted(case: Case) -> dict[str, float]:
    """Cuts that a reader asks for, first the one that the verdict decides by; the others are chosen on validation."""
    found = {DECISION: case.threshold} if len(case.scored.classes) == 2 else {}
    if case.cut is not None:
        found[BEST] = case.cut
    valid = case.curves.get("valid")
    if valid is not None and valid.defined:
        reached = valid.thresholds[valid.reach(case.targets)].tolist() if case.targets else []
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
) -> Expected:
    """The first four powers of the weights above each threshold, summed in the order of the ranking."""
    order = ranking.kept(len(ranking.thresholds) - 1)
    ends = np.array([len(ranking.kept(int(i))) for i in index])
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
    return Expected(cuts=at, names=names, signal=signal, before=before, above=above)

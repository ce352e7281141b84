"""Expected events above cuts, process by process, with the sums that errors of significances need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import Scored
from hepclf.statistics.counting.measures import MEASURES, Counts, Rules, propagated
from hepclf.statistics.curves import passing
from hepclf.statistics.curves.limit import Limit, background_limit
from hepclf.statistics.curves.roc import ROUNDING
from hepclf.statistics.value import Value, effective_count, measured
from hepclf.words import number, upper_limit

Array = NDArray[np.float64]

POWERS = 4


@dataclass(frozen=True, eq=False)
class ExpectedEvents:
    """Sums of the first four powers of the weights in each process, without a cut and above each cut.

    names   of the processes [g]; a process with events of both signal and background is listed twice
    signal  which of them are signal [g]
    before  sums without a cut, [4, g]
    above   sums of the events that score at or above each cut, [4, g, c]
    """

    cuts: Array
    names: tuple[str, ...]
    signal: NDArray[np.bool_]
    before: Array
    above: Array

    @property
    def counts(self) -> Counts:
        """Signal and background above each cut."""
        s, b = (self.above[:2, in_class].sum(axis=1) for in_class in (self.signal, ~self.signal))
        total = float(self.before[0, self.signal].sum())
        return Counts(s=s[0], b=b[0], s_squares=s[1], b_squares=b[1], total=total)

    @property
    def effective_background(self) -> Array:
        """(sum w)^2 / sum w^2 of the background above each cut, [c]."""
        b, squares = self.counts.b, self.counts.b_squares
        return np.divide(b**2, squares, out=np.zeros_like(b), where=squares > 0)

    @property
    def covariance(self) -> Array:
        """Covariance of signal, background and the sum of squared background weights, [3, 3, c].

        The background and its own statistical uncertainty are correlated, as they come from the same events.
        """
        covariance = np.zeros((3, 3, len(self.cuts)))
        covariance[0, 0] = self.counts.s_squares
        background = self.above[:, ~self.signal].sum(axis=1)
        # For a Poisson sample, cov(sum w^i, sum w^j) = sum w^(i+j); above[p] holds the sums of w^(p+1).
        for i in (1, 2):
            for j in (1, 2):
                covariance[i, j] = background[i + j - 1]
        return covariance

    def figures(self, name: str, rules: Rules) -> tuple[Array, Array]:
        """A measure at each cut and its error, [c]; nan where the cut keeps too few events for one."""
        counts, covariance = self.counts, self.covariance
        yields = np.stack([counts.s, counts.b, counts.b_squares])
        if name == "punzi":
            covariance[0, 0] = self._punzi_variance(counts)
        formula = MEASURES[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            value, error = propagated(
                lambda s, b, squares: formula(counts._replace(s=s, b=b, b_squares=squares), rules), yields, covariance
            )
        qualified = self.qualified(rules.minimum_background)
        return np.where(qualified, value, np.nan), np.where(qualified, error, np.nan)

    def _punzi_variance(self, counts: Counts) -> Array:
        """Variance of the signal in Punzi's measure, [c].

        The measure takes an efficiency, and the events that pass are part of its denominator (ADR 3).
        """
        if counts.total <= 0:
            return np.full_like(counts.s, np.nan)
        efficiency = counts.s / counts.total
        total_squares = float(self.before[1, self.signal].sum())
        variance = (1 - 2 * efficiency) * counts.s_squares + efficiency**2 * total_squares
        return np.maximum(variance, 0.0)

    def qualified(self, minimum: float) -> NDArray[np.bool_]:
        """Which cuts keep a background of this effective count and no negative signal, [c]."""
        counts = self.counts
        return (counts.b > 0) & (self.effective_background >= minimum * (1 - ROUNDING)) & (counts.s >= 0)

    def figure(self, name: str, rules: Rules, index: int = 0) -> Value:
        """A measure at one cut."""
        value, error = self.select(index).figures(name, rules)
        return measured(float(value[0]), float(error[0]))

    def process(self, group: int, index: int | None = None) -> Value:
        """The events of one process above a cut, or without a cut, with their error sqrt(sum w^2)."""
        sums = self._sums(index)[:, group]
        return measured(float(sums[0]), float(np.sqrt(sums[1])))

    def sum(self, processes: NDArray[np.bool_], index: int | None = None) -> Value:
        """The events of several processes [g] above a cut, or without a cut."""
        sums = self._sums(index)[:, processes].sum(axis=1)
        return measured(float(sums[0]), float(np.sqrt(sums[1])))

    def _sums(self, index: int | None) -> Array:
        """Sums of weights and of squared weights in each process above a cut, or without a cut, [2, g]."""
        if index is None:
            return self.before[:2]
        return self.above[:2, :, index]

    def background_limit(self, index: int = 0) -> Limit | None:
        """Upper limit of the background above a cut that no simulated event passes; None where an event passes.

        The limit assumes the greatest weight per event, sum w^2 / sum w, among the background processes.
        """
        background = ~self.signal & (self.before[1] > 0) & (self.before[0] != 0)
        if self.above[1, ~self.signal, index].any() or not background.any():
            return None
        return background_limit(float(np.max(self.before[1, background] / np.abs(self.before[0, background]))))

    def background_words(self, digits: int = 4, index: int = 0) -> str:
        """The background above a cut with its error, or its upper limit, as a table shows it."""
        limit = self.background_limit(index)
        if limit is not None:
            return upper_limit(limit.at_95)
        return number(*self.sum(~self.signal, index), digits)

    def select(self, *index: int) -> ExpectedEvents:
        """These cuts alone."""
        return ExpectedEvents(
            self.cuts[list(index)], self.names, self.signal, self.before, self.above[:, :, list(index)]
        )

    def scaled(self, factor: float) -> ExpectedEvents:
        """The same simulation for another luminosity: a yield and its error are multiplied by the same factor."""
        powers = factor ** np.arange(1, POWERS + 1)
        before, above = self.before * powers[:, None], self.above * powers[:, None, None]
        return ExpectedEvents(self.cuts, self.names, self.signal, before, above)


def expected_events(scores: Array, part: Scored, signal: int, weights: Array, cuts: Array) -> ExpectedEvents:
    """Sums over the events [n] of a split, in one pass for any number of cuts [c] in any order."""
    order = np.argsort(cuts)
    table = slots(scores, part, signal, weights, cuts[order])
    above = np.cumsum(table.sums[:, :, ::-1], axis=2)[:, :, ::-1]
    return ExpectedEvents(
        cuts=cuts,
        names=table.names,
        signal=table.signal,
        before=above[:, :, 0],
        above=above[:, :, 1:][:, :, np.argsort(order)],
    )


class Slots(NamedTuple):
    """Sums of the first four powers of the weights in each process between c cuts, [4, g, c + 1].

    names   of the processes [g]; a process with events of both signal and background is listed twice
    signal  which of them are signal [g]
    """

    names: tuple[str, ...]
    signal: NDArray[np.bool_]
    sums: Array


def slots(scores: Array, part: Scored, signal: int, weights: Array, cuts: Array) -> Slots:
    """Sums over the events [n] of a split below, between and at or above ascending cuts [c]."""
    group = 2 * part.processes + (part.labels == signal)
    table = passing.slot_sums(scores, cuts, group, weights, 2 * len(part.process_names), POWERS)
    filled = np.flatnonzero(table[1].any(axis=1))
    names = tuple(_name(part, int(group), filled) for group in filled)
    return Slots(names, filled % 2 == 1, table[:, filled])


def _name(part: Scored, group: int, filled: NDArray[np.intp]) -> str:
    name = part.process_names[group // 2]
    # A group is twice the process, plus one for signal: group ^ 1 is the other class of the same process.
    if (group ^ 1) not in filled:
        return name
    return f"{name} ({('background', 'signal')[group % 2]})"


def effective(value: Value) -> float | None:
    """The effective number of simulated events behind a yield, (value / error)^2."""
    if value.value is None or value.error is None:
        return None
    return effective_count(value.value, value.error**2)

"""Expected events above cuts, process by process, with all that the errors of their measures need."""

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
    """Sums of the first four powers of the weights in each process, of what scores at least each cut.

    names   of the processes [g]; one with events of both signal and background is there twice
    signal  which of them are signal [g]
    before  without a cut, [4, g]
    above   at or above each cut, [4, g, c]
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
        """Of signal, background and the sum of squared background weights, [3, 3, c].

        The background and its own statistical uncertainty rise and fall together.
        """
        covariance = np.zeros((3, 3, len(self.cuts)))
        covariance[0, 0] = self.counts.s_squares
        background = self.above[:, ~self.signal].sum(axis=1)
        for i in (1, 2):
            for j in (1, 2):
                covariance[i, j] = background[i + j - 1]
        return covariance

    def figures(self, name: str, rules: Rules) -> tuple[Array, Array]:
        """A measure at each cut and its error, [c]; nan where the cut keeps too little for one.

        Punzi's takes an efficiency, whose error knows that what passes is part of the whole (ADR 3).
        """
        counts, covariance = self.counts, self.covariance
        yields = np.stack([counts.s, counts.b, counts.b_squares])
        if name == "punzi":
            total_squares = float(self.before[1, self.signal].sum())
            share = counts.s / counts.total if counts.total > 0 else np.full_like(counts.s, np.nan)
            covariance[0, 0] = np.maximum((1 - 2 * share) * counts.s_squares + share**2 * total_squares, 0.0)
        formula = MEASURES[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            value, error = propagated(
                lambda s, b, squares: formula(counts._replace(s=s, b=b, b_squares=squares), rules), yields, covariance
            )
        qualified = self.qualified(rules.minimum_background)
        return np.where(qualified, value, np.nan), np.where(qualified, error, np.nan)

    def qualified(self, minimum: float) -> NDArray[np.bool_]:
        """Which cuts keep a background of this effective count and no negative signal, [c]."""
        counts = self.counts
        return (counts.b > 0) & (self.effective_background >= minimum * (1 - ROUNDING)) & (counts.s >= 0)

    def figure(self, name: str, rules: Rules, index: int = 0) -> Value:
        """A measure at one cut."""
        value, error = self.select(index).figures(name, rules)
        return measured(float(value[0]), float(error[0]))

    def process(self, group: int, index: int | None = None) -> Value:
        """The events of one process above a cut, or of all, with their error sqrt(sum w^2)."""
        sums = self.before[:2, group] if index is None else self.above[:2, group, index]
        return measured(float(sums[0]), float(np.sqrt(sums[1])))

    def sum(self, processes: NDArray[np.bool_], index: int | None = None) -> Value:
        """The events of several processes [g] above a cut, or of all."""
        sums = self.before[:2, processes].sum(axis=1) if index is None else self.above[:2, processes, index].sum(axis=1)
        return measured(float(sums[0]), float(np.sqrt(sums[1])))

    def background_limit(self, index: int = 0) -> Limit | None:
        """What the background above a cut is less than, where no simulated event of it is left; None where one is.

        One more event would weigh sum w^2 / sum w of the process where that is greatest.
        """
        background = ~self.signal & (self.before[1] > 0) & (self.before[0] != 0)
        if self.above[1, ~self.signal, index].any() or not background.any():
            return None
        return background_limit(float(np.max(self.before[1, background] / np.abs(self.before[0, background]))))

    def background_words(self, digits: int = 4, index: int = 0) -> str:
        """The background above a cut as a table has it, or what it is less than."""
        limit = self.background_limit(index)
        return number(*self.sum(~self.signal, index), digits) if limit is None else upper_limit(limit.at_95)

    def select(self, *index: int) -> ExpectedEvents:
        """These cuts alone."""
        return ExpectedEvents(
            self.cuts[list(index)], self.names, self.signal, self.before, self.above[:, :, list(index)]
        )

    def scaled(self, factor: float) -> ExpectedEvents:
        """The same simulation for another luminosity: a yield and its error are multiplied alike."""
        powers = factor ** np.arange(1, POWERS + 1)
        before, above = self.before * powers[:, None], self.above * powers[:, None, None]
        return ExpectedEvents(self.cuts, self.names, self.signal, before, above)


def expected_events(scores: Array, part: Scored, signal: int, weights: Array, cuts: Array) -> ExpectedEvents:
    """Sums over the events [n] of a split, in one pass however many cuts [c] there are, in any order."""
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

    names   of the processes [g]; one with events of both signal and background is there twice
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
    return name if (group ^ 1) not in filled else f"{name} ({'signal' if group % 2 else 'background'})"


def effective(value: Value) -> float | None:
    """The effective number of simulated events behind a yield, (value / error)^2."""
    if value.value is None or value.error is None:
        return None
    return effective_count(value.value, value.error**2)

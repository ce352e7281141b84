"""The numbers of the page at each cut that a reader can choose, in the format of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.studies.counting import NAMES
from hepclf.evaluation.studies.points import inverse_efficiency
from hepclf.presentation.tables import cell
from hepclf.statistics.counting.expected import ExpectedEvents
from hepclf.statistics.curves.cuts import CutTable
from hepclf.statistics.curves.limit import Limit, background_limit
from hepclf.statistics.value import Value, measured
from hepclf.words import lower_limit, number, score_cut, upper_limit

Array = NDArray[np.float64]

SIGNIFICANCES = ("s_over_sqrt_b", "asimov", "asimov_systematic")


@dataclass(frozen=True, kw_only=True, eq=False)
class Movable:
    """Each quantity as a column of words, one for each cut.

    cells     the confusion matrix, by truth then decision
    shares    of the same mixture: efficiencies, rejection, purity
    expected  of the whole sample: events and significances; none where `reason` says why
    """

    cuts: CutTable
    cells: Mapping[str, Sequence[str]]
    shares: Mapping[str, Sequence[str]]
    expected: Mapping[str, Sequence[str]]
    reason: str | None

    @property
    def columns(self) -> dict[str, Sequence[str]]:
        """Every column, under the name of the element that shows it."""
        thresholds = [score_cut(threshold) for threshold in self.cuts.cuts]
        return {"cut": thresholds, **self.cells, **self.shares, **self.expected}

    def data(self) -> dict[str, Any]:
        """The data of the page's script: the cuts, their words, and the row to start with."""
        return {"cuts": self.cuts.cuts.tolist(), "columns": self.columns, "start": self.cuts.start}


def movable(cuts: CutTable) -> Movable:
    """The words of every cut; `-` stands for a quantity that has no value."""
    weights, efficiencies = cuts.cells, cuts.efficiencies
    totals = cuts.scale * cuts.totals
    fractions = np.divide(
        weights, totals[:, None, None], out=np.full_like(weights, np.nan), where=totals[:, None, None] > 0
    )
    backgrounds, signals = (_values_and_errors(efficiencies, label) for label in (0, 1))
    purities = zip(*cuts.purity, strict=True)
    expected, reason = {}, None
    if isinstance(cuts.expected, str):
        reason = cuts.expected
    else:
        expected = _expected(cuts, cuts.expected)
    cells = {
        f"{truth}-{decision}": [cell(w, s) for w, s in zip(weights[i, j], fractions[i, j], strict=True)]
        for i, truth in enumerate(("background", "signal"))
        for j, decision in enumerate(("background", "signal"))
    }
    return Movable(
        cuts=cuts,
        cells=cells,
        shares={
            "signal efficiency": [number(*signal) for signal in signals],
            "background efficiency": [number(*background) for background in backgrounds],
            "rejection": [
                _words_or_limit(_rejection(*background), cuts.rejection_limit(row))
                for row, background in enumerate(backgrounds)
            ],
            "purity of the selected": [
                _words_or_limit(number(*measured(*purity)), cuts.purity_limit(row))
                for row, purity in enumerate(purities)
            ],
        },
        expected=expected,
        reason=reason,
    )


def _values_and_errors(efficiencies: tuple[Array, Array], label: int) -> list[tuple[float | None, float | None]]:
    values, errors = efficiencies
    return [measured(float(v), float(e)) for v, e in zip(values[label], errors[label], strict=True)]


def _words_or_limit(words: str, limit: Limit | None) -> str:
    """The lower limit of a quantity where no simulated background event passes, its words elsewhere."""
    if limit is None:
        return words
    return lower_limit(limit.at_95)


def _rejection(efficiency: float | None, error: float | None) -> str:
    return number(*inverse_efficiency(Value(efficiency, error)), 1)


def _expected(cuts: CutTable, expected: ExpectedEvents) -> dict[str, list[str]]:
    counts, rules = expected.counts, cuts.rules
    sums = (("S", counts.s, counts.s_squares), ("B", counts.b, counts.b_squares))
    columns = {
        name: [number(*measured(v, e), 1) for v, e in zip(values.tolist(), np.sqrt(squares).tolist(), strict=True)]
        for name, values, squares in sums
    }
    ratios = np.divide(counts.s, counts.b, out=np.full_like(counts.s, np.nan), where=counts.b > 0)
    columns["S/B"] = [number(*measured(ratio)) for ratio in ratios.tolist()]
    if cuts.expected_weight > 0:
        limit = background_limit(cuts.expected_weight).at_95
        for row in np.flatnonzero(counts.b_squares == 0):
            columns["B"][row] = upper_limit(limit)
            columns["S/B"][row] = "-"
            if counts.s[row] > 0:
                columns["S/B"][row] = lower_limit(float(counts.s[row]) / limit)
    for name in dict.fromkeys((*SIGNIFICANCES, rules.optimise)):
        pairs = zip(*(column.tolist() for column in expected.figures(name, rules)), strict=True)
        columns[NAMES[name]] = [number(*measured(*pair), 2) for pair in pairs]
    return columns

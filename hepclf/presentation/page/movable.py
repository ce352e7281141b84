"""The words of each cut that a reader can move to: what the page shows is what the tables and metrics.json say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.studies.counting import NAMES
from hepclf.presentation.tables import cell
from hepclf.statistics.counting.expected import ExpectedEvents
from hepclf.statistics.curves.cuts import CutTable
from hepclf.statistics.curves.limit import Limit, background_limit
from hepclf.statistics.value import measured
from hepclf.words import lower_limit, number, score_cut, upper_limit

Array = NDArray[np.float64]

ALWAYS = ("s_over_sqrt_b", "asimov", "asimov_systematic")


@dataclass(frozen=True, kw_only=True, eq=False)
class Movable:
    """A column of words a quantity, one for each cut.

    cells     the confusion matrix, by truth then decision
    shares    of the same mixture: efficiencies, rejection, purity
    expected  of the whole sample: events and significances; none where `reason` says why
    """

    of: CutTable
    cells: Mapping[str, Sequence[str]]
    shares: Mapping[str, Sequence[str]]
    expected: Mapping[str, Sequence[str]]
    reason: str | None

    @property
    def columns(self) -> dict[str, Sequence[str]]:
        """Every column, under the name of the element that shows it."""
        cuts = [score_cut(value) for value in self.of.cuts]
        return {"cut": cuts, **self.cells, **self.shares, **self.expected}

    def data(self) -> dict[str, Any]:
        """What the page's script reads: cuts, words and the row to begin with."""
        return {"cuts": self.of.cuts.tolist(), "columns": self.columns, "start": self.of.start}


def movable(of: CutTable) -> Movable:
    """The words of every cut; a quantity that could not be had is `-`."""
    weights, efficiencies = of.cells, of.efficiencies
    totals = of.scale * of.totals
    shares = np.divide(
        weights, totals[:, None, None], out=np.full_like(weights, np.nan), where=totals[:, None, None] > 0
    )
    signal, background = ([number(*pair) for pair in _pairs(efficiencies, which)] for which in (1, 0))
    cells = {
        f"{truth}-{decision}": [cell(w, s) for w, s in zip(weights[i, j], shares[i, j], strict=True)]
        for i, truth in enumerate(("background", "signal"))
        for j, decision in enumerate(("background", "signal"))
    }
    return Movable(
        of=of,
        cells=cells,
        shares={
            "signal efficiency": signal,
            "background efficiency": background,
            "rejection": [
                _limited(_rejection(*pair), of.rejection_limit(row)) for row, pair in enumerate(_pairs(efficiencies, 0))
            ],
            "purity of the selected": [
                _limited(number(*measured(*pair)), of.purity_limit(row))
                for row, pair in enumerate(zip(*of.purity, strict=True))
            ],
        },
        expected={} if isinstance(of.expected, str) else _expected(of, of.expected),
        reason=of.expected if isinstance(of.expected, str) else None,
    )


def _pairs(efficiencies: tuple[Array, Array], which: int) -> list[tuple[float | None, float | None]]:
    values, errors = efficiencies
    return [measured(float(v), float(e)) for v, e in zip(values[which], errors[which], strict=True)]


def _limited(words: str, limit: Limit | None) -> str:
    """What a quantity is greater than, where no simulated background event is left."""
    return words if limit is None else lower_limit(limit.at_95)


def _rejection(kept: float | None, error: float | None) -> str:
    if kept is None or kept <= 0:
        return "-"
    return number(*measured(1 / kept, None if error is None else error / kept**2), 1)


def _expected(of: CutTable, expected: ExpectedEvents) -> dict[str, list[str]]:
    counts, rules = expected.counts, of.rules
    sums = (("S", counts.s, counts.s_squares), ("B", counts.b, counts.b_squares))
    found = {
        name: [number(*measured(v, e), 1) for v, e in zip(values.tolist(), np.sqrt(squares).tolist(), strict=True)]
        for name, values, squares in sums
    }
    ratios = np.divide(counts.s, counts.b, out=np.full_like(counts.s, np.nan), where=counts.b > 0)
    found["S/B"] = [number(*measured(ratio)) for ratio in ratios.tolist()]
    if of.expected_weight > 0:
        limit = background_limit(of.expected_weight).at_95
        for row in np.flatnonzero(counts.b_squares == 0):
            found["B"][row] = upper_limit(limit)
            found["S/B"][row] = lower_limit(float(counts.s[row]) / limit) if counts.s[row] > 0 else "-"
    for name in dict.fromkeys((*ALWAYS, rules.optimise)):
        pairs = zip(*(column.tolist() for column in expected.figures(name, rules)), strict=True)
        found[NAMES[name]] = [number(*measured(*pair), 2) for pair in pairs]
    return found

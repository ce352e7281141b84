"""Several classes: areas of pairs, true classes among the events of each decision, averages of areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.split_results import decisions
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.confusion import Confusion, confusion_matrix
from hepclf.statistics.curves.pairs import Averages, Pair, averages, pairs
from hepclf.statistics.value import Value, efficiency_error, measured
from hepclf.words import Grid, number

Array = NDArray[np.float64]
WITH_ERRORS = 4  # with more classes, areas with their errors are too wide for a terminal


@recipe
class Multiclass:
    """Pairs of classes, averages, and the composition of each decision; at most `events` test events, at random."""

    question: ClassVar[str] = "Which classes are confused with each other?"
    page_title: ClassVar[str] = "Confusion of the classes"
    page_section: ClassVar[str] = "separate"

    events: int = 200_000

    def __post_init__(self) -> None:
        if self.events < 1000:
            raise ValueError(f"events must be 1000 or more, not {self.events}")

    def study(self, case: Case) -> Classes | None:
        """The results for three classes or more on test; None for two classes."""
        if len(case.scored.classes) < 3 or "test" not in case.parts:
            return None
        test, k = case.parts["test"], len(case.scored.classes)
        rows = at_random(test, self.events)
        weights = case.weights("test").weights
        columns = test.labels[rows], test.scores[rows], weights[rows]
        return Classes(
            classes=test.classes,
            events=len(rows),
            total=len(test),
            cells=confusion_matrix(test.labels, decisions(test, case.signal, case.threshold), weights, k),
            pairs=pairs(*columns),
            averages=averages(*columns),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Classes:
    """Results for several classes on test.

    events  number of events for pairs and averages, out of `total`
    cells   the confusion matrix of all events
    """

    classes: tuple[str, ...]
    events: int
    total: int
    cells: Confusion
    pairs: tuple[Pair, ...]
    averages: Averages

    @property
    def shares(self) -> tuple[Array, Array]:
        """Fraction of each true class among the events of a decision (columns sum to one), and its error, [k, k]."""
        totals, squares = (sums.sum(axis=0, keepdims=True) for sums in (self.cells.weights, self.cells.squares))
        denominators = np.where(totals > 0, totals, np.nan)
        return self.cells.weights / denominators, efficiency_error(
            self.cells.weights, denominators, self.cells.squares, squares
        )

    @property
    def areas(self) -> list[list[Value]]:
        """The area of each pair by row and column, without a value on the diagonal."""
        matrix = [[Value(None)] * len(self.classes) for _ in self.classes]
        for pair in self.pairs:
            matrix[pair.first][pair.second] = matrix[pair.second][pair.first] = pair.auc
        return matrix

    @property
    def sentences(self) -> tuple[str, ...]:
        """The pair with the lowest area."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        defined = [pair for pair in self.pairs if pair.auc.value is not None]
        if defined:
            worst = min(defined, key=lambda pair: pair.auc.value or 0.0)
            names = f"{self.classes[worst.first]} and {self.classes[worst.second]}"
            yield f"The pair of classes with the lowest AUC is {names}: {number(*worst.auc)}."
        if self.events < self.total:
            yield f"Pairs and averages use {self.events:,} of the {self.total:,} test events, drawn at random."

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Areas of the pairs, averages, and the composition of each decision."""
        return self._pairs(), self._averages(), self._decisions()

    def _pairs(self) -> Grid:
        few, areas = len(self.classes) <= WITH_ERRORS, self.areas

        def cell(row: int, column: int) -> str:
            if column <= row:
                return ""
            value, error = areas[row][column]
            if few:
                return number(value, error)
            return number(value)

        columns = range(1, len(self.classes))
        rows = [(name, *(cell(row, column) for column in columns)) for row, name in enumerate(self.classes[:-1])]
        return Grid("AUC of each pair of classes on test, by p/(p + q)", ("", *self.classes[1:]), rows)

    def _averages(self) -> Grid:
        one_vs_rest, one_vs_rest_weighted, one_vs_one, one_vs_one_weighted = (number(*value) for value in self.averages)
        rows = [
            ("one against the rest", one_vs_rest, one_vs_rest_weighted),
            ("one against one", one_vs_one, one_vs_one_weighted),
        ]
        return Grid("AUC averaged over classes, on test", ("", "unweighted mean", "weighted mean"), rows)

    def _decisions(self) -> Grid:
        shares, errors = (100 * values for values in self.shares)
        columns = [f"→ {name}" for name in self.classes]
        if len(self.classes) > WITH_ERRORS:
            errors, columns = np.full_like(shares, np.nan), list(self.classes)
        rows = [
            (name, *(number(*measured(*cell), digits=1) for cell in zip(*row, strict=True)))
            for name, *row in zip(self.classes, shares, errors, strict=True)
        ]
        return Grid("true classes among the events of each decision, on test, %", ("truth", *columns), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        shares, errors = self.shares
        return {
            "events": self.events,
            "confusion_counts": self.cells.counts.tolist(),
            "confusion_rows": self.cells.fractions.tolist(),
            "confusion_columns": {"value": shares.tolist(), "error": np.where(errors > 0, errors, np.nan).tolist()},
            "pairs": [
                {"classes": [self.classes[pair.first], self.classes[pair.second]], "auc": pair.auc.to_dict()}
                for pair in self.pairs
            ],
            "averages": {name: value.to_dict() for name, value in self.averages._asdict().items()},
        }


def at_random(part: Scored, events: int) -> NDArray[np.intp]:
    """Indices of at most `events` random events, ascending."""
    if len(part) <= events:
        return np.arange(len(part))
    return np.sort(np.random.default_rng(0).choice(len(part), events, replace=False))

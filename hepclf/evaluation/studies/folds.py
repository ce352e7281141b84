"""Folds: the results of each training of a tagger that was trained in folds, and their spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence
from hepclf.recipe import recipe
from hepclf.statistics.counting.scan import chosen_significance
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve
from hepclf.statistics.losses import event_losses
from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured, weighted_mean
from hepclf.words import Grid, number

Array = NDArray[np.float64]

NOT_INDEPENDENT = "The folds are not independent, as any two members share most of their training events"


@recipe
class Folds:
    """AUC, log-loss and expected significance of each fold, scored by the member that has not seen it."""

    question: ClassVar[str] = "Do the members of the folds agree?"
    page_title: ClassVar[str] = "Folds"
    page_section: ClassVar[str] = "believe"

    def study(self, case: Case) -> FoldResults | None:
        """The results of each fold; None for a tagger that was not trained in folds."""
        test = case.parts.get("test")
        if test is None or test.folds is None:
            return None
        rows = [np.flatnonzero(test.folds == fold) for fold in range(int(test.folds.max()) + 1)]
        return FoldResults(folds=tuple(_fold(case, places) for places in rows), pooled=area(case.curves["test"]))


class Fold(NamedTuple):
    """The results of one fold: its number of events, AUC, log-loss, and the Asimov significance at the chosen cut.

    The significance is that of the whole sample, to which the yields of the fold are scaled.
    """

    events: int
    auc: Value
    log_loss: Value
    asimov: Value

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"events": self.events, **{name: getattr(self, name).to_dict() for name in MEASURES}}


MEASURES = {"auc": "AUC", "log_loss": "log-loss", "asimov": "Asimov Z"}


class Scatter(NamedTuple):
    """A measure over the folds: its mean, its standard deviation, and the one that statistical errors explain."""

    mean: float
    deviation: Value
    expected: float | None
    evidence: Evidence

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "mean": self.mean,
            "deviation": self.deviation.to_dict(),
            "expected": self.expected,
            "evidence": self.evidence.to_dict(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldResults:
    """The results of each fold, in their order; `pooled` is the AUC of all events together."""

    folds: tuple[Fold, ...]
    pooled: Value

    def scatter(self, name: str) -> Scatter | None:
        """The spread of a measure over the folds; None where not all of them have a value."""
        return fold_scatter([getattr(fold, name) for fold in self.folds])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The spread of the AUC beside its statistical error, and how the folds combine."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        spread = self.scatter("auc")
        if spread is None:
            yield "The folds cannot be compared, as not all of them have an AUC."
            return
        yield self._comparison(spread)
        if self.pooled.value is not None and self.pooled.error and self._pooling < -self.pooled.error:
            yield (
                f"The AUC of all events together is {-self._pooling:.2g} below the mean of the folds: the members "
                "give the same event scores of different scale. trainer.calibrate=isotonic brings them to one scale."
            )

    def _comparison(self, spread: Scatter) -> str:
        expected = "with unknown statistical error"
        if spread.expected is not None:
            expected = f"where the statistical error of one fold is {spread.expected:.2g}"
        claim = spread.evidence.claim("the folds differ by more than their statistical errors")
        return (
            f"{claim} ({spread.evidence.test}): the AUC of {len(self.folds)} folds has a standard deviation of "
            f"{number(*spread.deviation)}, {expected}. {NOT_INDEPENDENT}: this spread is no error of the mean."
        )

    @property
    def _pooling(self) -> float:
        spread = self.scatter("auc")
        if spread is None or self.pooled.value is None:
            return 0.0
        return self.pooled.value - spread.mean

    @property
    def problems(self) -> tuple[str, ...]:
        """The sentence that the folds differ, where it is clear that they do."""
        spread = self.scatter("auc")
        if spread is None or spread.evidence.answer != "clear":
            return ()
        return (self._comparison(spread),)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """A row for each fold, and the spread."""
        rows = [
            [str(place), f"{fold.events:,}", *(number(*getattr(fold, name)) for name in MEASURES)]
            for place, fold in enumerate(self.folds)
        ]
        spreads = [self.scatter(name) for name in MEASURES]
        rows.append(["standard deviation", "", *(_cell(spread) for spread in spreads)])
        rows.append(["expected from errors", "", *(_expected(spread) for spread in spreads)])
        header = ("fold", "events", *MEASURES.values())
        return (Grid("folds, each scored by the member that has not seen it", header, rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        spreads = {name: self.scatter(name) for name in MEASURES}
        return {
            "folds": [fold.to_dict() for fold in self.folds],
            "spread": {name: None if spread is None else spread.to_dict() for name, spread in spreads.items()},
        }


def fold_scatter(values: Sequence[Value]) -> Scatter | None:
    """Mean and standard deviation of the values, with chi-squared of their errors; None where a value is missing."""
    figures = np.array([value.value for value in values if value.value is not None])
    if len(figures) < len(values) or len(figures) < 2:
        return None
    deviation = float(figures.std(ddof=1))
    errors = np.array([value.error for value in values if value.error is not None])
    expected, p = None, None
    if len(errors) == len(values):
        expected = math.sqrt(float((errors**2).mean()))
    if expected is not None and (errors > 0).all():  # a fold without an error, of AUC 1, leaves no chi-squared
        p = float(gammaincc((len(figures) - 1) / 2, _chi_squared(figures, errors) / 2))
    error = deviation / math.sqrt(2 * (len(figures) - 1))
    return Scatter(float(figures.mean()), measured(deviation, error), expected, Evidence(p))


def _chi_squared(figures: Array, errors: Array) -> float:
    """Of the values against their weighted mean."""
    mean = float((figures / errors**2).sum() / (1 / errors**2).sum())
    return float((((figures - mean) / errors) ** 2).sum())


def _fold(case: Case, places: NDArray[np.intp]) -> Fold:
    test = case.parts["test"]
    ranking = Ranking(case.discriminant("test")[places])
    labels, within = test.labels[places], case.weights("test").within[places]
    losses = event_losses(labels, test.scores[places])
    return Fold(
        events=len(places),
        auc=area(curve(ranking, labels == case.signal, within)),
        log_loss=weighted_mean(losses, test.weights[places]),
        asimov=_asimov(case, ranking, places),
    )


def _asimov(case: Case, ranking: Ranking, places: NDArray[np.intp]) -> Value:
    """The significance of the fold's events above the chosen cut, with its yields scaled to the whole sample."""
    counted = case.counted.get("test")
    if case.cut is None or not isinstance(counted, Counted):
        return NOTHING
    is_signal = case.parts["test"].labels == case.signal
    weights = counted.weights[places]
    for in_class in (is_signal, ~is_signal):
        inside = in_class[places]
        part, squares = float(weights[inside].sum()), float((weights[inside] ** 2).sum())
        if not has_positive_sum(part, squares):
            return NOTHING
        weights = np.where(inside, weights * float(counted.weights[in_class].sum()) / part, weights)
    index = ranking.last(case.cut)
    background = weights[events := ranking.events_above(index)][~is_signal[places][events]]
    above = curve(ranking, is_signal[places], weights)
    return chosen_significance(above, index, case.cut, background, case.rules).asimov


def _cell(spread: Scatter | None) -> str:
    return "-" if spread is None else number(*spread.deviation)


def _expected(spread: Scatter | None) -> str:
    return "-" if spread is None or spread.expected is None else f"{spread.expected:.2g}"

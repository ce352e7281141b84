"""Permutation importance: the features that the score depends on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case, Inside
from hepclf.evaluation.evidence import Evidence, corrected, one_sided_p
from hepclf.evaluation.studies.sample import sample
from hepclf.recipe import recipe
from hepclf.scored import signal_scores
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve, influence
from hepclf.statistics.losses import event_losses
from hepclf.statistics.value import NOTHING, SINGLE, Value, effective_count, measured
from hepclf.words import Grid, first_of, number

SCORINGS = 60_000  # events to score again in total, unless events are given: a second or less for a network
LEAST = 200  # events, also with many features
SHOWN = 10
Array = NDArray[np.float64]
MEASURES = ("log_loss", "auc")
UNCHANGED = Value(0.0)
NORMAL_95 = 1.6448536269514722  # one-sided


@recipe
class Importance:
    """Permutation importance: the change of test log-loss and AUC when one feature is permuted among the events.

    events   test events to permute; null: as many as 60,000 scorings allow
    repeats  permutations of each feature
    """

    question: ClassVar[str] = "Which features does the score depend on?"
    page_title: ClassVar[str] = "Feature importance"
    page_section: ClassVar[str] = "learn"

    events: int | None = None
    repeats: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.events is not None and self.events < 2:
            raise ValueError(f"events must be at least 2 (or null), not {self.events}")
        if not 2 <= self.repeats <= 1000:
            raise ValueError(f"repeats must be 2..1000, not {self.repeats}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, not {self.seed}")

    def study(self, case: Case) -> Importances | None:
        """The importance of each feature; None without the features of test events, as for stored scores."""
        inside = case.inside
        if inside is None or "test" not in case.parts:
            return None
        part, rng = case.parts["test"], np.random.default_rng(self.seed)
        events = self.events or max(SCORINGS // (self.repeats * len(inside.names)), LEAST)
        places, factors = sample(part.labels, part.weights, events, rng)
        mixed, within = case.mixed("test"), case.weights("test").within[places] * factors
        # Physical weights would leave the loss of the background alone.
        loss_weights = (part.weights if mixed is None else mixed)[places] * factors
        sampled = SampledEvents(part.labels[places], loss_weights, within, case.signal)
        shuffles = np.stack([rng.permutation(len(places)) for _ in range(self.repeats)])
        importances = _importances(inside, places, sampled, shuffles)
        return Importances(features=importances, events=len(places), total=len(part), repeats=self.repeats)


class SampledEvents(NamedTuple):
    """Sampled events to score again: labels [n], weights of the loss [n] and of the AUC [n], and the signal's label."""

    labels: NDArray[np.int64]
    weights: Array
    within: Array
    signal: int

    def influences(self, scores: Array) -> dict[str, tuple[float, Array]]:
        """Log-loss and -AUC of these scores, with the influence of every event [n]; undefined ones are left out."""
        figures = {}
        w, losses = self.weights, event_losses(self.labels, scores)
        total, n = float(w.sum()), effective_count(float(w.sum()), float(w @ w))
        if total > 0 and n > 1:
            mean = float(w @ losses) / total
            # The influence of an event on a weighted mean; n / (n - 1) as in the variance of a sample.
            figures["log_loss"] = mean, w * (losses - mean) * np.sqrt(n / (n - 1)) / total
        ranking, is_signal = Ranking(signal_scores(scores, self.signal)), self.labels == self.signal
        signal_curve = curve(ranking, is_signal, self.within)
        value = area(signal_curve).value
        if value is not None:
            # Permuting raises the loss and lowers the area; with this sign both rise.
            figures["auc"] = -value, -influence(signal_curve, ranking, is_signal, self.within)
        return figures


def _importances(
    inside: Inside, places: NDArray[np.intp], sampled: SampledEvents, shuffles: NDArray[np.intp]
) -> dict[str, dict[str, Value]]:
    """Importances by feature and measure; the same permutations are used for each feature, [repeats, n]."""
    repeats, features = len(shuffles), inside.read(places)
    tiled, rows = np.tile(features, (repeats, 1)), np.tile(places, repeats)
    # The same number of rows each time, so that an unused feature changes not even the last digit of a score.
    before = [sampled.influences(scores) for scores in np.split(inside.scores(tiled, rows), repeats)]
    importances = {}
    for column, name in enumerate(inside.names):
        tiled[:, column] = features[shuffles.ravel(), column]
        after = [sampled.influences(scores) for scores in np.split(inside.scores(tiled, rows), repeats)]
        tiled[:, column] = np.tile(features[:, column], repeats)
        importances[name] = {
            measure: _importance([old.get(measure) for old in before], [new.get(measure) for new in after], shuffles)
            for measure in MEASURES
        }
    return importances


def _importance(
    before: list[tuple[float, Array] | None], after: list[tuple[float, Array] | None], shuffles: NDArray[np.intp]
) -> Value:
    """The mean over repeats of after - before, with the error from finite test events and finite repeats.

    An event moves the difference in two ways: by its own row, and by its value in another row. With u_r the sum of both
    in repeat r and s^2 its variance over the R repeats, the variance is sum (mean_r u_r)^2 - s^2/R (the first terms of
    Hoeffding's decomposition), plus the variance of the mean over the repeats.
    """
    repeats = len(shuffles)
    changes, moves = np.zeros(repeats), np.zeros(shuffles.shape)
    for r, (old, new) in enumerate(zip(before, after, strict=True)):
        if old is None or new is None:
            return NOTHING
        changes[r] = new[0] - old[0]
        differences = new[1] - old[1]
        moves[r] = differences
        # The value of event shuffles[r] stands in this row, so that event moves the difference as well.
        moves[r, shuffles[r]] += differences
    mean = moves.mean(axis=0)
    variance = max(float(mean @ mean) - float(moves.var(axis=0, ddof=1).sum()) / repeats, 0.0)
    variance += float(changes.var(ddof=1)) / repeats
    size = max(abs(old[0]) for old in before if old is not None)
    return measured(float(changes.mean()), float(np.sqrt(variance)), SINGLE * size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Importances:
    """Importances by feature: the rise of the log-loss and the fall of the AUC, in the order of the features.

    events, total  number of test events that were scored again, and of all test events
    """

    features: Mapping[str, Mapping[str, Value]]
    events: int
    total: int
    repeats: int

    @property
    def ranked(self) -> list[str]:
        """Features from the most important to the least, by log-loss."""
        return sorted(self.features, key=lambda name: -(self.features[name]["log_loss"].value or 0.0))

    @property
    def evidence(self) -> dict[str, Evidence]:
        """Whether each feature matters: one-sided, the rise of the log-loss or the fall of the AUC."""
        tests = corrected(
            {(name, measure): one_sided_p(self.features[name][measure]) for name in self.ranked for measure in MEASURES}
        )
        return {name: _stronger(*(tests[name, measure] for measure in MEASURES)) for name in self.ranked}

    @property
    def unused(self) -> list[str]:
        """Features whose permutation does not change log-loss or AUC at all."""
        return [name for name in self.ranked if all(self.features[name][measure] == UNCHANGED for measure in MEASURES)]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The most important feature, and those without significant importance."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        first, evidence, unused = self.ranked[0], self.evidence, self.unused
        loss, auc = (self.features[first][measure] for measure in MEASURES)
        if loss.value is None:
            yield "No importance of features: the test events have no positive sum of weights."
            return
        if evidence[first].significant:
            hint = ""
            if evidence[first].answer != "clear":
                hint = f", a hint only, {evidence[first].test}"
            yield (
                f"Most important feature: {first} (permutation lowers the AUC by {number(*auc)} and raises the "
                f"log-loss by {number(*loss)}{hint})."
            )
        idle = [name for name in self.ranked if evidence[name].answer == "none" and name not in unused]
        if idle:
            limit = max(max(value or 0.0, 0.0) + NORMAL_95 * (error or 0.0) for value, error in map(self._loss, idle))
            yield (
                f"Permuting these features changes neither the log-loss (by at most {limit:.2g} at 95 % confidence) "
                f"nor the AUC significantly (unused or redundant): {_enumeration(idle, 'and')}."
            )
        if unused:
            yield f"The score does not depend on {_enumeration(unused, 'or')}: permuting it changes nothing."

    def _loss(self, name: str) -> Value:
        return self.features[name]["log_loss"]

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The most important features."""
        shown = self.ranked[:SHOWN]
        rows = [[name, *(number(*self.features[name][measure]) for measure in MEASURES)] for name in shown]
        first = first_of(len(shown), len(self.features))
        title = f"permutation importance on {self.events:,} of {self.total:,} test events{first}"
        return (Grid(title, ("feature", "log-loss rises by", "AUC falls by"), rows),)

    def to_dict(self) -> dict[str, Any]:
        """The importances by feature."""
        evidence = self.evidence
        features = {
            name: {"evidence": evidence[name].to_dict()}
            | {measure: value.to_dict() for measure, value in losses.items()}
            for name, losses in self.features.items()
        }
        return {"events": self.events, "repeats": self.repeats, "features": features}


def _stronger(first: Evidence, second: Evidence) -> Evidence:
    """The one with the smaller p."""
    return min(first, second, key=lambda evidence: math.inf if evidence.p is None else evidence.p)


def _enumeration(names: list[str], last: str) -> str:
    """`a`, `a or b`, `a, b, c or 4 others`."""
    shown = names
    if len(names) > 4:
        shown = [*names[:3], f"{len(names) - 3} others"]
    return f" {last} ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)

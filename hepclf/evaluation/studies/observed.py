"""Observed data against simulation, in the score and in features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case, ObservedEvents
from hepclf.evaluation.evidence import Evidence, combined, p_text
from hepclf.evaluation.studies.sample import has_weight
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.scored import signal_scores
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.shapes.agreement import BINS, Agreement, Entries, agreement, histogram_edges
from hepclf.statistics.value import Value
from hepclf.words import Grid, formatted, number

Array = NDArray[np.float64]

MOST = 12  # features that are compared where none are named
SCORE = "score"


@recipe
class Observed:
    """Scores and features of observed events against the expected ones of the test split, where there is observed data.

    features  features to compare; null: the first twelve of the tagger
    scaled    true: the expected events are scaled to the observed total, so that only shapes are compared
    """

    question: ClassVar[str] = "Do observed data agree with the simulation?"
    page_title: ClassVar[str] = "Data and simulation"
    page_section: ClassVar[str] = "believe"
    page_rank: ClassVar[int] = 2

    features: tuple[str, ...] | None = None
    scaled: bool = True

    def study(self, case: Case) -> DataAgreement | None:
        """The comparison; None without observed data or test events."""
        data, part = case.observed, case.parts.get("test")
        if data is None or part is None:
            return None
        expected = case.counted["test"]
        if not isinstance(expected, Counted):
            return DataAgreement(
                agreements={}, classes=part.classes, total=Value(None), observed=_total(data.weights), reason=expected
            )
        of_class = [part.labels == label for label in range(len(part.classes))]

        def compared(simulated: Array, values: Array, edges: Array) -> Agreement:
            classes = [Entries(simulated[members], expected.weights[members]) for members in of_class]
            return agreement(classes, Entries(values, data.weights), edges, scaled=self.scaled)

        # Events of weight zero must not move a bin's edge.
        counting = has_weight(expected.weights)
        simulated, observed = case.discriminant("test"), signal_scores(data.scores, case.signal)
        agreements = {SCORE: compared(simulated, observed, _edges(simulated[counting]))}
        for name, simulated, values in self._features(case, data):
            agreements[name] = compared(simulated, values, histogram_edges(simulated[counting]))
        return DataAgreement(
            agreements=agreements,
            classes=part.classes,
            total=_total(expected.weights),
            observed=_total(data.weights),
            scaled=self.scaled,
            left_out=_left_out(self.features, case, data),
        )

    def _features(self, case: Case, data: ObservedEvents) -> Iterator[tuple[str, Array, Array]]:
        names = self.features
        if names is None:
            names = data.names[:MOST]
        for name in names:
            if name not in data.names:
                raise ValueError(
                    f"evaluation.observed.features names {name!r}, which is no feature of the tagger"
                    f"{nearest(name, data.names)}"
                )
        if case.inside is None or not names:
            return
        simulated = case.inside.read(np.arange(len(case.parts["test"])))
        for name in names:
            column = simulated[:, case.inside.names.index(name)].astype(np.float64)
            yield name, column, data.features[:, data.names.index(name)].astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class DataAgreement:
    """The agreement of the score and of features, with the expected and observed totals; or why there is none."""

    agreements: Mapping[str, Agreement]
    classes: tuple[str, ...]
    total: Value
    observed: Value
    scaled: bool = True
    left_out: str | None = None
    reason: str | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Totals, the agreement of the score and of the worst feature, and the features that are left out."""
        if self.reason is not None:
            return (f"Data and simulation are not compared: {self.reason}.",)
        comparison = "shapes are compared" if self.scaled else "yields and shapes are compared"
        totals = f"{number(*self.total, 1)} events are expected and {number(*self.observed, 1)} observed; {comparison}."
        sentences = [totals, *self._words()]
        if self.left_out is not None:
            sentences.append(self.left_out)
        return tuple(sentences)

    @property
    def features(self) -> dict[str, Agreement]:
        """The agreement of each feature that could be tested."""
        return {name: test for name, test in self.agreements.items() if name != SCORE and test.p is not None}

    @property
    def evidence(self) -> dict[str, Evidence]:
        """Evidence that data differ from simulation: in the score, and in any feature."""
        if not self.agreements:
            return {}
        features = combined(*(test.p for test in self.features.values()))
        return {"score": Evidence(self.agreements[SCORE].p), "features": features}

    def _words(self) -> Iterator[str]:
        score, evidence = self.agreements[SCORE], self.evidence
        differs = evidence["score"].claim("the score differs between data and simulation")
        if score.p is None:
            yield f"{differs}: too few events."
        else:
            yield f"{differs} (statistical errors alone): {_chi2(score)}, {evidence['score'].test}."
        if self.features:
            worst = min(self.features, key=lambda name: self.features[name].p or 0.0)
            yield (
                f"{evidence['features'].claim('features differ between data and simulation')}: the largest difference "
                f"is in {worst}, {_chi2(self.features[worst])}, {evidence['features'].test}."
            )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The agreement of each."""
        if not self.agreements:
            return ()
        rows = [
            (name, formatted(test.chi2, ".1f"), str(test.ndf), p_text(test.p)) for name, test in self.agreements.items()
        ]
        return (Grid("observed data against simulation", ("", "chi2", "ndf", "p"), rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "expected": self.total.to_dict(),
            "observed": self.observed.to_dict(),
            "scaled": self.scaled,
            "agreement": {
                name: {
                    "chi2": test.chi2,
                    "ndf": test.ndf,
                    "p": test.p,
                    "missing": {"expected": test.missing[0], "observed": test.missing[1]},
                }
                for name, test in self.agreements.items()
            },
            "evidence": {name: evidence.to_dict() for name, evidence in self.evidence.items()},
            "reason": self.reason,
        }


def _edges(scores: Array) -> Array:
    """The edges of 40 bins between the multiples of 0.01 that enclose all simulated scores."""
    low, high = math.floor(float(scores.min()) * 100), math.ceil(float(scores.max()) * 100)
    return np.linspace(low, max(high, low + 1), BINS + 1) / 100


def _total(weights: Array) -> Value:
    return Value(float(weights.sum()), math.sqrt(float(weights @ weights)) or None)


def _left_out(features: tuple[str, ...] | None, case: Case, data: ObservedEvents) -> str | None:
    if case.inside is None and features != ():
        return "Features are not compared: those of the simulation were not read."
    if features is None and len(data.names) > MOST:
        excluded = f"{len(data.names) - MOST} of {len(data.names)} features"
        return f"{excluded} are left out; name others in evaluation.observed.features."
    return None


def _chi2(test: Agreement) -> str:
    if test.chi2 is None:
        return "too few events"
    return f"chi2/ndf = {test.chi2:.1f}/{test.ndf}"

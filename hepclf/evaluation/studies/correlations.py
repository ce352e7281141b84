"""Linear correlations between features, and with the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.sample import sample
from hepclf.recipe import recipe
from hepclf.statistics.shapes.correlation import Correlation, correlation
from hepclf.words import Grid

SCORE = "score"
CLOSE = 0.95  # two features with a larger correlation are nearly redundant


@recipe
class Correlations:
    """Linear correlations of features, and of each with the score, class by class on test.

    events  the largest number of test events to use, shared equally among the classes
    """

    question: ClassVar[str] = "Which features are correlated with each other and with the score?"
    page_title: ClassVar[str] = "Correlations"
    page_section: ClassVar[str] = "learn"

    events: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.events < 2:
            raise ValueError(f"events must be at least 2, not {self.events}")

    def study(self, case: Case) -> CorrelationMatrices | None:
        """The matrices; None without the features of test events, as in an evaluation of stored scores."""
        if case.inside is None or "test" not in case.parts:
            return None
        part = case.parts["test"]
        places, factors = sample(part.labels, part.weights, self.events, np.random.default_rng(self.seed))
        score = case.discriminant("test")[places, None]
        columns = np.concatenate([case.inside.read(places).astype(np.float64), score], axis=1)
        labels, weights = part.labels[places], part.weights[places] * factors
        of_class = {
            name: correlation(columns[labels == label], weights[labels == label])
            for label, name in enumerate(part.classes)
        }
        return CorrelationMatrices(
            names=(*case.inside.names, SCORE), classes=of_class, events=len(places), total=len(part)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrelationMatrices:
    """A matrix of each class over features and score, [d+1, d+1], from `events` of the `total` test events."""

    names: tuple[str, ...]
    classes: Mapping[str, Correlation]
    events: int
    total: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """The features that are strongly correlated in every class; permutation importance splits between them."""
        sentences = []
        last = len(self.names) - 1
        weakest = np.min([np.abs(matrix.value[:last, :last]) for matrix in self.classes.values()], axis=0)
        pairs = zip(*np.where(np.triu(weakest, 1) > CLOSE), strict=True)
        for i, j in sorted(pairs, key=lambda pair: -weakest[pair])[:3]:
            values = ", ".join(f"{matrix.value[i, j]:.3f} in {name}" for name, matrix in self.classes.items())
            sentences.append(f"{self.names[i]} and {self.names[j]} are strongly correlated: {values}.")
        return tuple(sentences)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """None: the matrices are shown as a picture."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """The matrices and their errors by class."""
        matrices = {
            name: {"value": matrix.value.tolist(), "error": matrix.error.tolist()}
            for name, matrix in self.classes.items()
        }
        return {"names": list(self.names), "events": self.events, "classes": matrices}

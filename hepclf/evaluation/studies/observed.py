"""Observed data against simulation: is what the tagger sees there what it was trained on?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.counting.yields import Counted
from hepclf.evaluation.grid import Grid, number
from hepclf.evaluation.judge import discriminant_of
from hepclf.evaluation.shapes.agreement import BINS, Agreement, Entries, agreement, edges_of
from hepclf.evaluation.studies.case import Case, Seen
from hepclf.evaluation.value import Value
from hepclf.events import nearest
from hepclf.recipe import recipe

Array = NDArray[np.float64]

LEVEL = 0.01
MOST = 12  # features that are compared where none are named
SCORE = "score"


@recipe
class Observed:
    """Scores and features of observed events against the expected ones of the test split; asked where data is named.

    features  which are compared; null: the first twelve of the tagger
    scaled    the expected events are scaled to the observed ones, so that shapes are compared; else yields too
    """

    features: tuple[str, ...] | None = None
    scaled: bool = True

    def study(self, case: Case) -> Overlaid | None:
        """The comparison; None without observed data or test events."""
        seen, part = case.observed, case.parts.get("test")
        if seen is None or part is None:
            return None
        expected = case.counted["test"]
        if not isinstance(expected, Counted):
            return Overlaid(
                agreements={}, classes=part.classes, total=Value(None), seen=_total(seen.weights), reason=expected
            )
        of_class = [part.labels == label for label in range(len(part.classes))]

        def compared(simulated: Array, values: Array, edges: Array) -> Agreement:
            classes = [Entries(simulated[of], expected.weights[of]) for of in of_class]
            return agreement(classes, Entries(values, seen.weights), edges, scaled=self.scaled)

        # Events of weight zero must not move a bin's edge.
        counting = expected.weights != 0 if expected.weights.any() else np.ones(len(part), dtype=bool)
        simulated, observed = case.discriminant("test"), discriminant_of(seen.scores, case.signal)
        found = {SCORE: compared(simulated, observed, _edges(simulated[counting]))}
        for name, simulated, values in self._features(case, seen):
            found[name] = compared(simulated, values, edges_of(simulated[counting]))
        return Overlaid(
            agreements=found,
            classes=part.classes,
            total=_total(expected.weights),
            seen=_total(seen.weights),
            scaled=self.scaled,
            left_out=_left_out(self.features, case, seen),
        )

    def _features(self, case: Case, seen: Seen) -> Iterator[tuple[str, Array, Array]]:
        names = seen.names[:MOST] if self.features is None else self.features
        for name in names:
            if name not in seen.names:
                raise ValueError(
                    f"evaluation.observed.features names {name!r}, which is no feature of the tagger"
                    f"{nearest(name, seen.names)}"
                )
        if case.inside is None or not names:
            return
        simulated = case.inside.read(np.arange(len(case.parts["test"])))
        for name in names:
            column = simulated[:, case.inside.names.index(name)].astype(np.float64)
            yield name, column, seen.features[:, seen.names.index(name)].astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlaid:
    """The agreement of the score and of features, the expected and the observed total; or the reason of none."""

    agreements: Mapping[str, Agreement]
    classes: tuple[str, ...]
    total: Value
    seen: Value
    scaled: bool = True
    left_out: str | None = None
    reason: str | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Totals, the agreement of the score, and of the worst feature after as many looks."""
        if self.reason is not None:
            return (f"Data and simulation are not compared: {self.reason}.",)
        what = "shapes are compared" if self.scaled else "yields and shapes are compared"
        totals = f"{number(*self.total, 1)} events are expected and {number(*self.seen, 1)} observed; {what}."
        return (totals, *self._words(), *(() if self.left_out is None else (self.left_out,)))

    def _words(self) -> Iterator[str]:
        score = self.agreements[SCORE]
        yield f"The score of data {_agrees(score)} simulation (statistical errors alone): {_test(score)}."
        others = {name: of for name, of in self.agreements.items() if name != SCORE and of.p is not None}
        if others:
            worst = min(others, key=lambda name: others[name].p or 0.0)
            p = 1 - (1 - (others[worst].p or 0.0)) ** len(others)
            word = "agree" if p >= LEVEL else "do not agree"
            yield (
                f"The features {word} with simulation: the worst of {len(others)} is {worst}, {_test(others[worst])}, "
                f"or {p:.2g} after so many looks."
            )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The agreement of each."""
        if not self.agreements:
            return ()
        rows = [
            (name, "-" if of.chi2 is None else f"{of.chi2:.1f}", str(of.ndf), "-" if of.p is None else f"{of.p:.2g}")
            for name, of in self.agreements.items()
        ]
        return (Grid("observed data against simulation", ("", "chi2", "ndf", "p"), rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "expected": self.total.to_dict(),
            "observed": self.seen.to_dict(),
            "scaled": self.scaled,
            "agreement": {
                name: {
                    "chi2": of.chi2,
                    "ndf": of.ndf,
                    "p": of.p,
                    "missing": {"expected": of.missing[0], "observed": of.missing[1]},
                }
                for name, of in self.agreements.items()
            },
            "reason": self.reason,
        }


def _edges(scores: Array) -> Array:
    """Forty bins over the hundredths that hold all simulated scores."""
    low, high = math.floor(float(scores.min()) * 100), math.ceil(float(scores.max()) * 100)
    return np.linspace(low, max(high, low + 1), BINS + 1) / 100


def _total(weights: Array) -> Value:
    return Value(float(weights.sum()), math.sqrt(float(weights @ weights)) or None)


def _left_out(asked: tuple[str, ...] | None, case: Case, seen: Seen) -> str | None:
    if case.inside is None and asked != ():
        return "Features are not compared: those of the simulation were not read."
    if asked is None and len(seen.names) > MOST:
        left = f"{len(seen.names) - MOST} of {len(seen.names)} features"
        return f"{left} are left out; name others in evaluation.observed.features."
    return None


def _agrees(of: Agreement) -> str:
    if of.p is None:
        return "cannot be compared with"
    return "agrees with" if of.p >= LEVEL else "does not agree with"


def _test(of: Agreement) -> str:
    return "too few events" if of.p is None or of.chi2 is None else f"chi2/ndf = {of.chi2:.1f}/{of.ndf}, p = {of.p:.2g}"

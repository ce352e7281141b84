"""Overtraining: a comparison of training and test events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, combined, one_sided_p
from hepclf.recipe import recipe
from hepclf.statistics.curves.roc import area
from hepclf.statistics.losses import event_losses
from hepclf.statistics.shapes.twosample import ScoreSample, TwoSample, two_sample
from hepclf.statistics.value import NOTHING, ROUNDING, Value, measured, weighted_mean
from hepclf.words import Grid, number

Array = NDArray[np.float64]

ZERO = Value(0.0)  # two equal numbers, but for rounding
SAME_EVENTS = (
    "In folds the training and the test set are the same events, scored by a training that saw them and by one that "
    "did not. They share their fluctuations, so that the errors of these differences are too large, and p as well."
)


@recipe
class Overtraining:
    """A two-sample test of training against test events for each class, and the differences of loss and AUC.

    permutations  of the two-sample tests; the smallest p-value is 1 / (permutations + 1)
    harmless      difference of efficiencies below which overtraining is negligible, even where it is significant
    """

    question: ClassVar[str] = "Does the tagger perform better on the training set than on the test set?"
    page_title: ClassVar[str] = "Overtraining"
    page_section: ClassVar[str] = "believe"

    permutations: int = 1999
    harmless: float = 0.01

    def __post_init__(self) -> None:
        if self.permutations < 19:
            raise ValueError(
                f"permutations must be at least 19, without which no p is below 5 %, not {self.permutations}"
            )
        if not 0 <= self.harmless <= 1:
            raise ValueError(f"harmless must lie in 0..1, not {self.harmless:g}")

    def study(self, case: Case) -> OvertrainingTests | None:
        """The comparison; None without training or without test events."""
        if not {"train", "test"} <= set(case.parts):
            return None
        tests = {}
        for label, name in enumerate(case.scored.classes):
            train, test = (_sample(case, split, label) for split in ("train", "test"))
            tests[name] = two_sample(train, test, self.permutations)
        learnt = _loss(case, "train"), area(case.curves["train"])
        gaps = {split: _gap(case, split, *learnt) for split in ("valid", "test") if split in case.parts}
        same_events = case.scored.folds is not None
        return OvertrainingTests(tests=tests, gaps=gaps, harmless=self.harmless, same_events=same_events)


class Gap(NamedTuple):
    """How much worse a split is than training: its loss minus the training loss, the training AUC minus its own."""

    loss: Value
    auc: Value


@dataclass(frozen=True, kw_only=True, eq=False)
class OvertrainingTests:
    """The two-sample test of each class (None where it has no positive sum of weights), and gaps by split.

    same_events  whether training and test set hold the same events, as they do in folds
    """

    tests: Mapping[str, TwoSample | None]
    gaps: Mapping[str, Gap]
    harmless: float
    same_events: bool = False

    @property
    def evidence(self) -> Evidence:
        """Evidence that training and test differ: the scores of each class, and one-sided the gaps of loss and AUC."""
        return combined(*self._probabilities.values())

    @property
    def _probabilities(self) -> dict[str, float | None]:
        """The p-value of each test, by what it compares."""
        scores = {f"scores of {name}": test.p for name, test in self.tests.items() if test is not None}
        loss, auc = map(one_sided_p, self.gaps["test"])
        return {**scores, "log-loss": loss, "AUC": auc}

    @property
    def quoted(self) -> str:
        """The p-value, and in a second line which of the tests has the smallest."""
        values = {name: p for name, p in self._probabilities.items() if p is not None}
        if len(values) < 2 or self.evidence.p == 1:
            return f"overtraining: {self.evidence.test}"
        return f"overtraining: {self.evidence.test}\nsmallest p: {min(values, key=values.__getitem__)}"

    @property
    def worse(self) -> bool:
        """Whether loss or AUC of the test set is significantly worse than that of the training set."""
        return any(Evidence(one_sided_p(value)).significant for value in self.gaps["test"])

    @property
    def distance(self) -> float | None:
        """The largest difference of an efficiency of any class at any cut; None where no class has a test."""
        return max((test.distance for test in self.tests.values() if test is not None), default=None)

    @property
    def conclusion(self) -> str:
        """`none`, `harmless`, `overtrained`, `different` (but test is not worse) or `unknown`."""
        if self.distance is None:
            return "unknown"
        if not self.evidence.significant:
            return "none"
        if self.distance <= self.harmless:
            return "harmless"
        if self.worse:
            return "overtrained"
        return "different"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result with its p-value, the gaps, and the classes that have no test."""
        without = tuple(
            f"No overtraining test of {name}: its weights do not sum to more than zero."
            for name, test in self.tests.items()
            if test is None
        )
        if self.distance is None:
            return without
        remarks = (SAME_EVENTS,) if self.same_events and not self.passed else ()
        return (self._conclusion(self.distance), *remarks, *without)

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that tells of no overtraining, with its short form."""
        if self.distance is None or self.conclusion != "none" or self.worse:
            return {}
        return {self._conclusion(self.distance): self.evidence.short("overtraining")}

    @property
    def problems(self) -> tuple[str, ...]:
        """The sentence that training and test differ, where they do."""
        differ = self.conclusion in ("overtrained", "different")
        return (self._conclusion(self.distance),) if differ and self.distance is not None else ()

    def _conclusion(self, distance: float) -> str:
        loss, auc = self.gaps["test"]
        gaps = f"the test loss {_comparison(loss, 'above', 'below')} the training loss"
        if auc.value is not None:
            gaps += f", the test AUC {_comparison(auc, 'below', 'above')} the training AUC"
        words, test = self.evidence.words, self.evidence.test
        difference = f"the efficiencies of one cut differ by up to {distance:.2g}"
        none = "Overtraining is not excluded" if self.worse else f"{words} of overtraining"
        return {
            "none": f"{none} ({test}): {gaps}.",
            "harmless": f"{words} that training and test scores differ ({test}), but only a little: "
            f"{difference}; {gaps}.",
            "overtrained": f"{words} of overtraining ({test}): {gaps}; {difference}. The test results are valid, "
            "but fewer epochs (or trees), a smaller model (or fewer leaves) or more events may do better.",
            "different": f"{words} that training and test scores differ ({test}), though test is not worse: "
            f"{difference}; {gaps}. Check that both sets are random samples from the same distribution.",
        }[self.conclusion]

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The tests, and the gaps of validation and test."""
        rows = [
            (name, f"{test.p:.3g}", number(test.distance), number(*test.by_chance))
            for name, test in self.tests.items()
            if test is not None
        ]
        gaps = [
            (_NAMES[split], number(*gap.loss), number(*gap.auc)) for split, gap in self.gaps.items() if gap != _NO_GAP
        ]
        header = ("", "p", "largest difference", "expected from permutations")
        grids = (
            Grid("overtraining: scores of the training set against the test set", header, rows),
            Grid("worse than on the training set by", ("", "log-loss", "AUC"), gaps),
        )
        return tuple(grid for grid in grids if grid.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        tests = {name: _test(test) for name, test in self.tests.items()}
        gaps = {
            split: {name: value.to_dict() for name, value in gap._asdict().items()} for split, gap in self.gaps.items()
        }
        return {"verdict": self.conclusion, "evidence": self.evidence.to_dict(), "tests": tests, "gaps": gaps}


_NO_GAP = Gap(NOTHING, NOTHING)
_NAMES = {"valid": "validation set (chose the epoch)", "test": "test set"}


def _test(test: TwoSample | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {"p": test.p, "distance": test.distance, "by_chance": test.by_chance.to_dict(), "bound": test.bound}


def _comparison(value: Value, higher: str, lower: str) -> str:
    """`is 0.002 ± 0.004 above`."""
    if value.value is None:
        return "cannot be compared with"
    if value == ZERO:
        return "equals"
    direction = higher if value.value > 0 else lower
    return f"is {number(abs(value.value), value.error)} {direction}"


def _sample(case: Case, split: str, label: int) -> ScoreSample:
    """The scores of a class in a split, ascending, without events of weight zero."""
    ranking, part = case.rankings[split], case.parts[split]
    order = ranking.events_above(len(ranking.thresholds) - 1)[::-1]
    order = order[(part.labels[order] == label) & (part.weights[order] != 0)]
    return ScoreSample(case.discriminant(split)[order], part.weights[order])


def _gap(case: Case, split: str, loss: Value, auc: Value) -> Gap:
    """The differences of loss and AUC; the errors add in quadrature, which is too much in folds (SAME_EVENTS)."""
    return Gap(_difference(_loss(case, split), loss), _difference(auc, area(case.curves[split])))


def _difference(first: Value, second: Value) -> Value:
    if first.value is None or second.value is None:
        return NOTHING
    error = _in_quadrature([first.error, second.error])
    return measured(first.value - second.value, error, ROUNDING * max(abs(first.value), abs(second.value)))


def _in_quadrature(errors: list[float | None]) -> float | None:
    """sqrt(sum error^2), None where one error is unknown."""
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return None
    return math.hypot(*known)


def _loss(case: Case, split: str) -> Value:
    """The log-loss in the mixture of classes that the tagger was trained for."""
    part = case.parts[split]
    losses = event_losses(part.labels, part.scores)
    total: float = 0
    errors: list[float | None] = []
    for label, share in enumerate(case.shares):
        members = part.labels == label
        value, error = weighted_mean(losses[members], part.weights[members])
        if value is None:
            return NOTHING
        total += share * value
        # An unknown error of one class makes that of the mixture unknown, even where its fraction is small.
        errors.append(error and share * error)
    return measured(float(total), _in_quadrature(errors))

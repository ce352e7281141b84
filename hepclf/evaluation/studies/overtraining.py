"""Overtraining: does the tagger know its training events better than others?"""

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


@recipe
class Overtraining:
    """Training against test events, class by class, and the gaps of loss and AUC.

    permutations  of the two-sample tests; the smallest p-value is 1 / (permutations + 1)
    harmless      largest difference of efficiencies, at any cut, that is of no consequence, however significant
    """

    question: ClassVar[str] = "Does the tagger perform better on the training set than on the test set?"
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
        return OvertrainingTests(tests=tests, gaps=gaps, harmless=self.harmless)


class Gap(NamedTuple):
    """How much worse a split is than training: its loss less the training loss, the training AUC less its own."""

    loss: Value
    auc: Value


@dataclass(frozen=True, kw_only=True, eq=False)
class OvertrainingTests:
    """The two-sample test of each class (None where its weights do not sum to more than zero), and gaps by split."""

    tests: Mapping[str, TwoSample | None]
    gaps: Mapping[str, Gap]
    harmless: float

    @property
    def evidence(self) -> Evidence:
        """Whether training and test differ: the responses of each class, and one-sided the gaps of loss and AUC."""
        responses = (None if test is None else test.p for test in self.tests.values())
        return combined(*responses, *map(one_sided_p, self.gaps["test"]))

    @property
    def worse(self) -> bool:
        """Whether loss or AUC of test is worse than that of training by more than chance explains."""
        return any(Evidence(one_sided_p(value)).significant for value in self.gaps["test"])

    @property
    def distance(self) -> float | None:
        """The largest difference of an efficiency of any class at any cut; None where no class has a test."""
        return max((test.distance for test in self.tests.values() if test is not None), default=None)

    @property
    def conclusion(self) -> str:
        """`none`, `harmless`, `overtrained`, `different` (not as overtraining would have it) or `unknown`."""
        if self.distance is None:
            return "unknown"
        if not self.evidence.significant:
            return "none"
        if self.distance <= self.harmless:
            return "harmless"
        return "overtrained" if self.worse else "different"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The results with its p-value, the gaps, and the classes that have no test."""
        without = tuple(
            f"No overtraining test of {name}: its weights do not sum to more than zero."
            for name, test in self.tests.items()
            if test is None
        )
        return without if self.distance is None else (self._conclusion(self.distance), *without)

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that tells of no overtraining, with its short form."""
        if self.distance is None or self.conclusion != "none":
            return {}
        return {self._conclusion(self.distance): self.evidence.short("overtraining")}

    def _conclusion(self, distance: float) -> str:
        loss, auc = self.gaps["test"]
        gaps = f"the test loss {_comparison(loss, 'above', 'below')} the training loss"
        if auc.value is not None:
            gaps += f", the test AUC {_comparison(auc, 'below', 'above')} the training AUC"
        words, test = self.evidence.words, self.evidence.test
        difference = f"the efficiencies of one cut differ by up to {distance:.2g}"
        return {
            "none": f"{words} of overtraining ({test}): {gaps}.",
            "harmless": f"{words} that training and test scores differ ({test}), but only a little: "
            f"{difference}; {gaps}.",
            "overtrained": f"{words} of overtraining ({test}): {gaps}; {difference}. The test results are valid, "
            "but fewer epochs, a smaller model or more events may do better.",
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
        return (
            *([Grid("overtraining: scores of the training set against the test set", header, rows)] if rows else []),
            *([Grid("worse than on the training set by", ("", "log-loss", "AUC"), gaps)] if gaps else []),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        tests = {name: None if test is None else _test(test) for name, test in self.tests.items()}
        gaps = {
            split: {name: value.to_dict() for name, value in gap._asdict().items()} for split, gap in self.gaps.items()
        }
        return {"verdict": self.conclusion, "evidence": self.evidence.to_dict(), "tests": tests, "gaps": gaps}


_NO_GAP = Gap(NOTHING, NOTHING)
_NAMES = {"valid": "validation set (chose the epoch)", "test": "test set"}


def _test(test: TwoSample) -> dict[str, Any]:
    return {"p": test.p, "distance": test.distance, "by_chance": test.by_chance.to_dict(), "bound": test.bound}


def _comparison(value: Value, higher: str, lower: str) -> str:
    """`is 0.002 ± 0.004 above`."""
    if value.value is None:
        return "cannot be compared with"
    if value == ZERO:
        return "equals"
    return f"is {number(abs(value.value), value.error)} {higher if value.value > 0 else lower}"


def _sample(case: Case, split: str, label: int) -> ScoreSample:
    """The responses of a class in a split, in rising order; an event of weight zero is none."""
    ranking, part = case.rankings[split], case.parts[split]
    order = ranking.events_above(len(ranking.thresholds) - 1)[::-1]
    order = order[(part.labels[order] == label) & (part.weights[order] != 0)]
    return ScoreSample(case.discriminant(split)[order], part.weights[order])


def _gap(case: Case, split: str, loss: Value, auc: Value) -> Gap:
    """Loss and AUC of two splits, which share no events, so their errors join in quadrature."""
    return Gap(_difference(_loss(case, split), loss), _difference(auc, area(case.curves[split])))


def _difference(first: Value, second: Value) -> Value:
    if first.value is None or second.value is None:
        return NOTHING
    has_errors = first.error is not None and second.error is not None
    error = math.hypot(first.error, second.error) if has_errors else None  # type: ignore[arg-type]
    return measured(first.value - second.value, error, ROUNDING * max(abs(first.value), abs(second.value)))


def _loss(case: Case, split: str) -> Value:
    """The log-loss in the mixture of classes that the tagger was trained for."""
    part = case.parts[split]
    losses = event_losses(part.labels, part.scores)
    means = []
    for label in range(len(part.classes)):
        members = part.labels == label
        means.append(weighted_mean(losses[members], part.weights[members]))
    if any(mean.value is None for mean in means):
        return NOTHING
    value = sum(share * (mean.value or 0) for share, mean in zip(case.shares, means, strict=True))
    errors = [
        None if mean.error is None else share * mean.error for share, mean in zip(case.shares, means, strict=True)
    ]
    return measured(float(value), None if None in errors else math.hypot(*errors))  # type: ignore[arg-type]

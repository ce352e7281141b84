"""Each run of an ensemble alone beside the ensemble, on test events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.comparison.contenders import Contender, contender
from hepclf.comparison.differences import auc_difference
from hepclf.evaluation.case import Case
from hepclf.scored import Scored
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import Value
from hepclf.words import Grid, number
from hepclf.workflow.candidates import Candidate


class Alone(NamedTuple):
    """A run of an ensemble and its quality: on validation the AUC, on test AUC and log-loss.

    gain  AUC of the ensemble on test minus that of the run, with the error of a difference on the same events
    """

    run: str
    share: float
    valid: Value
    auc: Value
    log_loss: Value
    gain: Value


@dataclass(frozen=True, eq=False)
class Members:
    """The runs of an ensemble in the order in which they were named, and the ensemble's own quality on test."""

    runs: tuple[Alone, ...]
    auc: Value
    log_loss: Value

    @property
    def best(self) -> Alone:
        """The run with the largest AUC on validation."""
        return max(self.runs, key=lambda run: -1.0 if run.valid.value is None else run.valid.value)

    @property
    def sentences(self) -> tuple[str, ...]:
        """How many candidates there were, and what the ensemble gains over the best of them."""
        count = sum(run.share > 0 for run in self.runs)
        best, gain = self.best, self.best.gain
        sentence = f"The ensemble is the mean of the logits of {count} of {len(self.runs)} candidate runs"
        if gain.value is None:
            return (f"{sentence}.",)
        return (
            f"{sentence}; on the test set its AUC is {number(*self.auc)}, and its difference from the AUC of "
            f"{best.run}, the best run on validation, is {number(*gain)}.",
        )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """A row for each run, and one for the ensemble."""
        rows = [
            [run.run, number(run.share), *(number(*value) for value in (run.auc, run.log_loss, run.gain))]
            for run in self.runs
        ]
        own = ["ensemble", "", number(*self.auc), number(*self.log_loss), ""]
        header = ["run", "weight", "AUC", "log-loss", "AUC of the ensemble minus its AUC"]
        return (Grid("each run alone and the ensemble (test set)", header, [*rows, own]),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        values = ("valid", "auc", "log_loss", "gain")
        rows = [
            {"run": run.run, "weight": run.share, **{name: getattr(run, name).to_dict() for name in values}}
            for run in self.runs
        ]
        return {"candidates": len(rows), "runs": rows, "auc": self.auc.to_dict(), "log_loss": self.log_loss.to_dict()}


@dataclass(frozen=True, eq=False)
class MembersStudy:
    """The study of an ensemble that sets each of its runs beside it; `shares` are their weights in the mean, [m].

    yields  expected events of the evaluation
    """

    question: ClassVar[str] = "Is the ensemble better than its members?"
    page_title: ClassVar[str] = "Members of the ensemble"
    page_section: ClassVar[str] = "separate"

    runs: Sequence[Candidate]
    shares: NDArray[np.float64]
    yields: Mapping[str, float]

    def study(self, case: Case) -> Members:
        """The quality of each run alone, and of the ensemble."""
        ensemble, loss = self._quality("ensemble", case.scored, case.signal)
        rows = []
        for run, share in zip(self.runs, self.shares.tolist(), strict=True):
            alone, alone_loss = self._quality(run.name, run.scored, case.signal)
            gain = auc_difference(ensemble, alone).value
            rows.append(Alone(run.name, share, alone.valid, alone.test, alone_loss, gain))
        return Members(tuple(rows), ensemble.test, loss)

    def _quality(self, name: str, scored: Scored, signal: int) -> tuple[Contender, Value]:
        test = scored.of("test")
        return contender(name, scored, signal, yields=self.yields), log_loss(test.labels, test.scores, test.weights)

"""The third step of a training: its tagger is evaluated. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.titles import titles
from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import evaluate
from hepclf.evaluation.results import Results
from hepclf.events import Events
from hepclf.models.model import Tagger, raw_inputs
from hepclf.scored import SPLITS, Scored
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import Value
from hepclf.training.epoch import Epoch
from hepclf.training.rate_test import RateTest
from hepclf.workflow.beforehand import used_settings
from hepclf.workflow.convergence import convergence
from hepclf.workflow.fit import Fitted
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared

TEST = SPLITS.index("test")


class Facts(NamedTuple):
    """What the record says about a training besides its results."""

    data: str
    model: str
    seed: int
    features: tuple[str, ...]
    summary: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """Scored events, their results, and what the record says about their origin.

    history     the epochs, if the training ran in this process
    device      where the tagger scored
    rate_test   the learning-rate range test of the training, if there was one
    valid_loss  log-loss on validation with the weights of the training, if it ran in this process
    used        the trainer's settings that had an effect on the training, if it ran in this process
    """

    scored: Scored
    results: Results
    facts: Facts
    history: tuple[Epoch, ...] = ()
    device: str | None = None
    rate_test: RateTest | None = None
    valid_loss: Value | None = None
    used: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The title of tables and pictures."""
        return f"{self.facts.data}, {self.facts.model}"


def evaluated(fitted: Fitted, prepared: Prepared, job: Job, scored: Scored | None = None) -> Evaluated:
    """The results of a fitted tagger; `scored` are its scores of all events, if they are known already."""
    tagger, events, split = fitted.tagger, prepared.events, prepared.split
    if scored is None:
        scored = score(tagger, events, split)
    results = evaluate(scored, job.evaluation, inside(tagger, events, split), balance=job.trainer.balance)
    kept_epoch = tagger.summary.get("kept_epoch")
    valid = scored.of("valid")
    doubts = convergence(valid, fitted.valid_weights, fitted.history, kept_epoch, job.trainer)
    cautions = (*doubts, *results.warnings, *job.unused_settings, *prepared.warnings)
    results = replace(results, warnings=cautions, titles=titles(job.data))
    return Evaluated(
        scored=scored,
        results=results,
        facts=Facts(job.names["data"], job.names["model"], job.trainer.seed, tagger.inputs, tagger.summary),
        history=fitted.history,
        rate_test=fitted.rate_test,
        device=tagger.device,
        valid_loss=log_loss(valid.labels, valid.scores, fitted.valid_weights),
        used=used_settings(job.model, job.trainer),
    )


def score(tagger: Tagger, events: Events, split: NDArray[np.int8]) -> Scored:
    """The tagger's scores of these events, with everything else that an evaluation needs."""
    return Scored(
        labels=events.labels,
        weights=events.weights,
        scores=tagger.scores(events),
        split=split,
        classes=events.classes,
        processes=events.processes,
        process_names=events.process_names,
        spectators=events.spectators,
    )


def inside(tagger: Tagger, events: Events, split: NDArray[np.int8]) -> Inside:
    """The features of the test events as the tagger sees them, and the tagger as a function of its features."""
    test = np.flatnonzero(split == TEST)

    def read(places: NDArray[np.intp]) -> NDArray[np.float32]:
        return raw_inputs(tagger, events.take(test[places]))

    return Inside(names=tagger.inputs, read=read, ask=partial(_scores, tagger))


def _scores(tagger: Tagger, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The tagger's scores from features [n, d] alone."""
    labels = np.zeros(len(features), dtype=np.int64)
    return tagger.scores(Events(features=features, labels=labels, names=tagger.inputs, classes=tagger.classes))

"""The third step of a training: its tagger is evaluated. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from hepclf.models.folds import FoldKey
from hepclf.models.members import MembersTagger, averaging, key_columns
from hepclf.models.model import Tagger, raw_inputs
from hepclf.scored import SPLITS, Scored
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import Value
from hepclf.training.epoch import Epoch
from hepclf.training.rate_test import RateTest
from hepclf.words import Caution
from hepclf.workflow.beforehand import used_settings
from hepclf.workflow.convergence import convergence
from hepclf.workflow.fit import Fitted
from hepclf.workflow.job import Job
from hepclf.workflow.members.scores import fold_inside, fold_scores
from hepclf.workflow.members.sets import NOBODY
from hepclf.workflow.prepare import Prepared

VALID, TEST = SPLITS.index("valid"), SPLITS.index("test")


class Facts(NamedTuple):
    """What the record says about a training besides its results."""

    data: str
    model: str
    seed: int
    features: tuple[str, ...]
    summary: Mapping[str, Any]
    folds: FoldKey | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """Scored events, their results, and what the record says about their origin.

    history     the epochs, if the training ran in this process
    members     of folds, the number of the training that each epoch is of
    device      where the tagger scored
    rate_test   the learning-rate range test of the training, if there was one
    valid_loss  log-loss on validation with the weights of the training, if it ran in this process
    used        the trainer's settings that had an effect on the training, if it ran in this process
    """

    scored: Scored
    results: Results
    facts: Facts
    history: tuple[Epoch, ...] = ()
    members: tuple[int, ...] = ()
    device: str | None = None
    rate_test: RateTest | None = None
    valid_loss: Value | None = None
    used: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The title of pictures."""
        return f"{self.facts.data}, {self.facts.model}"

    @property
    def heading(self) -> str:
        """The title of page and card: that of the pictures, and the folds."""
        return heading(self.facts)


def heading(facts: Facts) -> str:
    """Data, model and folds of a training."""
    return ", ".join((facts.data, facts.model, *([facts.folds.text] if facts.folds else [])))


def evaluated(fitted: Fitted, prepared: Prepared, job: Job, scored: Scored | None = None) -> Evaluated:
    """The results of a fitted tagger; `scored` are its scores of all events, if they are known already."""
    tagger = fitted.tagger
    if scored is None:
        scored = scored_events(tagger, prepared)
    results = evaluate(scored, job.evaluation, _features(tagger, prepared), balance=job.trainer.balance)
    valid = scored.of("valid")
    doubts = _doubts(fitted, prepared, valid, job)
    cautions = (*doubts, *results.warnings, *job.warnings, *prepared.warnings)
    results = replace(results, warnings=cautions, titles=titles(job.data))
    return Evaluated(
        scored=scored,
        results=results,
        facts=_facts(job, tagger),
        history=fitted.history,
        rate_test=fitted.rate_test,
        members=tuple(number for number, member in enumerate(fitted.members) for _ in member.history),
        device=tagger.device,
        valid_loss=log_loss(valid.labels, valid.scores, fitted.valid_weights),
        used=used_settings(job.model, job.trainer),
    )


def _facts(job: Job, tagger: Tagger) -> Facts:
    names, folds = job.names, job.folds
    key = None if folds is None else folds.key
    return Facts(names["data"], names["model"], job.trainer.seed, tagger.inputs, tagger.summary, key)


def scored_events(tagger: Tagger, prepared: Prepared) -> Scored:
    """The tagger's scores of the events that it was trained with."""
    if prepared.folds is None:
        return score(tagger, prepared.events, prepared.split)
    return fold_scores(_in_folds(tagger), prepared.events, prepared.folds)


def _features(tagger: Tagger, prepared: Prepared) -> Inside:
    if prepared.folds is None:
        return inside(tagger, prepared.events, prepared.split)
    return fold_inside(_in_folds(tagger), prepared.events, prepared.folds.folds)


def _in_folds(tagger: Tagger) -> MembersTagger:
    if not isinstance(tagger, MembersTagger):
        raise TypeError(f"events in folds need a tagger of members, not {type(tagger).__name__}")
    return tagger


def _doubts(fitted: Fitted, prepared: Prepared, valid: Scored, job: Job) -> Iterator[Caution]:
    """Whether the training converged; in folds each of them, with one warning for those of a kind."""
    if prepared.folds is None:
        kept_epoch = fitted.tagger.summary.get("kept_epoch")
        yield from convergence(valid, fitted.valid_weights, fitted.history, kept_epoch, job.trainer)
        return
    validators = prepared.folds.validators[prepared.folds.validators != NOBODY]
    found: dict[str, list[tuple[int, Caution]]] = {}
    for number, member in enumerate(fitted.members):
        own = replace(valid, split=np.where(validators == number, VALID, TEST)).of("valid")
        kept_epoch = member.tagger.summary.get("kept_epoch")
        for caution in convergence(own, member.valid_weights, member.history, kept_epoch, job.trainer):
            found.setdefault(caution.kind, []).append((number, caution))
    for cautions in found.values():
        numbers = ", ".join(str(number) for number, _ in cautions)
        first = cautions[0][1]
        yield first._replace(text=f"trained without fold {numbers} (the numbers are those of the first): {first.text}")


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
    keys = {name: events.spectators[name][test] for name in key_columns(tagger) if name in events.spectators}

    def read(places: NDArray[np.intp]) -> NDArray[np.float32]:
        return raw_inputs(tagger, events.take(test[places]))

    def by_event(features: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float64]:
        spectators = {name: column[places] for name, column in keys.items()}
        return tagger.scores(Events(features=features, names=tagger.inputs, spectators=spectators))

    if not keys:
        return Inside(names=tagger.inputs, read=read, ask=partial(_scores, tagger))
    return Inside(names=tagger.inputs, read=read, ask=partial(_scores, averaging(tagger)), by_event=by_event)


def _scores(tagger: Tagger, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The tagger's scores from features [n, d] alone."""
    labels = np.zeros(len(features), dtype=np.int64)
    return tagger.scores(Events(features=features, labels=labels, names=tagger.inputs, classes=tagger.classes))

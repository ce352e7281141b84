"""The scores of a tagger that was trained in folds: every event by a member that has not seen it."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Inside
from hepclf.events import Events
from hepclf.models.members import MembersTagger
from hepclf.models.model import raw_inputs, score_shape
from hepclf.scored import SPLITS, Scored
from hepclf.workflow.members.sets import NOBODY, FoldSets

Array = NDArray[np.float64]


def fold_scores(tagger: MembersTagger, events: Events, sets: FoldSets) -> Scored:
    """Test: every event once, by the member that has not seen it. Then the events again, by members that saw them.

    Validation events are scored by the member that validated on them; training events by one that trained on them, so
    that the scores of training and test set are both those of single members.
    """
    numbers = {"test": sets.folds, "valid": sets.validators, "train": sets.learners}
    rows = {split: np.flatnonzero(members != NOBODY) for split, members in numbers.items()}
    scores = [scores_by(tagger, events.take(rows[split]), numbers[split][rows[split]]) for split in rows]
    every_row = np.concatenate(list(rows.values()))
    parts = [np.full(len(places), SPLITS.index(split), dtype=np.int8) for split, places in rows.items()]
    return Scored(
        labels=events.labels[every_row],
        weights=events.weights[every_row],
        scores=np.concatenate(scores),
        split=np.concatenate(parts),
        classes=events.classes,
        processes=events.processes[every_row],
        process_names=events.process_names,
        spectators={name: column[every_row] for name, column in events.spectators.items()},
        totals=np.bincount(events.processes, events.weights, len(events.process_names)).astype(np.float64),
        folds=sets.folds[every_row],
    )


def scores_by(tagger: MembersTagger, events: Events, members: NDArray[np.int64]) -> Array:
    """The score of each event by the member of this number, [n] or [n, k]."""
    scores = np.empty(score_shape(len(events), len(tagger.classes)))
    for number, member in enumerate(tagger.members):
        rows = np.flatnonzero(members == number)
        if len(rows):
            scores[rows] = member.scores(events.take(rows))
    return scores


def fold_inside(tagger: MembersTagger, events: Events, folds: NDArray[np.int64]) -> Inside:
    """The features of all events, and the tagger as a function of them: the mean, or the member of an event's fold."""

    def read(places: NDArray[np.intp]) -> NDArray[np.float32]:
        return raw_inputs(tagger, events.take(places))

    def by_event(features: NDArray[np.float32], places: NDArray[np.intp]) -> Array:
        return scores_by(tagger, Events(features=features, names=tagger.inputs), folds[places])

    return Inside(names=tagger.inputs, read=read, ask=partial(_mean, tagger.averaging()), by_event=by_event)


def _mean(tagger: MembersTagger, features: NDArray[np.float32]) -> Array:
    return tagger.scores(Events(features=features, names=tagger.inputs))

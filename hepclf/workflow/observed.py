"""Observed events, whose class is unknown, and the simulation that they are compared with."""

from __future__ import annotations

import logging

import numpy as np

from hepclf.data.loader import Loader
from hepclf.evaluation.case import Inside, ObservedEvents
from hepclf.events import Events
from hepclf.models.members import MembersTagger, key_columns
from hepclf.models.model import Tagger, raw_inputs
from hepclf.scored import Scored
from hepclf.workflow.evaluated import inside
from hepclf.workflow.members.kfold import carrying
from hepclf.workflow.members.scores import fold_inside

log = logging.getLogger(__name__)


def seen(tagger: Tagger, data: Loader) -> ObservedEvents:
    """The scores of observed events; any class in the data is ignored."""
    read = carrying(data, key_columns(tagger)).load()
    events = Events(
        features=read.features,
        names=read.names,
        weights=read.weights,
        classes=("observed",),
        spectators=read.spectators,
    ).check()
    features = raw_inputs(tagger, events)
    return ObservedEvents(scores=tagger.scores(events), weights=events.weights, features=features, names=tagger.inputs)


def simulated(tagger: Tagger, scored: Scored, data: Loader) -> Inside | None:
    """The features of a run's own test events, read again; None, with a warning, if the events have changed."""
    try:
        events = data.load()
    except (ValueError, OSError) as error:
        log.warning("the run's data cannot be read again, so that features are not compared: %s", error)
        return None
    known = scored if scored.folds is None else scored.of("test")  # of folds, every event is a test event
    if len(events) != len(known) or not np.array_equal(events.labels, known.labels):
        log.warning("the run's data has changed since the training, so that features are not compared")
        return None
    if known.folds is not None and isinstance(tagger, MembersTagger):
        if tagger.folds is None:
            log.warning("features are not compared for an ensemble of taggers with folds")
            return None
        return fold_inside(tagger, events, known.folds)
    return inside(tagger, events, scored.split)

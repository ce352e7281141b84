"""Observed events, whose class is unknown, and the simulation that they are compared with."""

from __future__ import annotations

import logging

import numpy as np

from hepclf.data.loader import Loader
from hepclf.evaluation.case import Inside, ObservedEvents
from hepclf.events import Events
from hepclf.models.model import Tagger, raw_inputs
from hepclf.scored import Scored
from hepclf.workflow.evaluated import inside

log = logging.getLogger(__name__)


def seen(tagger: Tagger, data: Loader) -> ObservedEvents:
    """The scores of observed events; any class in the data is ignored."""
    read = data.load()
    events = Events(features=read.features, names=read.names, weights=read.weights, classes=("observed",)).check()
    features = raw_inputs(tagger, events)
    return ObservedEvents(scores=tagger.scores(events), weights=events.weights, features=features, names=tagger.inputs)


def simulated(tagger: Tagger, scored: Scored, data: Loader) -> Inside | None:
    """The features of a run's own test events, read again; None, with a warning, if the events have changed."""
    try:
        events = data.load()
    except (ValueError, OSError) as error:
        log.warning("the run's data cannot be read again, so that features are not compared: %s", error)
        return None
    if len(events) != len(scored) or not np.array_equal(events.labels, scored.labels):
        log.warning("the run's data has changed since the training, so that features are not compared")
        return None
    return inside(tagger, events, scored.split)

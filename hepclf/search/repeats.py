"""The repeats of a trial: the same settings with another seed, and another split into training and validation set."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from hepclf.data.split import Split, redrawn
from hepclf.scored import SPLITS
from hepclf.search.tuning import RepeatBy, Tuning
from hepclf.training.epoch import Progress
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.shared import SharedData

log = logging.getLogger(__name__)

TEST = SPLITS.index("test")


def repeat_job(job: Job, repeat: int) -> Job:
    """The job of a repeat: the first one is the job itself, each further one has the next seed."""
    return replace(job, trainer=replace(job.trainer, seed=job.trainer.seed + repeat))


def repeat_rule(tuning: Tuning, split: Any, events: int) -> RepeatBy:
    """What differs between repeats: `split` where the events are split at random, else `seed`."""
    is_random = isinstance(split, Split) and split.by == "random"
    if not is_random or (split.tail_from is not None and events >= split.tail_from):
        return "seed"
    return tuning.repeat_by


class TrialData:
    """The events of the trials of one process, read once; test events are removed before any use.

    drawn  what differs between repeats, known once events are prepared
    """

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._shared = SharedData()
        self._source: Prepared | None = None  # with its test events
        self._repeats: dict[int, Prepared] = {}
        self.drawn: RepeatBy = tuning.repeat_by

    def prepared(self, job: Job, repeat: int, progress: Progress) -> Prepared:
        """Training and validation events of a repeat."""
        source = self._shared.prepared(job, progress)
        if self._source is None or source.events is not self._source.events or source.split is not self._source.split:
            self._source, self._repeats = source, {0: without_test(source)}
            self.drawn = repeat_rule(self._tuning, job.data.split, len(source.events))
            self._tell(source)
        if repeat not in self._repeats:
            self._repeats[repeat] = self._redrawn(self._repeats[0], job, repeat)
        return self._repeats[repeat]

    def _tell(self, source: Prepared) -> None:
        """Log the warnings that hold for all trials, once."""
        for warning in source.warnings:
            log.warning(warning.text)
        if self.drawn != self._tuning.repeat_by and self._tuning.repeats > 1:
            log.warning("the data decide their split (data.split), so repeats differ by their seed alone")

    def _redrawn(self, prepared: Prepared, job: Job, repeat: int) -> Prepared:
        if self.drawn == "seed":
            return prepared
        events, seed = prepared.events, (job.data.split.seed, repeat)
        return replace(prepared, split=redrawn(prepared.split, events.labels, len(events.classes), seed))


def without_test(prepared: Prepared) -> Prepared:
    """The training and validation events alone, without warnings, which every trial would repeat."""
    rows = prepared.split != TEST
    return Prepared(events=prepared.events.take(rows), split=prepared.split[rows])

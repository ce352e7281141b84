"""The first step of a training: its events are read, split and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import load
from hepclf.events import Events
from hepclf.scored import SPLITS
from hepclf.survey.checked import training_warnings
from hepclf.training.epoch import Progress, Quiet
from hepclf.words import Caution
from hepclf.workflow.beforehand import check_events
from hepclf.workflow.job import Job
from hepclf.workflow.members.sets import FoldSets


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Events that are ready for any number of trainings.

    split     the part of each event as an index into SPLITS, int8 [n]
    warnings  suspicious properties of the events
    folds     the sets of each training where there are folds; `split` is then that of the first
    """

    events: Events
    split: NDArray[np.int8]
    warnings: tuple[Caution, ...] = ()
    folds: FoldSets | None = None

    def member(self, number: int) -> Prepared:
        """The same events in the sets of one training of the folds."""
        if self.folds is None:
            raise ValueError("these events are not in folds")
        return Prepared(events=self.events, split=self.folds.split(number))

    def part(self, name: str) -> Events:
        """The events of one part: `train`, `valid` or `test`."""
        return self.events.take(self.split == SPLITS.index(name))


def prepare(job: Job, progress: Progress | None = None) -> Prepared:
    """Read the events of a job, refuse contradictions to its settings, and split them."""
    progress = progress or Quiet()
    progress.stage("loading")
    events = load(job.data, progress.read).check()
    check_events(events, job.data, job.model, job.trainer, job.evaluation)
    return without_handled(split_events(events, job, progress), job)


def split_events(events: Events, job: Job, progress: Progress) -> Prepared:
    """Events split by the job's folds or data settings, with all warnings; no other settings have an influence."""
    folds = None if job.folds is None else job.folds.sets(events)
    split = job.data.split.parts(events) if folds is None else folds.split(0)
    if not getattr(job.data, "check", True):
        return Prepared(events=events, split=split, folds=folds)
    progress.stage("checking")
    return Prepared(events=events, split=split, warnings=training_warnings(events, split), folds=folds)


def without_handled(prepared: Prepared, job: Job) -> Prepared:
    """The same, without warnings about what the job's trainer handles."""
    if job.trainer.negative_weights == "error":
        return prepared
    warnings = tuple(warning for warning in prepared.warnings if warning.kind != "negative_weights")
    return replace(prepared, warnings=warnings)

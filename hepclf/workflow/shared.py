"""Prepared events that several trainings in one process share."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hepclf.data.loader import Loader, load
from hepclf.data.split import Split
from hepclf.events import Events
from hepclf.training.epoch import Progress, Quiet
from hepclf.workflow.beforehand import check_events
from hepclf.workflow.job import Job
from hepclf.workflow.members.kfold import KFold
from hepclf.workflow.prepare import Prepared, split_events, without_handled


class SharedData:
    """Keeps the last events and their last split; a job that needs the same ones does not read them again.

    One table is held at a time, so jobs with the same data should follow each other. If a file changes meanwhile, it
    is not read again.
    """

    def __init__(self) -> None:
        self._data: Loader | None = None  # of the events
        self._events: Events | None = None
        self._prepared: Prepared | None = None
        self._split: tuple[Split, KFold | None] | None = None  # of what is prepared

    def prepared(self, job: Job, progress: Progress | None = None) -> Prepared:
        """The result of `prepare`; everything that depends on model, trainer and evaluation is checked for each job."""
        progress = progress or Quiet()
        progress.stage("loading")
        events = self._read(job.data, progress)
        check_events(events, job.data, job.model, job.trainer, job.evaluation)
        if self._prepared is None or self._split != (job.data.split, job.folds):
            self._prepared, self._split = split_events(events, job, progress), (job.data.split, job.folds)
        return without_handled(self._prepared, job)

    def _read(self, data: Loader, progress: Progress) -> Events:
        if self._events is None or self._data is None or not reads_the_same(self._data, data):
            self._events = self._prepared = None  # before others are read: one table at a time
            self._events, self._data = load(data, progress.read).check(), data
        return self._events


def reads_the_same(first: Loader, second: Loader) -> bool:
    """Whether two loaders give the same events, however they split them; in doubt, no."""
    if first is second:
        return True
    try:
        return type(first) is type(second) and bool(_without_split(first) == _without_split(second))
    except ValueError:  # a loader of one's own that holds arrays, which have no single answer
        return False


def _without_split(data: Any) -> Any:
    has_split = is_dataclass(data) and any(field.name == "split" and field.init for field in fields(data))
    return replace(data, split=Split()) if has_split else data

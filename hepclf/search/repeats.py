"""The repeats of a trial: the same settings with another seed, and another split into training and validation set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hepclf.data.loader import Loader
from hepclf.data.split import Split, redrawn
from hepclf.scored import SPLITS
from hepclf.search.tuning import Tuning
from hepclf.training.epoch import Progress
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared, prepare

TEST = SPLITS.index("test")


def repeated(job: Job, repeat: int) -> Job:
    """The job of a repeat: the first one is the job itself, each further one has the next seed."""
    return replace(job, trainer=replace(job.trainer, seed=job.trainer.seed + repeat))


def repeat_rule(tuning: Tuning, data: Loader, events: int) -> str:
    """What a repeat draws anew: `split` where the data are split at random, else `seed`."""
    split: Any = data.split
    is_random = isinstance(split, Split) and split.by == "random" and (split.tail_from or events + 1) > events
    return tuning.repeat_by if is_random else "seed"


class TrialData:
    """The events of the trials of one process, read once; test events are taken out before anything sees them."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._data: Loader | None = None
        self._repeats: dict[int, Prepared] = {}

    def prepared(self, job: Job, repeat: int, progress: Progress) -> Prepared:
        """Training and validation events of a repeat."""
        if self._data is None or self._data != job.data:
            self._repeats = {0: without_test(prepare(job, progress))}
            self._data = job.data
        if repeat not in self._repeats:
            self._repeats[repeat] = self._drawn(self._repeats[0], job, repeat)
        return self._repeats[repeat]

    def _drawn(self, prepared: Prepared, job: Job, repeat: int) -> Prepared:
        events = prepared.events
        if repeat_rule(self._tuning, job.data, len(events)) == "seed":
            return prepared
        seed = (job.data.split.seed, repeat)
        return replace(prepared, split=redrawn(prepared.split, events.labels, len(events.classes), seed))


def without_test(prepared: Prepared) -> Prepared:
    """The training and validation events alone, without warnings, which would be told in every trial."""
    rows = prepared.split != TEST
    return Prepared(events=prepared.events.take(rows), split=prepared.split[rows])

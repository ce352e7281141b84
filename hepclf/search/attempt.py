"""One trial of a worker: it gets values or takes the stored ones, trains the repeats and records the result."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from statistics import fmean
from typing import TYPE_CHECKING, Any

from hepclf.heartbeat import beating
from hepclf.lock import FolderInUseError, Lock, acquire
from hepclf.search.folder import StudyFolder
from hepclf.search.repeats import TrialData, repeat_job
from hepclf.search.training import Outcome, stored_outcome, trained
from hepclf.search.trial import RECORD, Trial
from hepclf.training.epoch import Progress
from hepclf.workflow.job import Job
from hepclf.workflow.stop import Stop

if TYPE_CHECKING:
    from hepclf.search.ledger import Ledger, Request

log = logging.getLogger(__name__)

JobOf = Callable[[Mapping[str, Any]], Job]


def claimed(folder: StudyFolder, final: set[int]) -> tuple[int, Lock] | None:
    """The first trial without a result whose folder no living process has locked, and our lock on it.

    `final` are the numbers of the trials that are known to have a result; further ones are added to it.
    """
    for number in range(folder.tuning.trials):
        if number in final or _has_result(folder, number, final):
            continue
        path = folder.trial(number)
        path.mkdir(parents=True, exist_ok=True)
        with suppress(FolderInUseError):
            lock = acquire(path)
            if not _has_result(folder, number, final):
                return number, lock
            lock.release()
    return None


def _has_result(folder: StudyFolder, number: int, final: set[int]) -> bool:
    trial = Trial.read(folder.trial(number))
    if trial is not None and trial.is_final:
        final.add(number)
    return number in final


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Everything that a worker needs for its trials; `job_of` makes a job from the settings of a trial."""

    folder: StudyFolder
    ledger: Ledger
    job_of: JobOf
    data: TrialData
    progress: Progress
    stop: Stop

    def read(self) -> None:
        """Read the events of the default settings first, so that unreadable data are not the failure of a trial."""
        job = self.job_of(self.folder.space.settings(self.folder.defaults))
        self.data.prepared(job, 0, self.progress)

    def make(self, number: int, lock: Lock) -> Trial:
        """Train a trial, write its result and tell it to the engine; after a Stopped it can be continued."""
        try:
            with beating(self.folder.trial(number), lock.is_ours):
                return self._trial(number, lock)
        finally:
            lock.release()

    def _trial(self, number: int, lock: Lock) -> Trial:
        path = self.folder.trial(number)
        before = Trial.read(path)
        if before is None and (path / RECORD).exists():
            log.warning("%s cannot be read; trial %d is made again", path / RECORD, number)
        if before is None:
            self._remove_trainings(number)
            values = self._first_values(number)
        else:
            values = before.values
        request = self.ledger.ask(number, values)
        begun = Trial(number=number, values=request.values, is_default=request.values == self.folder.defaults)
        begun.write(path)
        trial = self._result(begun, request)
        lock.check()
        trial = replace(trial, stored=self.ledger.stored(number))
        trial.write(path)
        self.ledger.tell(trial)
        return trial

    def _remove_trainings(self, number: int) -> None:
        """Remove trainings whose values are lost: the trial may get other values, to which they do not belong."""
        for repeat in range(self.folder.tuning.repeats):
            if (path := self.folder.run(number, repeat).folder).exists():
                shutil.rmtree(path)

    def _first_values(self, number: int) -> Mapping[str, Any] | None:
        """The values that are not the sampler's choice: the defaults first, or the points of a grid."""
        if self.folder.tuning.sampler == "grid":
            return next(islice(self.folder.space.grid(), number, None))
        if number == 0:
            return self.folder.defaults
        return None

    def _result(self, begun: Trial, request: Request) -> Trial:
        """Train the repeats; settings that cannot be trained are a failed trial, but an error of the disk is raised."""
        outcomes: list[Outcome] = []
        try:
            job = self.job_of(self.folder.space.settings(begun.values))
            for repeat in range(self.folder.tuning.repeats):
                outcomes.append(self._outcome(begun.number, repeat, job, request))
                if outcomes[-1].is_pruned:
                    return self._finished(begun, outcomes, "pruned")
        except OSError:
            raise
        except Exception as error:
            line = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return replace(self._finished(begun, outcomes, "failed"), error=line)
        return self._finished(begun, outcomes, "complete")

    def _outcome(self, number: int, repeat: int, job: Job, request: Request) -> Outcome:
        run = self.folder.run(number, repeat)
        if (outcome := stored_outcome(run)) is not None:
            return outcome
        is_poor = None
        if repeat == 0 and self.folder.tuning.prunes:
            is_poor = request.is_poor
        prepared = self.data.prepared(job, repeat, self.progress)
        return trained(
            run,
            repeat_job(job, repeat),
            prepared,
            replace(self.folder.tuning, repeat_by=self.data.drawn),
            is_poor,
            self.progress,
            self.stop,
        )

    def _finished(self, begun: Trial, outcomes: list[Outcome], state: Any) -> Trial:
        rows = [outcome.values for outcome in outcomes if outcome.values]
        trial = replace(
            begun,
            state=state,
            repeats=tuple(rows),
            errors=tuple(outcome.errors for outcome in outcomes if outcome.values),
            drawn=self.folder.tuning.repeat_by,
            seconds=sum(outcome.seconds for outcome in outcomes),
        )
        if outcomes:
            trial = replace(trial, reported=outcomes[0].reported, drawn=outcomes[-1].drawn)
        if state == "complete":
            return replace(trial, objectives=tuple(fmean(column) for column in zip(*rows, strict=True)))
        if state == "pruned":
            return replace(trial, last=trial.reported[max(trial.reported)])
        return trial

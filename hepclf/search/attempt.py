"""A worker's hold on one trial: it asks for values or takes the stored ones, trains the repeats, tells the result."""

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
    """The first trial without a result whose folder no living process holds, and our hold on it.

    `final` are the trials that are known to have a result; those that are found to have one join them.
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
    """What a worker needs for any of its trials; `job_of` makes a job of the values of a trial's settings."""

    folder: StudyFolder
    ledger: Ledger
    job_of: JobOf
    data: TrialData
    progress: Progress
    stop: Stop

    def read(self) -> None:
        """Read the events of the defaults, so that data which cannot be read are no failure of a trial."""
        job = self.job_of(self.folder.space.settings(self.folder.defaults))
        self.data.prepared(job, 0, self.progress)

    def make(self, number: int, lock: Lock) -> Trial:
        """The trial with its result, which is written and told; a Stopped leaves it to be continued."""
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
        values = before.values if before is not None else self._first_values(number)
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
        """Remove what was trained with values that are lost: the trial may get others, which did not give that."""
        for repeat in range(self.folder.tuning.repeats):
            if (path := self.folder.run(number, repeat).folder).exists():
                shutil.rmtree(path)

    def _first_values(self, number: int) -> Mapping[str, Any] | None:
        """The values that are not the sampler's choice: the defaults first, or the points of a grid."""
        if self.folder.tuning.sampler == "grid":
            return next(islice(self.folder.space.grid(), number, None))
        return self.folder.defaults if number == 0 else None

    def _result(self, begun: Trial, request: Request) -> Trial:
        """Train the repeats; settings that cannot be trained are a result too, an error of the disk is not."""
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
        prunes = repeat == 0 and self.folder.tuning.prunes
        prepared = self.data.prepared(job, repeat, self.progress)
        return trained(
            run,
            repeat_job(job, repeat),
            prepared,
            replace(self.folder.tuning, repeat_by=self.data.drawn),
            request.is_poor if prunes else None,
            self.progress,
            self.stop,
        )

    def _finished(self, begun: Trial, outcomes: list[Outcome], state: Any) -> Trial:
        rows = [outcome.values for outcome in outcomes if outcome.values]
        reported = outcomes[0].reported if outcomes else {}
        return replace(
            begun,
            state=state,
            repeats=tuple(rows),
            errors=tuple(outcome.errors for outcome in outcomes if outcome.values),
            objectives=tuple(fmean(column) for column in zip(*rows, strict=True)) if state == "complete" else (),
            last=reported[max(reported)] if state == "pruned" else None,
            reported=reported,
            drawn=outcomes[-1].drawn if outcomes else self.folder.tuning.repeat_by,
            seconds=sum(outcome.seconds for outcome in outcomes),
        )

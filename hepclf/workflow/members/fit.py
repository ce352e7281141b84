"""The second step of a training in folds: a model is fitted to each, side by side where the processor allows it."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass, replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import NamedTuple

from hepclf.models.model import Model, trainer_settings
from hepclf.prediction.workers import Failure
from hepclf.run import Run, Stopped
from hepclf.training.cores import cores
from hepclf.training.device import resolve
from hepclf.training.epoch import Epoch, Progress
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.fit import Fitted, announce
from hepclf.workflow.history import History
from hepclf.workflow.job import Job
from hepclf.workflow.members.joined import joined_fits
from hepclf.workflow.members.member import member_run, stored_member, train_member
from hepclf.workflow.members.processes import Assignment, Ended, MemberProcesses, Passed
from hepclf.workflow.members.table import stored_table
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.stop import Stop

log = logging.getLogger(__name__)


class Recorded(NamedTuple):
    """The run in whose folder the members of folds are trained, its checkpoints, and the request to stop."""

    run: Run
    checkpoints: Checkpoints
    stop: Stop


def fit_folds(prepared: Prepared, job: Job, progress: Progress, recorded: Recorded | None = None) -> Fitted:
    """Train every member of a job in folds; of a recorded run, those that are trained already are read.

    On a processor each member has one thread, and as many are trained at a time as there are cores.
    """
    if prepared.folds is None:
        raise ValueError("these events are not in folds")
    progress.stage("training")
    announce(prepared, job)
    history = None if recorded is None else History(recorded.run.history, has_members=True)
    heard = MemberEpochs(progress, prepared.folds.count, history)
    fitted = _Trainings(prepared, job, prepared.folds.count, heard, recorded).fitted()
    if history is not None:
        history.write(durable=True)
    return fitted


def trains_side_by_side(job: Job) -> bool:
    """Whether the members are trained on the processor, by a model that another process can import."""
    uses_device = "device" in (trainer_settings(job.model) or {"device"})
    if uses_device and resolve(job.trainer.device).type != "cpu":
        return False
    if not _is_importable(job.model):
        log.warning(
            "folds: the trainings run one after another, as other processes cannot import %s; put it into a module",
            type(job.model).__name__,
        )
        return False
    return True


def _is_importable(model: Model) -> bool:
    """Whether another process can build this model, which goes over the line to it."""
    try:
        ForkingPickler.dumps(model)
    except Exception:  # of any kind, as a field may hold anything
        return False
    return type(model).__module__ != "__main__"


class MemberEpochs:
    """Hears the epochs of every member: for history.csv, and as progress of all the epochs to do."""

    def __init__(self, progress: Progress, members: int, history: History | None) -> None:
        self._progress, self._members, self._history = progress, members, history
        self._done = 0

    def __call__(self, member: int, epoch: Epoch, total: int, events: int | None) -> None:
        """A member has done an epoch, of at most `total`, over this number of events; None: before it was resumed."""
        self._done += 1
        if self._history is not None:
            self._history(epoch, member)
        self._progress.epoch(epoch._replace(epoch=self._done), total * self._members, events)

    def progress_of(self, member: int) -> MemberProgress:
        """The progress of one member."""
        return MemberProgress(self, member)


@dataclass(frozen=True)
class MemberProgress:
    """The progress of one training among those of all members, whose stages are theirs."""

    heard: MemberEpochs
    member: int

    def stage(self, name: str) -> None:
        """Nothing: it is a part of the stage of all."""

    def read(self, done: int, total: int) -> None:
        """Nothing: the data are read."""

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """An epoch over this number of events is done."""
        self.heard(self.member, epoch, total, events)


@dataclass(frozen=True)
class _Trainings:
    """The trainings of all members of a job."""

    prepared: Prepared
    job: Job
    members: int
    heard: MemberEpochs
    recorded: Recorded | None

    def fitted(self) -> Fitted:
        """One fit of all, those that are trained already included."""
        fits = self._stored()
        waiting = [number for number in range(self.members) if number not in fits]
        trainings, processes = self, 1
        if trains_side_by_side(self.job):
            processes = min(self.job.trainer.threads or cores(), len(waiting))
            trainer = replace(self.job.trainer, threads=1)
            trainings = replace(self, job=replace(self.job, trainer=trainer))
        fits |= trainings.one_by_one(waiting) if processes < 2 else trainings.in_processes(waiting, processes)
        return joined_fits([fits[number] for number in range(self.members)], self.prepared, self.job)

    def _stored(self) -> dict[int, Fitted]:
        """The members that an earlier start has trained."""
        fits: dict[int, Fitted] = {}
        if self.recorded is None:
            return fits
        for number in range(self.members):
            run = member_run(self.recorded.run.checkpoint, number)
            if (fitted := stored_member(self.prepared, self.job, number, run)) is not None:
                fits[number] = fitted
                for epoch in fitted.history:
                    self.heard(number, epoch, len(fitted.history), None)
        return fits

    def one_by_one(self, waiting: list[int]) -> dict[int, Fitted]:
        """Train in this process."""
        fits: dict[int, Fitted] = {}
        for number in waiting:
            run, stop = None, None
            if self.recorded is not None:
                run, stop = member_run(self.recorded.run.checkpoint, number), self.recorded.stop
            try:
                fits[number] = train_member(self.prepared, self.job, number, run, self.heard.progress_of(number), stop)
            except Stopped:
                raise self._stop_error(self.members - len(waiting) + len(fits)) from None
            self._check_folder()
        return fits

    def in_processes(self, waiting: list[int], count: int) -> dict[int, Fitted]:
        """Train in this number of processes; each member comes back through its folder."""
        if self.recorded is not None:
            return self._in_processes(waiting, count, self.recorded.run.checkpoint)
        with tempfile.TemporaryDirectory(prefix="hepclf-") as folder:
            return self._in_processes(waiting, count, Path(folder))

    def _in_processes(self, waiting: list[int], count: int, folder: Path) -> dict[int, Fitted]:
        seconds: dict[int, float | None] = {}
        with tempfile.TemporaryDirectory(prefix="hepclf-") as files:
            table = stored_table(self.prepared, Path(files))
            recipes = {"model": self.job.model, "trainer": self.job.trainer}
            with MemberProcesses(Assignment(table, recipes, dict(self.job.names), folder.absolute()), count) as team:
                self._follow(team, list(waiting), seconds)
        fits: dict[int, Fitted] = {}
        for number in waiting:
            fitted = stored_member(self.prepared, self.job, number, member_run(folder, number))
            if fitted is None:
                raise OSError(f"the tagger trained without fold {number} was removed from {folder}; train again")
            fits[number] = replace(fitted, valid_seconds=seconds[number])
        return fits

    def _follow(self, team: MemberProcesses, waiting: list[int], seconds: dict[int, float | None]) -> None:
        """Give out the members and hear of them until all are trained, or have left where the training must stop."""
        told: set[str] = set()
        before, is_leaving = self.members - len(waiting), False
        while waiting or team.busy:
            if not is_leaving and (reason := self._stop_reason()) is not None:
                is_leaving = True
                team.halt(reason)
            for line in team.idle[: len(waiting)] if not is_leaving else []:
                team.train(line, waiting.pop(0))
            if not team.busy:
                break
            for message in team.messages():
                match message:
                    case Passed():
                        self.heard(*message)
                    case Ended():
                        self._check_folder()
                        if message.is_trained:
                            seconds[message.member] = message.valid_seconds
                    case Failure():
                        raise message.kind(message.text)
                    case logging.LogRecord() if message.getMessage() not in told:
                        told.add(message.getMessage())
                        logging.getLogger(message.name).handle(message)
        if is_leaving:
            raise self._stop_error(before + len(seconds))

    def _stop_reason(self) -> str | None:
        return None if self.recorded is None else self.recorded.checkpoints.stop_reason

    def _check_folder(self) -> None:
        """Refuse to continue where another process has taken the folder of the run."""
        if self.recorded is not None and self.recorded.run.lock is not None:
            self.recorded.run.lock.check()

    def _stop_error(self, trained: int) -> Stopped:
        if self.recorded is None:
            raise ValueError("only a training with a folder can leave")
        return self.recorded.checkpoints.stop_error(f" when {trained} of {self.members} trainings were done")

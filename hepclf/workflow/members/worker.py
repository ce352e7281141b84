"""A process that trains members of folds: `python -m hepclf.workflow.members.worker LINE`, a file descriptor.

The other end of the line sends an Assignment, then members to train. When that process ends, so does this one.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from queue import SimpleQueue

from hepclf.data.memory import Memory
from hepclf.evaluation.evaluation import Evaluation
from hepclf.prediction.workers import failure
from hepclf.run import Stopped
from hepclf.training.epoch import Epoch
from hepclf.workflow.job import Job
from hepclf.workflow.members.member import member_run, train_member
from hepclf.workflow.members.processes import Assignment, Ended, LeaveRequest, Passed, SearchPaths
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.stop import Stop

DECIDED_ELSEWHERE = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP")  # signals on which the process that started this decides


class LogSender(QueueHandler):
    """Sends the log records of the library to the process that shows them."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send one."""
        self.queue.send(record)  # type: ignore[attr-defined]


class LineProgress:
    """Progress that is sent over a line: the epochs of a member."""

    def __init__(self, line: Connection, member: int) -> None:
        self._line, self._member = line, member

    def stage(self, name: str) -> None:
        """The other process knows what is done here."""

    def read(self, done: int, total: int) -> None:
        """Nothing is read."""

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """Send an epoch."""
        self._line.send(Passed(self._member, epoch, total, events))


def main(number: str) -> int:
    """Train the members that come over the line, until it is closed."""
    for name in DECIDED_ELSEWHERE:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    line, stop = Connection(int(number)), Stop()
    logging.getLogger("hepclf").handlers = [LogSender(line)]  # type: ignore[arg-type]
    assignments: SimpleQueue[Assignment | int] = SimpleQueue()
    threading.Thread(target=_listen, args=(line, assignments, stop), daemon=True).start()
    try:
        train_assigned(line, assignments, stop)
    except Exception as error:
        line.send(failure(error))
    return 0


def _listen(line: Connection, assignments: SimpleQueue[Assignment | int], stop: Stop) -> None:
    """Pass on what comes over the line. Where it is closed this process ends at once, whatever it does."""
    try:
        while True:
            message = line.recv()
            if isinstance(message, LeaveRequest):
                stop.ask(message.reason)
            elif isinstance(message, SearchPaths):
                sys.path += [path for path in message.paths if path not in sys.path]
            else:
                assignments.put(message)
    except (EOFError, OSError):
        os._exit(1)
    except Exception as error:  # a model that cannot be imported here
        line.send(failure(error))


def train_assigned(line: Connection, assignments: SimpleQueue[Assignment | int], stop: Stop) -> None:
    """Train one member after another."""
    assignment = assignments.get()
    if not isinstance(assignment, Assignment):
        raise TypeError(f"the line must begin with an Assignment, not {assignment!r}")
    prepared = assignment.table.read()
    job = _job(assignment, prepared)
    while True:
        member = assignments.get()
        if isinstance(member, int):
            line.send(_trained(line, prepared, job, member, assignment, stop))


def _job(assignment: Assignment, prepared: Prepared) -> Job:
    """The job with the events in memory; the process that started this one stops it in time."""
    recipes = assignment.recipes
    trainer = replace(recipes["trainer"], threads=1, exit_after_s=None)
    return Job(
        data=Memory(events=prepared.events),
        model=recipes["model"],
        trainer=trainer,
        evaluation=Evaluation(),
        names=assignment.names,
    )


def _trained(line: Connection, prepared: Prepared, job: Job, member: int, assignment: Assignment, stop: Stop) -> Ended:
    progress, run = LineProgress(line, member), member_run(assignment.folder, member)
    try:
        fitted = train_member(prepared, job, member, run, progress, stop)
    except Stopped:
        return Ended(member, is_trained=False)
    return Ended(member, is_trained=True, valid_seconds=fitted.valid_seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

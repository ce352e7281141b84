"""Workers: processes of this machine that each score one file after another."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import suppress
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import torch

from hepclf.data.loader import Tell
from hepclf.prediction.plan import Predicted, Task
from hepclf.prediction.scoring import ScoringJob, score_file

GRACE = 10.0  # seconds that a worker has to clean up when it must end


class Failure(NamedTuple):
    """An error of a worker, as it goes to the process that started it."""

    kind: type[Exception]
    text: str


class Team:
    """Processes that wait for tasks; leaving the block ends them, whatever they do."""

    def __init__(self, job: ScoringJob, workers: int, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.processes: dict[Connection, BaseProcess] = {}
        self.busy: dict[Connection, Task] = {}
        try:
            for _ in range(workers):
                team_end, worker_end = context.Pipe()
                process = context.Process(target=_work, args=(worker_end, job, threads), daemon=True)
                self.processes[team_end] = process
                process.start()
                worker_end.close()  # the worker alone holds its end, so that its death is noticed
        except BaseException:
            self.end()
            raise

    def send(self, line: Connection, task: Task) -> None:
        """Give a worker a task."""
        self.busy[line] = task
        with suppress(BrokenPipeError):  # a dead worker is noticed in `messages`
            line.send(task)

    def messages(self) -> Iterator[tuple[Connection, Any]]:
        """The messages of the workers; if a worker died, an error names the file that it was scoring."""
        ready = wait(list(self.busy))
        for line in [line for line in self.busy if line in ready]:
            try:
                yield line, line.recv()
            except (EOFError, ConnectionResetError):
                raise self._death(line) from None

    def _death(self, line: Connection) -> OSError:
        self.processes[line].join(GRACE)
        code = self.processes[line].exitcode
        cause = f"exit code {code}"
        if code == -signal.SIGKILL:
            cause = "killed, as a system does that is short of memory"
        return OSError(
            f"the worker that scored {self.busy[line].source.name} died ({cause}); what was finished stays: "
            "run again, with fewer workers if memory is short"
        )

    def end(self) -> None:
        """End all processes; busy ones remove their unfinished outputs."""
        for line, process in self.processes.items():
            line.close()
            if process.pid is not None:
                process.terminate()
        for process in self.processes.values():
            if process.pid is not None:
                process.join(GRACE)
                process.kill()
                process.join()


def score_in_parallel(
    job: ScoringJob, tasks: list[Task], workers: int, threads: int, tell: Tell, entries: int
) -> Iterator[Predicted]:
    """The outcome of each task, in the order in which they end; if one fails, all are ended."""
    waiting, done = list(reversed(tasks)), 0
    team = Team(job, min(workers, len(tasks)), threads)
    try:
        for line in team.processes:
            team.send(line, waiting.pop())
        while team.busy:
            for line, message in team.messages():
                if isinstance(message, int):
                    done += message
                    tell(done, entries)
                elif isinstance(message, logging.LogRecord):
                    logging.getLogger(message.name).handle(message)
                elif isinstance(message, Failure):
                    raise message.kind(message.text)
                else:
                    del team.busy[line]
                    if waiting:
                        team.send(line, waiting.pop())
                    yield message
    finally:
        team.end()


class _LogSender(QueueHandler):
    """Sends the log records of the library to the process that shows them."""

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue.send(record)  # type: ignore[attr-defined]


def _work(line: Connection, job: ScoringJob, threads: int) -> None:
    """Score the tasks that come over the line until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the one that started them decides
    signal.signal(signal.SIGTERM, _terminated)
    torch.set_num_threads(threads)
    logging.getLogger("hepclf").handlers = [_LogSender(line)]  # type: ignore[arg-type]
    with suppress(EOFError, BrokenPipeError, SystemExit):
        try:
            tagger = job.tagger()
            while True:
                line.send(score_file(job, line.recv(), tagger, threads, line.send))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            line.send(failure(error))


def failure(error: Exception) -> Failure:
    """The error in a form that any process can rebuild from its text."""
    kinds = (MemoryError, ValueError, OSError)
    if kind := next((kind for kind in kinds if isinstance(error, kind)), None):
        return Failure(kind, str(error))
    return Failure(RuntimeError, f"{type(error).__name__}: {error}")


def _terminated(*_: object) -> None:
    raise SystemExit(1)

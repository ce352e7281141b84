"""Processes that train the members of folds side by side, each with one thread, on one table in shared memory."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.prediction.workers import Failure
from hepclf.training.epoch import Epoch
from hepclf.workflow.members.table import StoredTable

LOOK_S = 0.2  # between two looks at whether the training must stop
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Assignment(NamedTuple):
    """What a process needs to train any of the members: the events, the recipes, and where the members' folders are."""

    table: StoredTable
    recipes: dict[str, Any]
    names: dict[str, str]
    folder: Path


class SearchPaths(NamedTuple):
    """Where Python finds modules, also those of a model of one's own."""

    paths: list[str]


class LeaveRequest(NamedTuple):
    """Store a checkpoint and leave, for this reason."""

    reason: str


class Passed(NamedTuple):
    """A member has done an epoch, of at most `total`, over this number of training events."""

    member: int
    epoch: Epoch
    total: int
    events: int | None


class Ended(NamedTuple):
    """A member is trained, or left its training because it had to stop."""

    member: int
    is_trained: bool
    valid_seconds: float | None = None


class MemberProcesses:
    """The processes; leaving the block ends them, whatever they do. They also end when this process does."""

    def __init__(self, assignment: Assignment, count: int) -> None:
        self._processes: dict[Connection, subprocess.Popen[bytes]] = {}
        self.busy: dict[Connection, int] = {}
        try:
            for _ in range(count):
                self._start(assignment)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> MemberProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, assignment: Assignment) -> None:
        near, far = socket.socketpair()
        with near, far:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "hepclf.workflow.members.worker", str(far.fileno())],
                pass_fds=[far.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # so that Ctrl-C reaches this process alone, which tells the others
            )
            line = Connection(near.detach())
        self._processes[line] = process
        self._send(line, SearchPaths(sys.path))
        self._send(line, assignment)

    @property
    def idle(self) -> list[Connection]:
        """The processes that train nothing now."""
        return [line for line in self._processes if line not in self.busy]

    def train(self, line: Connection, member: int) -> None:
        """Let a process train a member."""
        self.busy[line] = member
        self._send(line, member)

    def halt(self, reason: str) -> None:
        """Let all members store a checkpoint and leave."""
        for line in self.busy:
            self._send(line, LeaveRequest(reason))

    def messages(self) -> Iterator[Passed | Ended | logging.LogRecord | Failure]:
        """The messages that have arrived; a process that died gives an error with its member."""
        for line in wait(list(self.busy), LOOK_S):
            if not isinstance(line, Connection):
                continue
            try:
                message = line.recv()
            except (EOFError, OSError):
                raise self._death(line) from None
            if isinstance(message, Ended):
                del self.busy[line]
            yield message

    def _send(self, line: Connection, message: object) -> None:
        with suppress(OSError):  # a dead process is noticed in `messages`
            line.send(message)

    def _death(self, line: Connection) -> OSError:
        code = self._processes[line].wait()
        cause = f"exit code {code}"
        if code == -signal.SIGKILL:
            cause = "killed, as a system does that is short of memory"
        return OSError(f"the process that trained without fold {self.busy[line]} died ({cause})")

    def close(self) -> None:
        """End the processes at once."""
        for line in self._processes:
            line.close()
        for process in self._processes.values():
            process.kill()
            process.wait()

"""Processes that draw side by side. They start ahead, so that they import matplotlib while others compute."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Protocol

from hepclf.presentation.plots.index import Part, Written

MOST = 8  # processes; twenty pictures keep no more of them busy
GRACE_S = 10.0  # in which a process has finished the picture that it draws
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

log = logging.getLogger(__name__)


class Drawing(Protocol):
    """Pictures of which each part can be drawn in any process."""

    def draw(self, part: Part) -> Written:
        """Write the pictures of a part."""
        ...


class DrawingWorkers:
    """Processes that draw parts of pictures; leaving the block ends them. With a count of one there are none.

    A process of its own imports matplotlib once, and becomes `count` processes before any thread runs in it: this
    process has threads of PyTorch and cannot do so itself. Those processes end when the line to this one is closed,
    and so also when this one is killed.
    """

    def __init__(self, count: int) -> None:
        self._lines: list[Connection] = []
        self._process: subprocess.Popen[bytes] | None = None
        if count > 1 and hasattr(os, "fork"):
            self._start(min(count, MOST))

    def __enter__(self) -> DrawingWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, count: int) -> None:
        pairs = [socket.socketpair() for _ in range(count)]
        far_ends = [far.fileno() for _, far in pairs]
        command = [sys.executable, "-P", "-m", "hepclf.presentation.plots.worker", *map(str, far_ends)]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=far_ends,
                stdin=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD,
                start_new_session=True,
            )
            self._lines = [Connection(near.detach()) for near, _ in pairs]
        except OSError as error:
            log.debug("no processes can be started that draw side by side: %s", error)
        for ends in pairs:
            for end in ends:
                end.close()

    def drawn(self, drawing: Drawing, parts: Sequence[Part]) -> dict[Part, Written]:
        """What the processes have drawn of these parts, of which the last ones are begun first.

        A part that fails there is left out: the caller draws it again and sees the error where it happens.
        """
        count = len(self._lines)
        waiting, busy, drawn = list(parts), dict[Connection, Part](), dict[Part, Written]()
        for line in list(self._lines):
            self._send(line, drawing)
        while self._lines and (waiting or busy):
            idle = [line for line in self._lines if line not in busy]
            for line in idle[: len(waiting)]:
                busy[line] = waiting.pop()
                self._send(line, busy[line])
            ready = wait(list(busy))
            for line in [line for line in busy if line in ready]:
                part, written = busy.pop(line), self._reply(line)
                if written is not None:
                    drawn[part] = written
        if lost := count - len(self._lines):
            log.warning("%d of %d processes that draw have ended too early; others draw their pictures", lost, count)
        return drawn

    def _send(self, line: Connection, message: Drawing | Part) -> None:
        with suppress(OSError):  # a dead process is noticed where its reply is read
            line.send(message)

    def _reply(self, line: Connection) -> Written | None:
        try:
            reply: Written | None = line.recv()
        except (EOFError, OSError):
            self._lines.remove(line)
            line.close()
            return None
        return reply

    def close(self) -> None:
        """End the processes; one that is drawing finishes its picture first."""
        for line in self._lines:
            line.close()
        self._lines = []
        if self._process is None:
            return
        self._process.terminate()  # which those that draw ignore
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

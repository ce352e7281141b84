"""Processes that work in one folder side by side: started, watched, and stopped with their parent."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

from hepclf.cli.errors import INTERRUPTED, STOPPED
from hepclf.run import Stopped
from hepclf.training.cores import cores
from hepclf.workflow.stop import Stop

LOOK_S = 0.2  # between two looks at the processes and their folder
QUIT_S = 10.0  # in which a process that is to leave at once has done so
RESTARTS = 3  # of processes that were killed
LOGS = "workers"
STOPS = (STOPPED, INTERRUPTED)
STOPPED_WORKERS = "its workers were stopped, by a signal or by trainer.exit_after_s"

log = logging.getLogger("hepclf.cli")


def worker_command(kind: str, folder: Path, *words: str) -> list[str]:
    """The command of a worker of a sweep or a study; modules in the working directory cannot replace others."""
    return [sys.executable, "-P", "-m", "hepclf.cli.worker", kind, str(folder), *words]


class Workers:
    """Processes in sessions of their own, so that only their parent receives Ctrl-C; each writes a log.

    The end of their standard input requests a stop, also when the parent dies; the reason may precede the end.
    `command` receives a worker's number.
    """

    def __init__(self, folder: Path, count: int, command: Callable[[int], Sequence[str]]) -> None:
        self._folder, self._count, self._command = folder, count, command
        self._processes: dict[int, subprocess.Popen[bytes]] = {}  # those that have not ended
        self._codes: set[int] = set()
        self._restarts = RESTARTS

    def work(self, stop: Stop, look: Callable[[], None]) -> bool:
        """Return, when all have ended, whether one was stopped by others; `look` is called now and then and at the end.

        If this process must stop, the workers are told to stop, and `Stopped` is raised when they have.
        """
        (self._folder / LOGS).mkdir(exist_ok=True)
        try:
            for number in range(self._count):
                self._start(number, "wb")
            while self._are_at_work():
                if stop.reason:
                    self._ask_to_stop(stop.reason)
                look()
                time.sleep(LOOK_S)
        except BaseException:
            self._quit()
            raise
        look()
        if stop.reason:
            raise Stopped(f"stopped by {stop.reason}", is_interrupt=stop.is_interrupt)
        return bool(self._codes & set(STOPS))

    def _start(self, number: int, mode: str) -> None:
        threads = {"OMP_NUM_THREADS": str(max(1, cores() // self._count))}
        with self._log(number).open(mode) as output:
            self._processes[number] = subprocess.Popen(
                self._command(number),
                env=os.environ | threads,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _log(self, number: int) -> Path:
        return self._folder / LOGS / f"{socket.gethostname()}-{number}.log"  # another machine may help

    def _are_at_work(self) -> bool:
        for number, process in list(self._processes.items()):
            if (code := process.poll()) is not None:
                end_input(self._processes.pop(number))
                self._note_end(number, code)
        return bool(self._processes)

    def _note_end(self, number: int, code: int) -> None:
        """Report a worker that failed; a killed one is started again, as long as that may be chance."""
        self._codes.add(code)
        if code in (0, *STOPS):
            return
        is_restarted = code < 0 and self._restarts > 0
        lines = self._log(number).read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        sequel = " and is started again" if is_restarted else ""
        log.warning("worker %d ended with code %d%s: %s", number, code, sequel, lines[-1])
        if is_restarted:
            self._restarts -= 1
            self._start(number, "ab")

    def _ask_to_stop(self, reason: str) -> None:
        self._restarts = 0
        for process in self._processes.values():
            end_input(process, reason)

    def _quit(self) -> None:
        leave_at_once(self._processes.values())


def leave_at_once(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """Let processes leave at once, and kill those that do not."""
    for process in processes:
        process.send_signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
    deadline = time.monotonic() + QUIT_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        end_input(process)


def end_input(process: subprocess.Popen[bytes], reason: str = "") -> None:
    """End its standard input, with the reason to stop, if there is one, as the last words in it."""
    if process.stdin is not None and not process.stdin.closed:
        with suppress(BrokenPipeError), process.stdin:  # it has ended
            process.stdin.write(reason.encode())

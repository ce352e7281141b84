"""Processes that train the jobs of a sweep side by side, each with its share of the cores."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from hepclf.cli.errors import INTERRUPTED, STOPPED
from hepclf.cli.sweep_tables import job_line
from hepclf.run import Stopped
from hepclf.training.cores import cores
from hepclf.workflow.stop import Stop
from hepclf.workflow.sweep import Sweep

PAUSE_S = 0.2  # between two looks at the folder
QUIT_S = 10.0  # in which a process that is to leave at once has done so
LOGS = "workers"
ENDED = ("finished", "failed")

log = logging.getLogger("hepclf.cli")


def train_in_processes(sweep: Sweep, count: int, stop: Stop, extra: Sequence[str], tell: Callable[[str], None]) -> None:
    """Train the open jobs, so many at a time; `tell` hears a line for each that ends."""
    open_jobs = list(sweep.open_jobs())
    folders = [f"--config-dir={folder}" for folder in sweep.config_dirs]
    lines = _lines(sweep)
    with Workers(sweep.folder, min(count, len(open_jobs)), [*folders, *extra]) as workers:
        while workers.are_running():
            if stop.reason:
                workers.ask_to_stop()
            for line in next(lines):
                tell(line)
            time.sleep(PAUSE_S)
    for line in next(lines):
        tell(line)
    for line in workers.deaths():
        log.warning(line)
    if stop.reason or workers.were_stopped():
        reason = stop.reason or "its processes were asked to"
        raise Stopped(f"stopped by {reason}" if stop.reason else reason, is_interrupt=stop.is_interrupt)


class Workers:
    """Processes of `hepclf.cli.sweep_worker` in a session of their own, so that a Ctrl-C reaches their parent alone.

    They stop when it dies, as their standard input then ends. What they say is in a log each.
    """

    def __init__(self, folder: Path, count: int, words: Sequence[str]) -> None:
        self._folder, self._count, self._words = folder, count, words
        self._processes: list[subprocess.Popen[bytes]] = []
        self._is_asked = False

    def __enter__(self) -> Workers:
        (self._folder / LOGS).mkdir(exist_ok=True)
        command = [sys.executable, "-P", "-m", "hepclf.cli.sweep_worker", str(self._folder), *self._words]
        threads = {"OMP_NUM_THREADS": str(max(1, cores() // max(1, self._count)))}
        with ExitStack() as files:
            for number in range(self._count):
                log_file = files.enter_context(self._log(number).open("wb"))
                self._processes.append(
                    subprocess.Popen(
                        command,
                        env=os.environ | threads,
                        stdin=subprocess.PIPE,
                        stdout=log_file,
                        stderr=log_file,
                        start_new_session=True,
                    )
                )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._quit()
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()

    def are_running(self) -> bool:
        """Whether at least one has not ended."""
        return any(process.poll() is None for process in self._processes)

    def ask_to_stop(self) -> None:
        """Ask them for a checkpoint and their end, once."""
        if not self._is_asked:
            self._signal(signal.SIGTERM)
        self._is_asked = True

    def were_stopped(self) -> bool:
        """Whether one ended because it was asked to."""
        return any(process.returncode in (STOPPED, INTERRUPTED) for process in self._processes)

    def deaths(self) -> Iterator[str]:
        """A line for each that ended in another way, with the last line of its log."""
        for number, process in enumerate(self._processes):
            if process.returncode not in (0, STOPPED, INTERRUPTED):
                lines = self._log(number).read_text(errors="replace").strip().splitlines() or ["it said nothing"]
                yield f"process {number} of the sweep ended with code {process.returncode}: {lines[-1]}"

    def _log(self, number: int) -> Path:
        return self._folder / LOGS / f"{socket.gethostname()}-{number}.log"  # another machine may help

    def _quit(self) -> None:
        """Let them leave at once."""
        self._signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
        deadline = time.monotonic() + QUIT_S
        while self.are_running() and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        for process in self._processes:
            process.kill()

    def _signal(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)


def _lines(sweep: Sweep) -> Iterator[list[str]]:
    """At each look, a line for each job that has ended since the last one."""
    ended = {row.number for row in sweep.rows() if row.is_finished}
    while True:
        names = {path.name for path in sweep.folder.iterdir()}  # jobs that nobody has begun need no look
        begun = [job for job in sweep.jobs if {sweep.run(job).folder.name, sweep.error_file(job).name} & names]
        rows = [row for job in begun if job.number not in ended and (row := sweep.row(job)).status in ENDED]
        lines = []
        for row in rows:
            ended.add(row.number)
            seconds = "" if row.seconds is None else f"  {row.seconds:.1f} s"
            lines.append(f"{len(ended)}/{len(sweep.jobs)} {job_line(row)}{seconds}")
        yield lines

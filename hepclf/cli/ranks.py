"""Ranks of a training as processes of this machine: started, watched, and stopped with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from hepclf.cli.errors import FAILED, INTERRUPTED
from hepclf.cli.main import guarded, own_process
from hepclf.cli.signals import signalled
from hepclf.cli.threads import share_machine
from hepclf.cli.worker import follow_parent
from hepclf.cli.workers import LOOK_S, STOPS, end_input, leave_at_once
from hepclf.training.launchers import meeting_place
from hepclf.workflow.stop import Stop

GRACE_S = 20.0  # after the end of a rank that failed, in which the others learn of it


class RankProcesses:
    """The ranks of one training, in sessions of their own, so that only their parent receives Ctrl-C.

    The end of their standard input requests a stop, also when the parent dies; the reason may precede the end.
    """

    def __init__(self, arguments: Sequence[str], count: int) -> None:
        self._store, places = meeting_place(count)
        command = [sys.executable, "-P", "-m", "hepclf.cli.ranks", *arguments]
        self._processes = [
            subprocess.Popen(command, env=os.environ | place, stdin=subprocess.PIPE, start_new_session=True)
            for place in places
        ]

    def wait(self, stop: Stop) -> int:
        """The exit code of the training, when all ranks have ended; if this process must stop, they stop as well."""
        deadline = float("inf")
        try:
            while any(process.poll() is None for process in self._processes):
                if stop.reason:
                    self._ask_to_stop(stop.reason)
                if deadline == float("inf") and self._failures:
                    deadline = time.monotonic() + GRACE_S
                if time.monotonic() > deadline:
                    break
                time.sleep(LOOK_S)
        finally:
            leave_at_once([process for process in self._processes if process.poll() is None])
            self._ask_to_stop("")
        return self._code(stop)

    @property
    def _failures(self) -> list[tuple[int, int]]:
        """Rank and exit code of each failed rank."""
        codes = ((rank, process.returncode) for rank, process in enumerate(self._processes))
        return [(rank, code) for rank, code in codes if code not in (None, 0, *STOPS)]

    def _code(self, stop: Stop) -> int:
        codes = [process.returncode for process in self._processes]
        for rank, code in self._failures:
            if code < 0:
                name = signal.Signals(-code).name
                print(f"hepclf: process {rank} of {len(codes)} was killed by {name}", file=sys.stderr)
        if any(code in STOPS for code in codes) and not self._failures:
            return INTERRUPTED if stop.is_interrupt else max(codes)
        return FAILED if any(codes) else 0

    def _ask_to_stop(self, reason: str) -> None:
        for process in self._processes:
            end_input(process, reason)


def start(arguments: Sequence[str], count: int, stop: Stop) -> int:
    """Train with this number of ranks on this machine; returns the exit code."""
    with signalled(stop):
        return RankProcesses(arguments, count).wait(stop)


def main(words: Sequence[str]) -> int:
    """Run as one of the ranks."""
    from hepclf.cli.train import run

    share_machine()
    stop = Stop()
    follow_parent(stop)
    sys.argv = ["hepclf", "train", *words]  # what the record of the run names as its command
    return guarded(lambda: run([*words], stop))


if __name__ == "__main__":
    sys.exit(own_process(lambda: main(sys.argv[1:])))

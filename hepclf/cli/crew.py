"""The worker processes of a search on this machine: started, watched, stopped with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hepclf.cli.errors import STOPPED
from hepclf.run import Stopped
from hepclf.training.cores import cores

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.trial import Trial
    from hepclf.workflow.stop import Stop

LOOK_S = 0.2  # between two looks at the workers
RESTARTS = 3  # of workers that were killed


class Crew:
    """As many workers as the study says, each with its share of the cores; `on_trial` hears of each result."""

    def __init__(self, folder: StudyFolder, stop: Stop, on_trial: Callable[[Trial], None]) -> None:
        self._folder, self._stop, self._on_trial = folder, stop, on_trial
        self._known = {trial.number for trial in folder.trials() if trial.is_final}
        self._restarts = RESTARTS

    def work(self) -> None:
        """Return when each trial has its result; the workers end with this process, however it ends."""
        workers = {number: self._started(number) for number in range(self._folder.tuning.workers)}
        try:
            while self._stop.reason is None and self._are_at_work(workers):
                time.sleep(LOOK_S)
                self._report()
            _end(workers)
        except BaseException:
            for worker in workers.values():
                worker.kill()
            raise
        self._report()
        self._leave({worker.returncode for worker in workers.values()})

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        """A worker in a session of its own, so that Ctrl-C reaches this process alone, which then asks it to stop."""
        command = [sys.executable, "-m", "hepclf.cli.main", "tune", "worker", str(self._folder.path)]
        share = max(1, cores() // self._folder.tuning.workers)
        return subprocess.Popen(
            [*command, f"number={number}", "attached=true"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": str(share)},
        )

    def _are_at_work(self, workers: dict[int, subprocess.Popen[bytes]]) -> bool:
        """Whether a worker lives, after those were started again that were killed, as far as that may be chance."""
        codes = {number: worker.poll() for number, worker in workers.items()}
        killed = [number for number, code in codes.items() if code is not None and code < 0][: self._restarts]
        for number in killed:
            self._restarts -= 1
            _close(workers[number])
            workers[number] = self._started(number)
        return bool(killed) or None in codes.values()

    def _report(self) -> None:
        """Tell of the trials that have got their results."""
        for number in range(self._folder.tuning.trials):
            if number not in self._known and (trial := self._trial(number)) is not None:
                self._known.add(number)
                self._on_trial(trial)

    def _trial(self, number: int) -> Trial | None:
        from hepclf.search.trial import Trial

        trial = Trial.read(self._folder.trial(number))
        return trial if trial is not None and trial.is_final else None

    def _leave(self, codes: set[int]) -> None:
        """Leave by an error where trials are left, with the exit codes of the workers."""
        from hepclf.search.worker import resume_command

        advice = resume_command(self._folder)
        if self._stop.reason is not None:
            raise Stopped(f"stopped by {self._stop.reason}", advice, is_interrupt=self._stop.is_interrupt)
        if len(self._known) < self._folder.tuning.trials and STOPPED in codes:
            raise Stopped("stopped by trainer.exit_after_s", advice)
        if len(self._known) < self._folder.tuning.trials:
            done = f"{len(self._known)} of {self._folder.tuning.trials} trials have a result"
            raise ValueError(f"the workers have ended, however {done}; {advice}")


def _end(workers: dict[int, subprocess.Popen[bytes]]) -> None:
    """Ask the workers to stop, by the end of their input, and wait until they have."""
    for worker in workers.values():
        _close(worker)
    for worker in workers.values():
        worker.wait()


def _close(worker: subprocess.Popen[bytes]) -> None:
    if worker.stdin is not None:
        worker.stdin.close()

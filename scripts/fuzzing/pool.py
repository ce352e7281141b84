"""Workers that each run case after case; one that crashes or does not end is replaced."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from cage import Cage, Outcome

PROCESSOR_S, WALL_S = 10.0, 120.0  # of one case; other programs may share the machine, so that a clock says little
PATIENCE = 1000  # cases after which a worker is replaced, as libraries keep memory
FORK = multiprocessing.get_context("fork")  # a worker has all libraries that its parent has imported


class Case(NamedTuple):
    """A kind of target and a seed, from which everything about the case follows."""

    kind: str
    seed: int


def run_apart(task: Callable[[], object]) -> None:
    """Run a task in a process of its own: libraries at work start threads, and a process with threads cannot fork."""
    process = FORK.Process(target=task)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the whole files cannot be made: exit code {process.exitcode}")


Attack = Callable[[Case, Path], Callable[[], object]]


class Worker:
    """A process, its folder, and the case that it runs now."""

    def __init__(self, attack: Attack, folder: Path) -> None:
        self.folder, self.case, self.count = folder, Case("", 0), 0
        self.connection, child = FORK.Pipe()
        self.process = FORK.Process(target=_work, args=(attack, folder, child), daemon=True)
        self.process.start()
        child.close()

    def begin(self, case: Case) -> None:
        """Start a case."""
        self.case, self.count = case, self.count + 1
        self._began, self._processor = time.monotonic(), self._processor_s()
        self.connection.send(case)

    def outcome(self) -> Outcome | None:
        """The outcome of the case, or None while it runs; a worker that failed is dead after this call."""
        if self.connection.poll():
            with suppress(EOFError, ConnectionError):
                answer: Outcome = self.connection.recv()
                return answer
            self.process.join()
            return Outcome(f"the interpreter ended with {self.process.exitcode}")
        seconds = self._processor_s() - self._processor
        if seconds > PROCESSOR_S or time.monotonic() - self._began > WALL_S:
            self.end()
            return Outcome("more time than allowed", seconds=max(seconds, PROCESSOR_S))
        return None

    def is_dead(self) -> bool:
        """Whether it must be replaced."""
        return not self.process.is_alive() or self.count >= PATIENCE

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.join()

    def _processor_s(self) -> float:
        with suppress(OSError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


def outcomes(cases: Sequence[Case], attack: Attack, folder: Path, workers: int) -> Iterator[tuple[Case, Outcome, Path]]:
    """The outcome of each case as it ends, and the folder of its files, which lasts until the next outcome."""
    remaining = iter(cases)
    pool = [Worker(attack, folder / str(number)) for number in range(workers)]
    busy: list[Worker] = []
    try:
        for worker in pool:
            if (case := next(remaining, None)) is not None:
                worker.begin(case)
                busy.append(worker)
        while busy:
            wait([worker.connection for worker in busy], timeout=0.5)
            for worker in list(busy):
                if (outcome := worker.outcome()) is None:
                    continue
                busy.remove(worker)
                yield worker.case, outcome, worker.folder
                case = next(remaining, None)
                if case is None:
                    continue
                if worker.is_dead():
                    worker.end()
                    pool.remove(worker)
                    worker = Worker(attack, worker.folder)
                    pool.append(worker)
                worker.begin(case)
                busy.append(worker)
    finally:
        for worker in pool:
            worker.end()


def _work(attack: Attack, folder: Path, connection: Connection) -> None:
    """Run the cases that arrive, in a folder that is emptied for each."""
    for stream in (1, 2):  # where libraries write
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    cage = Cage()
    while True:
        case = connection.recv()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        os.chdir(folder)
        connection.send(cage.outcome(attack(case, folder), folder))

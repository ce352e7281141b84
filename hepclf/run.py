"""Run: the folder of one training, its file names, and the record of its status."""

from __future__ import annotations

import json
import logging
import os
import platform
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hepclf.files import atomic, is_temporary, leftovers, write_json
from hepclf.heartbeat import NAME as HEARTBEAT
from hepclf.heartbeat import beating
from hepclf.lock import LOCK, Lock, acquire, clean
from hepclf.status import Status, first_start, read_status
from hepclf.words import typed_setting

BATCH = "batch"  # the folder with job files and logs, which may be there before the run
COLLECTIONS = {  # folders of many runs, by the table that each holds
    "sweep.json": "it is a sweep; name a run in it, {folder}/000, or its best settings, {best}",
    "study.yaml": "it is a search; name its best run, {folder}/best, or its best settings, {best}",
}
PACKAGES = ("hepclf", "torch", "numpy", "pandas", "scikit-learn", "uproot", "awkward", "matplotlib", "hydra-core")

log = logging.getLogger(__name__)


class Stopped(BaseException):  # as KeyboardInterrupt: no reader that skips bad files may catch it
    """Ends the block of Run.recorded with the status "stopped" and this reason; `advice` says how to continue.

    is_interrupt  somebody pressed Ctrl-C; else a batch system, or the time limit, stopped it
    """

    def __init__(self, reason: str, advice: str = "", *, is_interrupt: bool = False) -> None:
        super().__init__(f"{reason}; {advice}" if advice else reason)
        self.reason, self.is_interrupt = reason, is_interrupt


@dataclass(frozen=True)
class Run:
    """The folder of one training; see docs/outputs.md for every file in it. `lock` is our hold on it."""

    folder: Path
    lock: Lock | None = field(default=None, compare=False, repr=False)

    @classmethod
    def create(cls, folder: Path | str, *, restart: bool = False) -> Run:
        """A new run in this folder; a folder that is not empty, or that another process uses, is refused.

        With `restart`, traces of a process that was killed before it wrote anything of its run do not count.
        """
        run = cls(Path(folder))
        if restart and (lock := run._abandoned_start()):
            return cls(run.folder, lock)
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            is_taken = any(run.folder.iterdir())
            run.environment.touch(exist_ok=False)
        except FileExistsError:
            is_taken = True
        except OSError as error:
            reason = f"{folder} cannot be made: {error.strerror}"
            raise OSError(f"{reason}; choose another place (runs=DIR on the command line)") from error
        if is_taken:
            raise FileExistsError(f"{folder} is not an empty folder; a run needs one of its own")
        return cls(run.folder, acquire(run.folder))

    def _abandoned_start(self) -> Lock | None:
        """The lock of a folder that holds only the traces of a process that ended at its start; otherwise None."""
        traces = {self.environment.name, LOCK, HEARTBEAT, BATCH}
        if not self.folder.is_dir():
            return None
        names = {path.name for path in self.folder.iterdir()}
        if not names or any(name not in traces and not is_temporary(name) for name in names):
            return None
        lock = acquire(self.folder)
        clean(self.folder, leftovers(self.folder))
        return lock

    @classmethod
    def resume(cls, folder: Path | str) -> Run:
        """A run that did not finish, to be continued in its folder; a running or finished one is refused."""
        run = cls.open(folder)
        lock = acquire(run.folder)
        try:
            if (status := run.status()).name == "finished":
                advice = f"hepclf train {typed_setting('again', folder)} makes a new one"
                raise ValueError(f"{folder} cannot be resumed: its training {status}; {advice}")
            clean(run.folder, leftovers(run.folder))
        except BaseException:
            lock.release()
            raise
        return cls(run.folder, lock)

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """The run in an existing folder, or behind the link runs/latest."""
        run = cls(Path(folder).resolve())
        if not run.folder.is_dir():
            # The shell passes on a pattern that matches nothing.
            absent = "no run matches" if "*" in str(folder) else "there is no run"
            raise FileNotFoundError(f"{absent} {folder}; give the folder of a run, or runs/latest")
        if not run.config.is_file():
            kinds = [kind for table, kind in COLLECTIONS.items() if (run.folder / table).is_file()]
            best = typed_setting("again", Path(folder, "best.yaml"))
            reason = f"it holds no {run.config.name}"
            if kinds:
                reason = kinds[0].format(folder=folder, best=best)
            raise FileNotFoundError(f"{folder} is not a run of hepclf: {reason}")
        return run

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.folder / "config.yaml"

    @property
    def environment(self) -> Path:
        """Versions, device, command line, times and the run's status."""
        return self.folder / "environment.json"

    @property
    def history(self) -> Path:
        """A row for each epoch."""
        return self.folder / "history.csv"

    @property
    def checkpoint(self) -> Path:
        """The folder of the checkpoints, while the run lasts."""
        return self.folder / "checkpoint"

    @property
    def metrics(self) -> Path:
        """The results."""
        return self.folder / "metrics.json"

    @property
    def report(self) -> Path:
        """The results on one page."""
        return self.folder / "report.html"

    @property
    def card(self) -> Path:
        """The model card of the tagger."""
        return self.folder / "card.md"

    @property
    def scores(self) -> Path:
        """Label, weight, split, score and spectators of each event."""
        return self.folder / "scores.root"

    @property
    def tagger(self) -> Path:
        """The folder of the tagger."""
        return self.folder / "tagger"

    @property
    def plots(self) -> Path:
        """The folder of the plots."""
        return self.folder / "plots"

    def status(self) -> Status:
        """The state of the run, from its folder alone."""
        return read_status(self.folder, self.environment)

    def require(self, *places: Path) -> None:
        """Refuse a run that lacks one of these files, with its state; warn of a run that did not finish."""
        status = self.status()
        for place in places:
            if not place.exists():
                raise FileNotFoundError(f"{self.folder} holds no {place.stem}: its training {status}; {status.way_out}")
        if status.name not in ("finished", "unknown"):
            log.warning("%s is not a finished run: its training %s", self.folder, status)

    @contextmanager
    def recorded(self, **facts: Any) -> Iterator[dict[str, Any]]:
        """Keep environment.json up to date, and the folder ours, while the block runs: nobody else may write it.

        Its status is running, then finished, stopped (by Stopped) or failed with the error. The block may add facts to
        the mapping that it receives; they are written at the end. A process that lost the folder writes nothing.
        """
        with self.held() as lock:
            yield from self._recorded(lock, facts)

    @contextmanager
    def held(self) -> Iterator[Lock]:
        """Keep the folder ours while the block runs; a folder in use by another process is refused."""
        lock = self.lock or acquire(self.folder)
        try:
            with beating(self.folder, lock.is_ours):
                yield lock
        finally:
            lock.release()

    def _recorded(self, lock: Lock, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
        times = {"started": _now(), "resumed": None, "finished": None}
        if first := first_start(self.environment):
            times = {"started": first, "resumed": _now(), "finished": None}
        record = {"status": "running", "error": None, **times, **lock.holder.facts, **environment(), **facts}
        lock.check()
        write_json(self.environment, record)
        try:
            yield record
            lock.check()
            write_json(self.environment, record | {"status": "finished", "finished": _now()}, durable=True)
        except BaseException as error:
            if lock.is_ours():
                self._record_failure(record | {**_ending(error), "finished": _now()})
            raise

    def _record_failure(self, record: dict[str, Any]) -> None:
        """Write a failure or a stop; over the old record if the disk has no room for another file."""
        try:
            write_json(self.environment, record, durable=True)
        except OSError:
            status = {name: record[name] for name in ("status", "error", "started", "finished")}
            with self.environment.open("r+") as file:
                file.write(json.dumps(status))
                file.truncate()


def new_folder(runs: Path | str, name: str) -> Path:
    """A unique folder name: runs/<name>/<date>_<time>-<id>."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return Path(runs) / name / f"{stamp}-{secrets.token_hex(4)}"


def point_latest(runs: Path | str, folder: Path) -> None:
    """Let runs/latest point at this run, if it is below runs; if that fails, a warning is given."""
    if Path(runs).resolve() not in folder.resolve().parents:
        return
    link = Path(runs) / "latest"
    try:
        with atomic(link) as temporary:
            temporary.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    except OSError as error:
        log.warning("%s could not be pointed at %s: %s", link, folder, error.strerror)


def environment() -> dict[str, Any]:
    """The machine, versions and command line that are needed to repeat a run."""
    return {
        "command": sys.argv,
        "directory": str(Path.cwd()),
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def command_line(command: Sequence[str]) -> str:
    """A command line to type again, with the bare name of the program."""
    return shlex.join([Path(word).name for word in command[:1]] + list(command[1:]))


def _ending(error: BaseException) -> dict[str, str]:
    """Status and error of a block that ended with an exception."""
    reason = " ".join(str(error).split())
    if isinstance(error, Stopped):
        return {"status": "stopped", "error": " ".join(error.reason.split())}
    if isinstance(error, KeyboardInterrupt):
        return {"status": "stopped", "error": reason or "interrupted"}
    return {"status": "failed", "error": f"{type(error).__name__}: {reason}"}


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _commit() -> str | None:
    """The commit of the working directory, if it is a checkout."""
    try:
        process = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout.strip() or None


@cache
def _version(name: str) -> str | None:  # reads a file, and a process keeps the version that it has imported
    try:
        return version(name)
    except PackageNotFoundError:
        return None

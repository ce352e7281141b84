"""Run: the folder of one training, its file names, and the record of its status."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hepclf.files import write_json

PACKAGES = ("hepclf", "torch", "numpy", "pandas", "scikit-learn", "uproot", "awkward", "matplotlib", "hydra-core")


@dataclass(frozen=True)
class Run:
    """The folder of one training; see docs/outputs.md for every file in it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path | str) -> Run:
        """A new run in this folder; a folder that is not empty, or that another process uses, is refused."""
        run = cls(Path(folder))
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
        return run

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """An existing run's folder, or the link runs/latest."""
        run = cls(Path(folder).resolve())
        if not run.folder.is_dir():
            raise FileNotFoundError(f"there is no run {folder}; give the folder of a run, or runs/latest")
        if not run.config.is_file():
            raise FileNotFoundError(f"{folder} is not a run of hepclf: it holds no {run.config.name}")
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
    def metrics(self) -> Path:
        """The results."""
        return self.folder / "metrics.json"

    @property
    def report(self) -> Path:
        """The results on one page."""
        return self.folder / "report.html"

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

    @contextmanager
    def recorded(self, **facts: Any) -> Iterator[dict[str, Any]]:
        """Keep environment.json up to date while the block runs: running, then finished, or failed with the error.

        The block may add facts to the mapping that it gets; they are written at the end.
        """
        record = {"status": "running", "error": None, "started": _now(), "finished": None, **environment(), **facts}
        write_json(self.environment, record)
        try:
            yield record
        except BaseException as error:
            reason = " ".join(str(error).split())
            record |= {"status": "failed", "error": f"{type(error).__name__}: {reason}", "finished": _now()}
            self._record_failure(record)
            raise
        record |= {"status": "finished", "finished": _now()}
        write_json(self.environment, record)

    def _record_failure(self, record: dict[str, Any]) -> None:
        """Write the failure; over the old record if the disk has no room for another file."""
        try:
            write_json(self.environment, record)
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
    """Let runs/latest point at this run."""
    link = Path(runs) / "latest"
    temporary = link.with_name(f".latest.{secrets.token_hex(4)}")
    temporary.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    try:
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)


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
    """A command line as it can be typed again, with the bare name of the program."""
    return shlex.join([Path(word).name for word in command[:1]] + list(command[1:]))


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _commit() -> str | None:
    """The commit of the working directory, if it is a checkout."""
    try:
        process = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout.strip() or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

"""The files that an HTCondor job takes along and brings back, if the nodes do not see the folders of this machine."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hepclf.submission.outcome import task_run
from hepclf.submission.submission import Submission

TABLE = "scratch/tasks.txt"  # the tasks with paths below the working directory, which the jobs take along
LOG = "hepclf.log"
LISTED = re.compile(r"[\w./+@~=-]+")  # what stands in a list of files without quotes


@dataclass(frozen=True)
class Transfer:
    """A copy of parts of the working directory, in which a job runs.

    inputs   files and folders that every job takes along
    outputs  folders of each element, which it takes along as well and brings back
    table    the tasks, one per line, with paths below the working directory
    """

    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, ...], ...]
    table: str

    @classmethod
    def planned(cls, submission: Submission, patterns: Sequence[str]) -> Transfer:
        """The transfer of a submission; `patterns` name files that no task names."""
        directory = Path(submission.directory)
        named = [path for pattern in patterns for path in _matches(directory, pattern)]
        outputs = [_output(submission, task) for task in submission.tasks]
        folders = [_below(path, directory) for path in outputs]
        inputs = [_below(path, directory) for path in [*map(Path, submission.paths), *named]]
        prefix = f"{directory}/"
        return cls(
            inputs=tuple(path for path in dict.fromkeys(inputs) if path not in folders),
            outputs=tuple(
                tuple(dict.fromkeys(folders[first : first + submission.pack]))
                for first in range(0, len(folders), submission.pack)
            ),
            table="".join(shlex.join(word.replace(prefix, "") for word in task) + "\n" for task in submission.tasks),
        )

    def make_folders(self, directory: str) -> None:
        """Create the folders that jobs take along and bring back; those of a new run are empty."""
        for paths in self.outputs:
            for path in paths:
                Path(directory, path).mkdir(parents=True, exist_ok=True)


def _matches(directory: Path, pattern: str) -> list[Path]:
    """The files of a pattern; at least one, otherwise the job would lack them."""
    relative = pattern.removeprefix(f"{directory}/")
    if relative.startswith("/"):
        raise ValueError(f"cluster.inputs must be below {directory}, not {pattern}; copy it there")
    if paths := sorted(directory.glob(relative)):
        return paths
    raise FileNotFoundError(
        f"cluster.inputs must name files, not {pattern}, which matches none; correct it, or leave it out"
    )


def _output(submission: Submission, task: Sequence[str]) -> Path:
    """The folder that a task writes."""
    if (run := task_run(task)) is not None:
        return run.folder
    if task[0] != "predict":
        raise ValueError(
            f"cluster.shared must be true for {shlex.join(task)}, not false, as it works in folders of this machine; "
            "only train, train -m and predict can do without"
        )
    return submission.target


def _below(path: str | Path, directory: Path) -> str:
    """A path as it is called in a copy of the working directory."""
    absolute = Path(os.path.normpath(directory / path))
    if not absolute.is_relative_to(directory):
        raise ValueError(
            f"{path} must be below {directory} with cluster.shared=false; copy it there, or submit elsewhere"
        )
    name = str(absolute.relative_to(directory))
    if not LISTED.fullmatch(name):
        raise ValueError(f"{name} must be a name of letters, digits and ._+@~=- with cluster.shared=false; rename it")
    return name

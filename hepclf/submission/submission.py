"""Submission: the folder of jobs that were submitted to a batch system, readable for a person."""

from __future__ import annotations

import secrets
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.files import read_json, write_bytes, write_json
from hepclf.run import BATCH
from hepclf.words import setting_text

RECORD, TASKS, SCRIPT = "submission.json", "tasks.txt", "job.sh"
SCHEMA = 1
CLOSING = "closing"  # folder, in that of a submission, of the job that makes its table and page


class Chunk(NamedTuple):
    """An array of the batch system: its id, the number of its first element among all, and their count."""

    id: str
    first: int
    elements: int

    @property
    def numbers(self) -> range:
        """The numbers of its elements among all."""
        return range(self.first, self.first + self.elements)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Tasks that were submitted together: command lines of hepclf; each element runs `pack` of them in turn.

    folder     batch/<date>_<time>-<id> in the folder of the run, sweep or search that they work on
    cluster    settings of the batch system
    directory  where the tasks run
    paths      named in the tasks; they must be visible where the tasks run
    closing_words  the command that writes table and page when all have ended
    """

    folder: Path
    tasks: tuple[tuple[str, ...], ...]
    cluster: dict[str, Any]
    pack: int = 1
    directory: str = ""
    python: str = sys.executable
    paths: tuple[str, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    closing_words: tuple[str, ...] = ()

    @classmethod
    def new(cls, target: Path, tasks: Sequence[Sequence[str]], cluster: dict[str, Any], pack: int) -> Submission:
        """A submission for this folder; nothing is written yet."""
        if broken := [word for task in tasks for word in task if "\n" in word]:
            raise ValueError(f"a word of a submitted command must be one line, not {broken[0]!r}; put it into a file")
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        return cls(
            folder=target.resolve() / BATCH / f"{stamp}-{secrets.token_hex(2)}",
            tasks=tuple(map(tuple, tasks)),
            cluster=cluster,
            pack=pack,
            directory=str(Path.cwd()),
            paths=tuple(dict.fromkeys(path for task in tasks for word in task[1:] for path in _paths(word))),
        )

    @classmethod
    def open(cls, folder: Path) -> Submission:
        """A stored submission."""
        path = folder / RECORD
        try:
            record = read_json(path)
            chunks = tuple(Chunk(str(row["id"]), int(row["first"]), int(row["elements"])) for row in record["chunks"])
            lines = (folder / TASKS).read_text("utf-8").split("\n")
            tasks = tuple(tuple(shlex.split(line)) for line in lines[:-1])
            if lines[-1] or any(chunk.numbers.stop > -(-len(tasks) // int(record["pack"])) for chunk in chunks):
                raise ValueError(f"{TASKS} was cut off")
            return cls(
                folder=folder.resolve(),
                tasks=tasks,
                cluster=dict(record["cluster"]),
                pack=int(record["pack"]),
                directory=str(record["directory"]),
                python=str(record["python"]),
                paths=tuple(map(str, record["paths"])),
                chunks=chunks,
                closing_words=tuple(map(str, record["closing"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); submit the command again") from error

    @property
    def target(self) -> Path:
        """The folder that the tasks work on."""
        return next(path.parent for path in self.folder.parents if path.name == BATCH)

    @property
    def stamp(self) -> tuple[str, str]:
        """A sort key: submissions by their age."""
        if self.is_closing:
            return self.folder.parent.name, CLOSING
        return self.folder.name, ""

    @property
    def is_closing(self) -> bool:
        """Whether it writes the table and page of another submission."""
        return self.folder.name == CLOSING

    @property
    def elements(self) -> int:
        """How many elements there are."""
        return -(-len(self.tasks) // self.pack)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the arrays."""
        return tuple(chunk.id for chunk in self.chunks)

    @property
    def table(self) -> str:
        """The tasks, a line each."""
        return "".join(shlex.join(task) + "\n" for task in self.tasks)

    def has_sent(self, task: int) -> bool:
        """Whether the batch system accepted the element of a task; false for all if the test job failed."""
        return any(task // self.pack in chunk.numbers for chunk in self.chunks)

    def element(self, task: int) -> tuple[str, int]:
        """The id of the array that holds a task, and the index of its element in it."""
        number = task // self.pack
        for chunk in self.chunks:
            if number in chunk.numbers:
                return chunk.id, number - chunk.first
        raise IndexError(f"task {task} was not submitted")

    def log(self, task: int) -> Path:
        """The log of the element of a task."""
        array, index = self.element(task)
        return self.folder / f"{array}_{index}.log"

    def write(self, files: dict[str, str]) -> None:
        """Write the table of tasks and the files of the batch system."""
        self.folder.mkdir(parents=True)
        for name, text in {TASKS: self.table, **files}.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            write_bytes(self.folder / name, text.encode(errors="surrogateescape"))  # the bytes of each path
        (self.folder / SCRIPT).chmod(0o755)
        self.record()

    def record(self) -> None:
        """Write what was submitted."""
        contents = {
            "schema": SCHEMA,
            "cluster": self.cluster,
            "pack": self.pack,
            "directory": self.directory,
            "python": self.python,
            "paths": list(self.paths),
            "chunks": [chunk._asdict() for chunk in self.chunks],
            "closing": list(self.closing_words),
        }
        write_json(self.folder / RECORD, contents)

    def with_chunk(self, chunk: Chunk) -> Submission:
        """The same with another accepted array, recorded at once."""
        submission = replace(self, chunks=(*self.chunks, chunk))
        submission.record()
        return submission


def _paths(word: str) -> list[str]:
    """The existing files that a word of a command names, as PATH, KEY=PATH or KEY=[PATH,PATH]."""
    key, is_setting, value = word.partition("=")
    if key in ("folder", "out"):
        return []
    names = [setting_text(value), *value.strip("[]").split(",")] if is_setting else [word]
    # model=mlp is a choice, not the folder mlp.
    can_be_folder = not is_setting or key in ("run", "again", "resume", "--config-dir")
    return [
        str(Path(name).resolve())
        for name in names
        if len(name) < 4096 and Path(name).exists() and (can_be_folder or "/" in name or Path(name).is_file())
    ]

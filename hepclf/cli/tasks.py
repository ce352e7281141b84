"""The tasks of a command that is submitted: its command lines, each with the folder that it works on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hepclf.cli.config import Composed, launch
from hepclf.cli.plan import plan
from hepclf.recipe import RecipeError


class Tasks(NamedTuple):
    """Command lines, and the folder of the run, sweep or study that they work on together.

    closing  the command that makes the table and the page of all, when they have ended; empty for none
    """

    target: Path
    lines: tuple[tuple[str, ...], ...]
    closing: tuple[str, ...] = ()


def tasks_of(command: str, words: list[str], copies: int, *, dry: bool) -> Tasks:  # noqa: ARG001
    """The tasks of a command; what can be known to be wrong is refused now, and not in the queue."""
    if command == "train":
        return _training(words)
    return Tasks(Path("jobs"), ((command, *words),))


def _training(words: list[str]) -> Tasks:
    """One training, in a folder that is chosen now, so that it is continued wherever it is started again."""
    folders: list[Path] = []

    def read(composed: Composed) -> None:
        folders.append(plan(composed).folder)

    launch("train", words, read)
    if any(word.startswith("resume=") and word != "resume=auto" for word in words):
        return Tasks(folders[0], (("train", *words),))
    if any(word.startswith("again=") for word in words):
        raise RecipeError("again=RUN cannot be submitted")
    rest = [word for word in words if word.partition("=")[0] not in ("folder", "resume")]
    return Tasks(folders[0], (("train", *rest, f"folder={folders[0].resolve()}", "resume=auto"),))

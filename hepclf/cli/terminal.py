"""What a person sees: progress on standard error, results on standard output, both within 80 columns."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:  # it imports torch, which takes a second
    from hepclf.training.epoch import Epoch

WIDTH = 80
MB = 1_000_000
EVERY = 10.0  # seconds between lines in a batch log


def output() -> Console:
    """Where results go; 80 columns where nobody says how wide the terminal is."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def listen() -> None:
    """Show the library's warnings on standard error."""
    handler = RichHandler(
        console=Console(stderr=True), show_time=False, show_path=False, markup=False, rich_tracebacks=False
    )
    logger = logging.getLogger("hepclf")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False


class Watch:
    """Progress of a training: a bar on a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began = self._spoke = time.monotonic()
        self._moving: tuple[str, int] | None = None

    def stage(self, what: str) -> None:
        """A new stage begins; the bar of the last one ends."""
        self.close()
        self._began = self._spoke = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(what, highlight=False)

    def read(self, done: int, of: int) -> None:
        """So many of the entries of the data are read."""
        rate = done / max(time.monotonic() - self._began, 1e-9)
        self._show("loading", done, of, f"{rate:,.0f} entries/s")

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is done."""
        losses = f"loss {epoch.train_loss:.4f}, validation {epoch.valid_loss:.4f}"
        self._show("training", epoch.epoch, of, losses)

    def transfer(self, what: str, done: int, of: int | None) -> None:
        """So many bytes of a file are through; the rate is of those of this stage."""
        if self._moving is None or self._moving[0] != what or done < self._moving[1]:
            self.stage(what)
            self._moving = what, done
        rate = (done - self._moving[1]) / max(time.monotonic() - self._began, 1e-9)
        self._show(f"{what}, MB", done // MB, None if of is None else of // MB, f"{rate / MB:,.1f} MB/s")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._task = None, None

    def _show(self, what: str, done: int, of: int | None, note: str) -> None:
        if not self._console.is_terminal:
            if time.monotonic() - self._spoke > EVERY:
                total = "?" if of is None else f"{of:,}"
                self._console.print(f"{what} {done:,}/{total}: {note}", highlight=False)
                self._spoke = time.monotonic()
            return
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[note]}"), console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(what, total=of, note=note)
        self._bar.update(self._task or TaskID(0), completed=done, total=of, note=note)


def section(console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a title and a plain table below it: the first column names, the others are numbers."""
    console.print(title, style="bold", markup=False)
    made = Table(box=None, pad_edge=False, header_style="")
    made.add_column(escape(header[0]), overflow="fold")
    for name in header[1:]:
        made.add_column(escape(name), justify="right", overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    console.print(made)
    console.print()


def place(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

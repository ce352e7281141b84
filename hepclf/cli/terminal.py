"""Output for people: progress on standard error, results on standard output, both within 80 columns."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Column

from hepclf.cli.layout import table_lines
from hepclf.cli.pace import Pace
from hepclf.cli.streams import visible

if TYPE_CHECKING:
    from hepclf.training.epoch import Epoch

WIDTH = 80
MB = 1_000_000
EVERY = 60.0  # seconds between lines in a batch log


def results_console() -> Console:
    """The console for results, on standard output; if it is no terminal, as wide as COLUMNS says, or else 80."""
    is_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return PlainConsole(width=None if is_known else WIDTH, highlight=False)


class PlainConsole(Console):
    """A console that shows no control characters, which names in files and answers of servers may hold."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed; those that control the terminal are rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def show_warning_logs(*, once: bool = False) -> None:
    """Show the library's warnings and its notes on a training on standard error, with `once` each text only once."""
    console = PlainConsole(stderr=True)
    handler: logging.Handler = LogHandler(console)
    if console.is_terminal:
        handler = RichHandler(console=console, show_time=False, show_path=False, markup=False, rich_tracebacks=False)
    if once:
        handler.addFilter(Once())
    logger = logging.getLogger("hepclf")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logging.getLogger("hepclf.notes").setLevel(logging.INFO)


class Once(logging.Filter):
    """Lets each warning pass once; every trial of a search, and every job of a sweep, would repeat it."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this message is new."""
        message = record.getMessage()
        is_new = message not in self._messages
        self._messages.add(message)
        return is_new


class LogHandler(logging.Handler):
    """Writes a warning as one line, not wrapped or padded, which suits a file."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        line = f"{record.levelname:8} {self.format(record)}"
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


class Watch:
    """Progress of a training: a bar on a terminal, a line per minute in a log.

    With `tells_once` a log names each stage only the first time, as a search repeats them in every trial. Without
    `names_stages` it names none.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, tells_once: bool = False, names_stages: bool = True
    ) -> None:
        self._tells_once, self._names_stages = tells_once, names_stages
        self._known_stages: set[str] = set()
        self._clock = clock
        self._console = PlainConsole(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began = self._spoke = clock()
        self._pace = Pace()
        self._transfer: tuple[str, int] | None = None

    def stage(self, name: str) -> None:
        """Begin a new stage; the bar of the last one ends."""
        self.close()
        self._began = self._spoke = self._clock()
        self._pace = Pace()
        if self._names_stages and not self._console.is_terminal and name not in self._known_stages:
            self._console.print(name, highlight=False)
        if self._tells_once:
            self._known_stages.add(name)

    def read(self, done: int, total: int) -> None:
        """Show how many entries of the data are read."""
        rate = done / max(self._clock() - self._began, 1e-9)
        self._show("loading", done, total, f"{rate:,.0f} entries/s")

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """Show that an epoch over so many training events is done; None: before the training was resumed."""
        self._show("epoch", epoch.epoch, total, self._pace.note(epoch, total, events))

    def transfer(self, name: str, done: int, total: int | None) -> None:
        """Show how many bytes of a file are transferred, and the rate in this stage."""
        if self._transfer is None or self._transfer[0] != name or done < self._transfer[1]:
            self.stage(name)
            self._transfer = name, done
        rate = (done - self._transfer[1]) / max(self._clock() - self._began, 1e-9)
        size = None if total is None else total // MB
        self._show(f"{name}, MB", done // MB, size, f"{rate / MB:,.1f} MB/s")

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._task = None, None

    def _show(self, name: str, done: int, total: int | None, note: str) -> None:
        if not self._console.is_terminal:
            if self._clock() - self._spoke >= EVERY:
                total_text = "?" if total is None else f"{total:,}"
                self._console.print(f"{name} {done:,}/{total_text}: {note}", highlight=False)
                self._spoke = self._clock()
            return
        if self._bar is None:
            columns = _epoch_columns() if name == "epoch" else _columns()
            self._bar = Progress(*columns, console=self._console, transient=True, expand=name == "epoch")
            self._bar.start()
            self._task = self._bar.add_task(name, total=total, note=note)
        self._bar.update(self._task or TaskID(0), completed=done, total=total, note=note)


def _columns() -> tuple[ProgressColumn, ...]:
    name, note = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
    return name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), note


def _epoch_columns() -> tuple[ProgressColumn, ...]:
    """The bar of a training takes the room that its note leaves, at least four columns, so that it fits in 80."""
    bar = BarColumn(None, table_column=Column(ratio=1, min_width=4))
    return bar, MofNCompleteColumn(), TextColumn("{task.fields[note]}")


def section(console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a title and a plain table below it, within the width of the console."""
    console.print(title, style="bold", markup=False)
    lines = table_lines(header, list(rows), console.width)
    console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
    console.print()


def short_path(path: Path) -> str:
    """A path, relative to the working directory if it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

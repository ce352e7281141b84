"""Tables with long names, in 80 columns."""

from __future__ import annotations

import textwrap

from rich.console import Console

from hepclf.cli.terminal import WIDTH, section
from hepclf.words import Grid, shortened

MIN_WIDTH = 8  # of a column


def show_grid(console: Console, grid: Grid) -> None:
    """A table in 80 columns: headers and names are wrapped between words, and long words shortened; numbers are not."""
    columns = list(zip(*grid.rows, strict=True))
    longest = max(map(len, columns[0]))
    for width in range(WIDTH, MIN_WIDTH - 1, -1):
        header = [
            _wrapped(name, max(*map(len, column), *map(len, name.split()), width))
            for name, column in zip(grid.header[1:], columns[1:], strict=True)
        ]
        widths = [
            max(map(len, [*name.splitlines(), *column])) + 2 for name, column in zip(header, columns[1:], strict=True)
        ]
        room = WIDTH - sum(widths)
        if room >= longest:
            break
    names = [_wrapped(name, max(room, MIN_WIDTH)) for name in columns[0]]
    rows = [(name, *row[1:]) for name, row in zip(names, grid.rows, strict=True)]
    section(console, grid.title, [grid.header[0], *header], rows)


def _wrapped(text: str, width: int) -> str:
    words = " ".join(shortened(word, width) for word in text.split())
    return "\n".join(textwrap.wrap(words, width, break_on_hyphens=False))

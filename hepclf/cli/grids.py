"""Tables with long names, in the width of the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.words import Grid, shortened

MIN_WIDTH = 8  # of a column


def show_grids(console: Console, grids: Sequence[Grid]) -> None:
    """Tables as wide as the console: headers and names are wrapped and long words shortened; numbers are not.

    A long name is shortened in the same way in all tables, to fit the one with the least room for it.
    """
    layouts = [_layout(grid, console.width) for grid in grids]
    longest = min((room for _, room in layouts), default=MIN_WIDTH)
    for grid, (header, room) in zip(grids, layouts, strict=True):
        rows = [(_wrapped(_shortened(row[0], longest), room), *row[1:]) for row in grid.rows]
        section(console, grid.title, [grid.header[0], *header], rows)


def _layout(grid: Grid, total: int) -> tuple[list[str], int]:
    """The header of the numbers, wrapped if the names need the room, and the room for the names."""
    columns = list(zip(*grid.rows, strict=True))
    longest = max(map(len, columns[0]))
    for width in range(total, MIN_WIDTH - 1, -1):
        header = [
            _wrapped(name, max(*map(len, column), *map(len, name.split()), width))
            for name, column in zip(grid.header[1:], columns[1:], strict=True)
        ]
        widths = [
            max(map(len, [*name.splitlines(), *column])) + 2 for name, column in zip(header, columns[1:], strict=True)
        ]
        room = total - sum(widths)
        if room >= longest:
            break
    return header, max(room, MIN_WIDTH)


def _shortened(text: str, width: int) -> str:
    return " ".join(shortened(word, width) for word in text.split())


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False))

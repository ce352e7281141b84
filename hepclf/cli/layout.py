"""Tables as lines of text: numbers are aligned at the decimal point, and names are never broken."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

GAP = 2  # blanks between columns
NARROWEST = 8  # room for names, and width to which a header is wrapped
NUMBER = re.compile(r"([-+<>≥≤( ]*\d[\d,]*)((?:\.\d+)?(?:e[-+]?\d+)?)(.*)")
APART = (" ±", " (")  # what stands in a column of its own, behind the decimals: errors and confidence levels


class Column(NamedTuple):
    """The lines of a header and the cells below it."""

    head: list[str]
    cells: list[str]

    @property
    def width(self) -> int:
        """The width including the blanks before it."""
        return max(map(len, [*self.head, *self.cells])) + GAP


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The lines of a table; a name without room has a line of its own, above its numbers.

    Columns that do not fit side by side are printed one below the other.
    """
    names = [header[0], *(row[0] for row in rows)]
    lines = [line for name in names for line in name.splitlines()]
    columns = _columns(header, rows, max(map(len, lines), default=0), width)
    count = _fitting(columns, width)
    if count < len(columns):
        parts = [[[row[0], *row[part]] for row in (header, *rows)] for part in _halves(count)]
        return [line for head, *body in parts for line in table_lines(head, body, width)]
    room = width - sum(column.width for column in columns)
    name_width = max((len(line) for line in lines if len(line) <= room), default=0)
    return [line.rstrip() for line in (*_head(header[0], columns, name_width), *_body(rows, columns, name_width))]


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]], longest: int, width: int) -> list[Column]:
    """The columns, with headers wide enough to leave room for the longest name, otherwise as narrow as possible."""
    texts = [[row[i] for row in rows] for i in range(1, len(header))]
    columns: list[Column] = []
    for cells in (list(map(aligned, texts)), texts):
        for limit in range(width, NARROWEST - 1, -1):
            columns = [
                Column(_wrapped(head, column, limit), column) for head, column in zip(header[1:], cells, strict=True)
            ]
            if sum(column.width for column in columns) + longest <= width:
                return columns
    return columns


def aligned(cells: Sequence[str]) -> list[str]:
    """Cells of one width with numbers aligned at the decimal point; other cells are aligned to the right."""
    parts = [NUMBER.fullmatch(cell) for cell in cells]
    whole = max((len(part[1]) for part in parts if part), default=0)
    # Errors follow the decimals of their own numbers; a bare number with more of them does not push them away.
    decimals = max((len(part[2]) for part in parts if part and part[3].startswith(APART)), default=0)
    texts = []
    for cell, part in zip(cells, parts, strict=True):
        if part is None:
            texts.append(cell)
        else:
            # A unit such as s or % follows its number.
            room = decimals * part[3].startswith(APART)
            texts.append(f"{part[1]:>{whole}}{part[2]:<{room}}{part[3]}")
    width = max(map(len, texts), default=0)
    return [text.ljust(width) if part else text.rjust(width) for text, part in zip(texts, parts, strict=True)]


def _wrapped(head: str, cells: Sequence[str], limit: int) -> list[str]:
    """The header in lines between words, not narrower than its cells and its longest word."""
    words = [word for line in head.splitlines() for word in line.split()]
    width = max([limit, *map(len, cells), *map(len, words)])
    return [part for line in head.splitlines() for part in textwrap.wrap(line, width, break_on_hyphens=False)] or [""]


def _fitting(columns: Sequence[Column], width: int) -> int:
    """The number of columns that fit side by side, at least one."""
    room = width - NARROWEST
    for count, column in enumerate(columns):
        room -= column.width
        if room < 0 and count:
            return count
    return len(columns)


def _halves(count: int) -> tuple[slice, slice]:
    return slice(1, count + 1), slice(count + 1, None)


def _head(name: str, columns: Sequence[Column], name_width: int) -> Iterator[str]:
    """The header; shorter headers are aligned at the bottom."""
    names = textwrap.wrap(name, max(name_width, 1))
    height = max(map(len, [names, *(column.head for column in columns)]), default=0)
    heads = [_at_bottom(column.head, height) for column in columns]
    for i, first in enumerate(_at_bottom(names, height)):
        cells = (f"{head[i]:>{column.width}}" for head, column in zip(heads, columns, strict=True))
        yield first.ljust(name_width) + "".join(cells)


def _at_bottom(lines: Sequence[str], height: int) -> list[str]:
    return [""] * (height - len(lines)) + [*lines]


def _body(rows: Sequence[Sequence[str]], columns: Sequence[Column], name_width: int) -> Iterator[str]:
    for i, row in enumerate(rows):
        numbers = "".join(f"{column.cells[i]:>{column.width}}" for column in columns)
        first, *following = row[0].splitlines() or [""]
        if not numbers.strip():
            yield first
        elif len(first) > name_width:
            yield first
            yield " " * name_width + numbers
        else:
            yield first.ljust(name_width) + numbers
        yield from following

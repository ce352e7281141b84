"""Tables whose numbers are split at the decimal point, to align the decimal points of a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hepclf.words import Grid

NUMBER = re.compile(r"([<>≥≤~±] ?)?[-−+]?\d[\d,]*(?=$|[. %(×/]|e)")
SIGNS = {
    " ": 0.52,
    ".": 0.52,
    ",": 0.52,
    "±": 1.3,
    "(": 0.65,
    ")": 0.65,
    "%": 1.5,
    "-": 0.65,
}


class Cell(NamedTuple):
    """A word, or a number in two parts; their widths are in units of the width of a digit."""

    left: str
    right: str = ""
    left_width: float = 0.0
    right_width: float = 0.0


class AlignedTable(NamedTuple):
    """A table whose columns of numbers are aligned; `numeric` says which those are."""

    title: str
    header: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[Cell]]


def aligned_table(grid: Grid) -> AlignedTable:
    """The first column holds names and is not aligned; `-`, no value, stands where the digits do."""
    columns = [_column([str(row[i]) for row in grid.rows], names=i == 0) for i in range(len(grid.header))]
    numeric = [any(cell.left_width for cell in column) for column in columns]
    return AlignedTable(grid.title, grid.header, numeric, list(zip(*columns, strict=True)))


def _column(words: list[str], *, names: bool) -> list[Cell]:
    filled = [word for word in words if word not in ("", "-")]
    if names or not filled or not all(NUMBER.match(word) for word in filled):
        return [Cell(word) for word in words]
    parts = [_parted(word) for word in words]
    left_width, right_width = (max(_width(part[i]) for part in parts) for i in (0, 1))
    return [Cell(*part, left_width, right_width) for part in parts]


def _width(text: str) -> float:
    """The width of a text in units of a digit; that of other signs is an upper estimate."""
    return sum(map(_sign_width, text))


def _sign_width(sign: str) -> float:
    if sign.isdigit():
        return 1.0
    return SIGNS.get(sign, 1.1)


def _parted(word: str) -> tuple[str, str]:
    number = NUMBER.match(word)
    if word == "-":
        return "–", ""
    if number is None:
        return word, ""
    return word[: number.end()], word[number.end() :]

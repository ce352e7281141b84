"""A C++17 header that is written line by line."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

ACROSS = 8  # numbers in a line of a table
_TYPES = {"float32": ("float", "f"), "float64": ("double", ""), "int32": ("int", "")}


class Source:
    """Tables and the lines of the function that uses them, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.tables: list[str] = []
        self.lines: list[str] = []
        self._numbers = count()

    def table(self, values: NDArray[Any]) -> str:
        """The name of a table of float32, float64 or int32 numbers, each written so that it reads back the same."""
        kind, mark = _TYPES[str(values.dtype)]
        name = self._name("t")
        words = [f"{word}{mark}" for word in np.char.mod("%s", values.ravel().astype(str)).tolist()]
        self.rows(f"{kind} {name}[]", [", ".join(words[i : i + ACROSS]) for i in range(0, len(words), ACROSS)])
        return name

    def rows(self, declared: str, rows: list[str]) -> None:
        """A table of these rows."""
        self.tables.append(f"inline constexpr {declared} = {{\n" + "".join(f"  {row},\n" for row in rows) + "};")

    def array(self, size: int) -> str:
        """The name of an array of so many floats in the function."""
        name = self._name("h")
        self.add(f"float {name}[{size}];")
        return name

    def add(self, *lines: str) -> None:
        """Lines of the function."""
        self.lines += lines

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"


def single(value: float) -> str:
    """A float32 number."""
    return f"{np.float32(value)!s}f"


def text(words: str) -> str:
    """A string; JSON's escapes are C++'s, so that no name can end it and be read as code."""
    return json.dumps(words, ensure_ascii=False)

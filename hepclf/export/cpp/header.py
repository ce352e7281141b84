"""A C++17 header that is written line by line."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

ACROSS = 8  # numbers in a line of a table
_TYPES = {"float32": ("float", "f"), "float64": ("double", ""), "int32": ("int", "")}


class Header:
    """Tables, and the lines of the function that uses them, in the order in which they are added.

    shared  code that all taggers of one file use, each piece once
    """

    def __init__(self, shared: list[str] | None = None) -> None:
        self.shared: list[str] = [] if shared is None else shared
        self.tables: list[str] = []
        self.lines: list[str] = []
        self._numbers = count()

    def share(self, code: str) -> None:
        """Add code that other taggers of the file may use too."""
        if code not in self.shared:
            self.shared.append(code)

    def table(self, values: NDArray[Any]) -> str:
        """The name of a table of float32, float64 or int32 numbers; each number reads back unchanged."""
        kind, suffix = _TYPES[str(values.dtype)]
        name = self._name("t")
        literals = [f"{number}{suffix}" for number in np.char.mod("%s", values.ravel().astype(str)).tolist()]
        self.rows(f"{kind} {name}[]", [", ".join(literals[i : i + ACROSS]) for i in range(0, len(literals), ACROSS)])
        return name

    def rows(self, declaration: str, rows: list[str]) -> None:
        """Add a table of these rows."""
        self.tables.append(f"inline constexpr {declaration} = {{\n" + "".join(f"  {row},\n" for row in rows) + "};")

    def array(self, size: int) -> str:
        """The name of an array of so many floats in the function."""
        name = self._name("h")
        self.add(f"float {name}[{size}];")
        return name

    def add(self, *lines: str) -> None:
        """Add lines to the function."""
        self.lines += lines

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"


def float_literal(value: float) -> str:
    """A float32 number as C++ source."""
    return f"{np.float32(value)!s}f"


def string_literal(string: str) -> str:
    """A string as C++ source. JSON's escapes are those of C++, so no name can end the string and be read as code."""
    return json.dumps(string, ensure_ascii=False)

"""Label values: the class and the process that a value in a label column stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.cell import parse_number

Label = str | float | int


@dataclass(frozen=True)
class Labels:
    """The label values of each class, background first; several values of one class are its processes.

    Two numbers are compared as numbers, otherwise both as text.
    """

    classes: Mapping[str, Label | tuple[Label, ...]]

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise ValueError(f"classes must be at least 2, not {dict(self.classes)}")
        alike = any(self.index(str(value)) != place for place, value in enumerate(self.values))
        if alike or not all(self._lists):
            raise ValueError(f"classes must have different label values, not {dict(self.classes)}")

    @cached_property
    def values(self) -> list[Label]:
        """All label values, class after class: the processes."""
        return list(chain.from_iterable(self._lists))

    @property
    def process_names(self) -> tuple[str, ...]:
        """Names of the processes: the class names if each class has one label value, otherwise the values."""
        if len(self.values) == len(self.classes):
            return tuple(self.classes)
        return tuple(map(str, self.values))

    @property
    def _lists(self) -> list[tuple[Label, ...]]:
        return [tuple(value) if isinstance(value, (tuple, list)) else (value,) for value in self.classes.values()]

    @property
    def dtype(self) -> Any:
        """The dtype in which pandas should read a label column."""
        numbers = all(not math.isnan(parse_number(str(value))) for value in self.values)
        return np.float64 if numbers else "category"

    def index(self, text: str) -> int:
        """The process of this label text, -1 for none."""
        for index, value in enumerate(self.values):
            if text.strip() == str(value).strip() or parse_number(text) == parse_number(str(value)):
                return index
        return -1

    def processes(self, column: Any) -> NDArray[np.int64]:
        """The process of each entry, -1 for none; the column has `dtype`, as pandas reads it."""
        if column.dtype == np.float64:
            processes = np.full(len(column), -1, dtype=np.int64)
            for index, value in enumerate(self.values):
                processes[np.asarray(column) == parse_number(str(value))] = index
            return processes
        indices = np.array([self.index(str(text)) for text in column.cat.categories], dtype=np.int64)
        return np.asarray(indices[column.cat.codes.to_numpy()])

    def class_indices(self, processes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each process."""
        owners = np.repeat(np.arange(len(self.classes)), [len(values) for values in self._lists])
        return np.asarray(owners[processes])

    def problem(self, text: str) -> str:
        """What is wrong with this label; empty for one of `classes`."""
        if self.index(text) >= 0:
            return ""
        classes = ", ".join(f"{name}: {value}" for name, value in self.classes.items())
        return f"label {text!r} belongs to no class of {{{classes}}}; name its class in data.classes"

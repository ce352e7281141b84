"""The picture of a sweep over one or two numbers."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from hepclf.statistics.value import Value
from hepclf.workflow.sweep_row import REPEATS, Row, short_keys

LEAST = 3  # different values of a number that make a curve
Key = TypeVar("Key")


def draw_scan(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Draw the losses along the number that varies, or the accuracy over two; nothing for any other sweep.

    Jobs that differ in seed or fold alone are averaged.
    """
    finished = [row for row in rows if row.is_finished]
    keys = [key for key in short_keys(finished[0].varied if finished else {}) if key not in REPEATS]
    values = {key: _numbers(key, finished) for key in keys}
    if len(keys) == 1 and len(set(values[keys[0]])) >= LEAST:
        return _curve(keys[0], values[keys[0]], finished, folder)
    if len(keys) == 2 and all(len(set(numbers)) > 1 for numbers in values.values()):
        return _plane(keys, list(zip(*values.values(), strict=True)), finished, folder)
    return []


def _curve(key: str, values: Sequence[float], rows: Sequence[Row], folder: Path) -> list[Path]:
    from hepclf.presentation.plots.scan import Measured, draw_curve

    losses = {"training": lambda row: row.fitted, "validation": lambda row: row.loss}
    curves = {
        name: {value: Measured(*_mean(group)) for value, group in _grouped(values, rows, loss).items()}
        for name, loss in losses.items()
    }
    return draw_curve(folder, key, curves)


def _plane(keys: Sequence[str], values: list[tuple[float, ...]], rows: Sequence[Row], folder: Path) -> list[Path]:
    from hepclf.presentation.plots.scan import draw_plane

    groups = _grouped(values, rows, lambda row: row.accuracy)
    return draw_plane(folder, keys, {(pair[0], pair[1]): _mean(group)[0] for pair, group in groups.items()})


def _numbers(key: str, rows: Iterable[Row]) -> list[float]:
    """The values of a setting; empty if one of them is no number."""
    try:
        return [float(short_keys(row.varied)[key]) for row in rows]
    except ValueError:
        return []


def _grouped(keys: Sequence[Key], rows: Sequence[Row], measure: Callable[[Row], Value]) -> dict[Key, list[Value]]:
    groups: dict[Key, list[Value]] = defaultdict(list)
    for key, row in zip(keys, rows, strict=True):
        if (value := measure(row)).value is not None:
            groups[key].append(value)
    return groups


def _mean(values: Sequence[Value]) -> tuple[float, float]:
    """Mean and standard deviation; of a single value its own error."""
    numbers = [value.value for value in values if value.value is not None]
    if len(numbers) == 1:
        return numbers[0], values[0].error or 0.0
    return statistics.mean(numbers), statistics.stdev(numbers)

"""Jagged: one list of values per event, as a flat array and the positions where the lists begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Jagged:
    """The list of event i is content[offsets[i]:offsets[i + 1]]; content has no other elements."""

    offsets: NDArray[np.int64]
    content: NDArray[Any]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Length of each event's list."""
        return np.diff(self.offsets)


# A value of an expression: a number (a numpy scalar), one value per event [events], or a list of values per event.
Value = Any


def elements(value: Value) -> Any:
    """All elements of a value as one array; a number, or one value per event, stays as it is."""
    return value.content if isinstance(value, Jagged) else value


def is_condition(value: Value) -> bool:
    """Whether it consists of booleans."""
    return bool(elements(value).dtype == np.bool_)


def lift(function: Callable[..., Any], *values: Value) -> Value:
    """Apply a function of arrays element by element; a value per event is repeated for each element of its list."""
    offsets = _shared(values)
    if offsets is None:
        return function(*values)
    counts: NDArray[np.int64] | None = None
    contents = []
    for value in values:
        if isinstance(value, Jagged):
            contents.append(value.content)
        elif np.ndim(value) == 0:
            contents.append(value)
        else:
            # Counted once, at the first value that needs it.
            if counts is None:
                counts = np.diff(offsets)
            contents.append(np.repeat(value, counts))
    return Jagged(offsets, function(*contents))


def _shared(values: tuple[Value, ...]) -> NDArray[np.int64] | None:
    """The offsets that all lists share; None if no value is a list."""
    offsets: NDArray[np.int64] | None = None
    for value in values:
        if not isinstance(value, Jagged) or value.offsets is offsets:
            continue
        if offsets is None:
            offsets = value.offsets
        elif not np.array_equal(offsets, value.offsets):
            first_counts, second_counts = np.diff(offsets), value.counts
            event = int(np.argmax(first_counts != second_counts))
            raise ValueError(
                f"lists of different lengths meet, {first_counts[event]} and {second_counts[event]} in one event; "
                "reduce them or take one element of each, as in x[0]"
            )
    return offsets


def select(values: Value, condition: Value) -> Jagged:
    """The elements for which the condition holds, event by event."""
    if not isinstance(values, Jagged):
        raise ValueError("[condition] selects from the list of an event, not from one value an event")
    passes = lift(lambda content, keep: np.broadcast_to(keep, content.shape), values, condition).content
    return Jagged(_running_count(passes)[values.offsets], values.content[passes])


def pick(values: Value, index: int, fill: Value) -> NDArray[np.float64]:
    """Element `index` of each list, counted from its end if negative; `fill` if the list is too short."""
    lists = _lists(values, f"[{index}]")
    if isinstance(fill, Jagged):
        raise ValueError("the fill must be one value an event, not a list")
    picked = np.empty(len(lists.offsets) - 1, dtype=np.float64)
    picked[:] = fill
    if index >= 0:
        least, origins = index + 1, lists.offsets[:-1]
    else:
        least, origins = -index, lists.offsets[1:]
    present = lists.counts >= least
    position = origins[present] + index
    picked[present] = lists.content[position]
    return picked


def element_count(values: Value) -> NDArray[np.int64]:
    """Length of each list."""
    lists = _lists(values, "count")
    if is_condition(lists):
        raise ValueError("count takes a list, not a condition; write sum(condition) or count(x[condition])")
    return lists.counts


def total(values: Value) -> NDArray[np.float64]:
    """Sum of each list, 0 for an empty one; for a condition, the number of elements that fulfil it."""
    lists = _lists(values, "sum")
    if is_condition(lists):
        return _true_counts(lists).astype(np.float64)
    return _reduce(np.add, lift(lambda content: content.astype(np.float64, copy=False), lists), 0.0)


def largest(values: Value) -> NDArray[np.float64]:
    """Largest element; NaN for an empty list and for one that contains NaN."""
    return _reduce(np.maximum, _lists(values, "max"), np.nan)


def smallest(values: Value) -> NDArray[np.float64]:
    """Smallest element; NaN for an empty list and for one that contains NaN."""
    return _reduce(np.minimum, _lists(values, "min"), np.nan)


def mean(values: Value) -> NDArray[np.float64]:
    """Mean of each list, NaN for an empty one."""
    means: NDArray[np.float64] = total(values) / _lists(values, "mean").counts
    return means


def holds_for_any(values: Value) -> NDArray[np.bool_]:
    """Whether the condition holds for at least one element; False for an empty list."""
    holds: NDArray[np.bool_] = _true_counts(_lists(values, "any")) > 0
    return holds


def holds_for_all(values: Value) -> NDArray[np.bool_]:
    """Whether the condition holds for each element; True for an empty list."""
    lists = _lists(values, "all")
    holds: NDArray[np.bool_] = _true_counts(lists) == lists.counts
    return holds


def descending(values: Value) -> Jagged:
    """Each list from its largest element to its smallest, NaN last."""
    lists = _lists(values, "sort")
    content = -lists.content.astype(np.float64)
    counts = lists.counts
    for length in np.unique(counts[counts > 1]).tolist():  # lists of one length are a matrix
        rows = lists.offsets[:-1][counts == length, None] + np.arange(length)
        content[rows] = np.sort(content[rows], axis=1)
    return Jagged(lists.offsets, -content)


def _lists(values: Value, name: str) -> Jagged:
    if not isinstance(values, Jagged):
        raise ValueError(f"{name} takes the list of an event, not one value an event")
    return values


def _reduce(ufunc: np.ufunc, lists: Jagged, empty: float) -> NDArray[np.float64]:
    filled = lists.counts > 0
    reduced = np.full(len(filled), empty)
    reduced[filled] = ufunc.reduceat(lists.content, lists.offsets[:-1][filled])
    return reduced


def _true_counts(lists: Jagged) -> NDArray[Any]:
    """The number of elements in each list that fulfil the condition."""
    return np.diff(_running_count(lists.content)[lists.offsets])


def _running_count(condition: NDArray[np.bool_]) -> NDArray[Any]:
    """The number of true elements before each element, and in total as the last entry."""
    # int32 halves the memory traffic and is wide enough for fewer than 2^31 elements.
    dtype = np.int32 if len(condition) < 2**31 else np.int64
    running = np.zeros(len(condition) + 1, dtype=dtype)
    np.cumsum(condition, out=running[1:], dtype=running.dtype)
    return running

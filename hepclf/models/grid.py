"""Possible cuts: quantiles of a feature, rounded so that they are short in a selection."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from hepclf.models.quantiles import quantiles

Array = NDArray[np.float64]
DIGITS = 3  # of the feature's spread


def grid(values: NDArray[np.float32], weights: Array, signal: NDArray[np.bool_], places: int) -> Array:
    """At most `places` ascending numbers between the values [n], at weighted quantiles of the signal.

    No number equals a value: a selection must keep the same events if a file stores more digits.
    """
    present = ~np.isnan(values)
    chosen = present & signal
    if not chosen.any():
        return np.empty(0)
    targets = quantiles(values[chosen], weights[chosen], np.linspace(0, 1, places))
    low, high = quantiles(values[present], weights[present], (0.16, 0.84))
    distinct = np.unique(values[present].astype(np.float64))
    digits = DIGITS
    if high > low:
        digits -= math.floor(math.log10(high - low))
    return np.unique([_short_cut(distinct, float(value), digits) for value in targets])


def _short_cut(distinct: Array, value: float, digits: int) -> float:
    """The value rounded; if a feature has that value, the shortest number between it and the next lower one."""
    rounded = round(value, digits)
    place = int(np.searchsorted(distinct, np.float64(np.float32(rounded))))
    if place == len(distinct) or distinct[place] != np.float32(rounded):
        return rounded
    below = distinct[place - 1] if place else distinct[0] - 1
    middle = (below + distinct[place]) / 2
    shortest = (float(f"{middle:.{count}g}") for count in range(1, 18))
    return next((number for number in shortest if below < np.float32(number) < distinct[place]), middle)


def cut_expression(name: str, low: float | None, high: float | None) -> str:
    """A cut in the language of selections (docs/expressions.md); a feature that is an expression is put in brackets."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", name)
    is_expression = re.search(r"[-+*/%<>=&|~()\[\],`]| and | or |not ", name)
    if not is_plain:
        name = f"({name})" if is_expression else f"`{name}`"
    if low is not None and high is not None:
        return f"{low!r} < {name} < {high!r}"
    return f"{name} > {low!r}" if high is None else f"{name} < {high!r}"

"""Places for a cut: quantiles of a feature, as numbers short enough to be written in a selection."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from hepclf.models.quantiles import quantiles

Array = NDArray[np.float64]
DIGITS = 3  # of the feature's spread


def grid(values: NDArray[np.float32], weights: Array, signal: NDArray[np.bool_], places: int) -> Array:
    """At most so many ascending numbers between the values [n], at weighted quantiles of those of the signal.

    None is a value itself: what is written in a selection must keep the same events where a file holds more digits.
    """
    known = ~np.isnan(values)
    chosen = known & signal
    if not chosen.any():
        return np.empty(0)
    aims = quantiles(values[chosen], weights[chosen], np.linspace(0, 1, places))
    low, high = quantiles(values[known], weights[known], (0.16, 0.84))
    distinct = np.unique(values[known].astype(np.float64))
    digits = DIGITS - math.floor(math.log10(high - low)) if high > low else DIGITS
    return np.unique([_between(distinct, float(value), digits) for value in aims])


def _between(known: Array, value: float, digits: int) -> float:
    """The value rounded, or the shortest number below that one, where it is known."""
    rounded = round(value, digits)
    place = int(np.searchsorted(known, np.float64(np.float32(rounded))))
    if place == len(known) or known[place] != np.float32(rounded):
        return rounded
    below = known[place - 1] if place else known[0] - 1
    middle = (below + known[place]) / 2
    shortest = (float(f"{middle:.{count}g}") for count in range(1, 18))
    return next((number for number in shortest if below < np.float32(number) < known[place]), middle)


def cut(name: str, low: float | None, high: float | None) -> str:
    """A cut in the language of selections (docs/expressions.md); a name that is an expression stands in brackets."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", name):
        name = f"({name})" if re.search(r"[-+*/%<>=&|~()\[\],`]| and | or |not ", name) else f"`{name}`"
    if low is not None and high is not None:
        return f"{low!r} < {name} < {high!r}"
    return f"{name} > {low!r}" if high is None else f"{name} < {high!r}"

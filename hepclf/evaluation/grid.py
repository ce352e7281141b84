"""Tables of words, for a terminal or a page, and how a number is written in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

ROUNDING = 1e-12  # of a value: an error that is no more is none
PLAIN = (1e-6, 1e5)  # errors that are written without a power of ten


class Grid(NamedTuple):
    """A title, a header and rows of text; the first column names, the others are numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def number(value: float | None, error: float | None = None, digits: int = 4) -> str:
    """`0.9812 ± 0.0010`, or `(3.6 ± 1.0)e+08`: the error in two digits; `-` where there is no value."""
    if value is None:
        return "-"
    if error is None or error <= ROUNDING * abs(value):
        return f"{value:.{digits}g}" if abs(value) >= 1e4 or 0 < abs(value) < 1e-3 else f"{value:.{digits}f}"
    power = 0 if PLAIN[0] <= error < PLAIN[1] else math.floor(math.log10(max(abs(value), error)))
    both = f"{alone(value / 10**power, error / 10**power)} ± {alone(error / 10**power, error / 10**power)}"
    return f"({both})e{power:+03d}" if power else both


def alone(value: float, error: float) -> str:
    """A value with as many decimals as an error has two digits."""
    decimals = max(0, 2 - len(str(int(error)))) if error >= 1 else _decimals(error)
    return f"{value:.{decimals}f}"


def percent(share: float | None, digits: int | None = 1) -> str:
    """`47.5 %`, with as many decimals as a setting has for digits=None; `-` where there is no finite share."""
    if share is None or not math.isfinite(share):
        return "-"
    return f"{100 * share:g} %" if digits is None else f"{100 * share:.{digits}f} %"


def shortened(text: str, width: int) -> str:
    """Text of at most this many letters: what is longer has `…` for its middle, as ends tell names apart."""
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[len(text) - end :]}"


def size(count: float) -> str:
    """Bytes in the unit that takes three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _decimals(error: float) -> int:
    """Decimals that show an error below one with two digits."""
    return next((count for count in range(1, 9) if error * 10**count >= 9.5), 9)

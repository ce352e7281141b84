"""Tables of words, for a terminal or a page, and how a number is written in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Grid(NamedTuple):
    """A title, a header and rows of text; the first column names, the others are numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def number(value: float | None, error: float | None = None, digits: int = 4) -> str:
    """`0.9812 ± 0.0010`: as many decimals as the error has two digits, or `-` where there is no value."""
    if value is None:
        return "-"
    if error is None or error <= 0:
        return f"{value:.{digits}g}" if abs(value) >= 1e4 or 0 < abs(value) < 1e-3 else f"{value:.{digits}f}"
    if error >= 1e5 or error < 1e-6:
        return f"{value:.3g} ± {error:.2g}"
    decimals = max(0, 2 - len(str(int(error)))) if error >= 1 else _decimals(error)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def percent(share: float | None, digits: int | None = 1) -> str:
    """`47.5 %`, with as many decimals as a setting has for digits=None; `-` where there is no finite share."""
    if share is None or not math.isfinite(share):
        return "-"
    return f"{100 * share:g} %" if digits is None else f"{100 * share:.{digits}f} %"


def _decimals(error: float) -> int:
    """Decimals that show an error below one with two digits."""
    return next(count for count in range(1, 9) if error * 10**count >= 9.5)

"""Words in a picture: names that cannot be mistaken for markup, and numbers with their errors."""

from __future__ import annotations

import textwrap

from hepclf.statistics.value import Value
from hepclf.words import number


def one_line(name: str, width: int = 30) -> str:
    """A name on one line of at most `width` letters."""
    printable = _printable(name)
    short = printable if len(printable) <= width else f"{printable[: width - 1]}…"
    return _escaped(short)


def wrapped(name: str, width: int = 12, lines: int = 3) -> str:
    """A name on at most `lines` lines of at most `width` letters."""
    parts = textwrap.wrap(_printable(name), width, break_on_hyphens=False, max_lines=lines, placeholder="…")
    return "\n".join(_escaped(part) for part in parts)


def with_error(value: Value) -> str:
    """A number and its error to two digits of the error."""
    if value.value is None:
        return "undefined"
    return number(*value) if value.error else f"{value.value:.4g}"


def weight_label(weight: float) -> str:
    """A sum of weights: whole if it counts events, four digits otherwise."""
    if abs(weight) >= 1e7:
        return f"{weight:.3g}"
    return f"{weight:,.0f}" if weight == round(weight) or abs(weight) >= 1000 else f"{weight:.4g}"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _escaped(text: str) -> str:
    """Text that matplotlib shows as it is: it reads `$` as mathematics, and drops a label that begins with `_`."""
    escaped = text.replace("$", r"\$")
    return f"\u200b{escaped}" if escaped.startswith("_") else escaped

"""Words in a picture: names that cannot be mistaken for markup, and numbers with their errors."""

from __future__ import annotations

import math
import textwrap

from hepclf.evaluation.value import Value


def plain(name: str, width: int = 30) -> str:
    """A name as it is, on one line of at most this width; matplotlib would read `$` as mathematics.

    matplotlib also drops legend entries that begin with an underscore; one behind a zero-width space stays.
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    short = printable if len(printable) <= width else f"{printable[: width - 1]}…"
    return _verbatim(short)


def wrapped(name: str, width: int = 12, lines: int = 3) -> str:
    """A name on a few short lines."""
    found = textwrap.wrap(plain(name, width * lines), width, break_on_hyphens=False, max_lines=lines, placeholder="…")
    return "\n".join(found)


def with_error(value: Value) -> str:
    """A number and its error to two digits of the error."""
    if value.value is None:
        return "undefined"
    if not value.error:
        return f"{value.value:.4g}"
    digits = max(1 - math.floor(math.log10(value.error)), 0)
    return f"{value.value:.{digits}f} ± {value.error:.{digits}f}"


def count(weight: float) -> str:
    """A sum of weights: whole if it counts events, four digits otherwise."""
    if abs(weight) >= 1e7:
        return f"{weight:.3g}"
    return f"{weight:,.0f}" if weight == round(weight) or abs(weight) >= 1000 else f"{weight:.4g}"


def _verbatim(text: str) -> str:
    escaped = text.replace("$", r"\$")
    return f"\u200b{escaped}" if escaped.startswith("_") else escaped

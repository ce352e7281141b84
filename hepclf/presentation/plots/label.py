"""Words in a picture: names that cannot be mistaken for markup, and numbers with their errors."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cache

from hepclf.statistics.value import Value
from hepclf.words import number, shortened

Titles = Mapping[str, tuple[str, str]]  # title and unit by the name of a feature


def one_line(name: str, width: int = 30) -> str:
    """A name on one line of at most `width` letters; a longer one loses its middle, as ends tell names apart."""
    return _escaped(shortened(_printable(name), width))


def feature_title(name: str, titles: Titles, width: int = 30) -> str:
    """The title of a feature, or its name on one line of at most `width` letters."""
    title, _ = titles.get(name, ("", ""))
    if title:
        return _formula(title)
    return one_line(name, width)


def axis_label(name: str, titles: Titles, width: int = 40) -> str:
    """The label of a feature's axis: its title and its unit."""
    _, unit = titles.get(name, ("", ""))
    label = feature_title(name, titles, width)
    if unit:
        label += f" [{_formula(unit)}]"
    return label


@cache
def _formula(text: str) -> str:
    """A text with formulas, or the text as it stands where matplotlib cannot read its formulas."""
    if "$" not in text:
        return text
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return _escaped(text)
    return text


def wrapped(name: str, width: int = 12, lines: int = 3) -> str:
    """A name on at most `lines` lines of at most `width` letters."""
    parts = textwrap.wrap(_printable(name), width, break_on_hyphens=False, max_lines=lines, placeholder="…")
    return "\n".join(_escaped(part) for part in parts)


def with_error(value: Value) -> str:
    """A number and its error to two digits of the error."""
    if value.value is None:
        return "undefined"
    if value.error:
        return number(*value)
    return f"{value.value:.4g}"


def weight_label(weight: float) -> str:
    """A sum of weights: whole if it counts events, four digits otherwise."""
    if abs(weight) >= 1e7:
        return f"{weight:.3g}"
    if weight == round(weight) or abs(weight) >= 1000:
        return f"{weight:,.0f}"
    return f"{weight:.4g}"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _escaped(text: str) -> str:
    """Text that matplotlib shows as it is: it reads `$` as mathematics, and drops a label that begins with `_`."""
    escaped = text.replace("$", r"\$")
    if escaped.startswith("_"):
        escaped = f"\u200b{escaped}"  # a space of no width
    return escaped

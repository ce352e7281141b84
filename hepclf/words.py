"""Tables of words, for a terminal or a page, and how numbers and settings are written."""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row")

ROUNDING = 1e-12  # of a value: an error that is no more is none
SMALL, LARGE = (1e-3, 1e-6), 1e5  # a value and its error below, or an error from: written with a power of ten
TINY = 1e-4  # values and errors that are both below have a power of ten
MOST_DECIMALS = 17
LONGEST_MESSAGE = 1000  # characters; a value from a file may have a million
BARE = re.compile(r"(?=.*/|[A-Za-z_])(?!(?i:null|true|false|nan|inf)$)[\w./-]+( [\w./-]+)*", re.ASCII)  # text to Hydra


def typed_setting(key: str, value: object) -> str:
    """KEY=VALUE as it is typed, so that the shell and then Hydra read this value."""
    return f"{key}={shlex.quote(_hydra_text(str(value)))}"


def setting_word(key: str, value: object) -> str:
    """KEY=VALUE as one word of a command, so that Hydra reads this value."""
    return f"{key}={_hydra_text(str(value))}"


def setting_text(value: str) -> str:
    """The text that Hydra reads in a value as `setting_word` writes it; any other value is left as it is."""
    match = re.fullmatch(r"'(.*)'", value, re.DOTALL)
    if match is None:
        return value
    text = re.sub(r"(\\*)\\'", lambda quote: "\\" * (len(quote[1]) // 2) + "'", match[1])
    text = re.sub(r"\\+$", lambda end: "\\" * (len(end[0]) // 2), text)
    return re.sub(r"(\\*)\\\$\{", lambda start: "\\" * (len(start[1]) // 2) + "${", text)


def _hydra_text(text: str) -> str:
    """A value in quotes, unless Hydra reads it as text without; backslashes count only before what they protect."""
    if BARE.fullmatch(text):
        return text
    escaped = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    return "'" + re.sub(r"(\\+)('|$)", r"\1\1\2", escaped).replace("'", "\\'") + "'"


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that is there twice; None if all differ."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


class Grid(NamedTuple):
    """A title, a header and rows of text; the first column names, the others are numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def number(value: float | None, error: float | None = None, digits: int = 4) -> str:
    """`0.9812 ± 0.0010`, or `(3.6 ± 1.0)e+08`: the error in two digits; `-` if there is no value.

    Without an error the value has `digits` decimals, and more where a value below 1 would read 1.
    """
    if value is None:
        return "-"
    if error is None or error <= ROUNDING * abs(value):
        return _plain(value + 0.0, digits)  # + 0.0: no minus sign for zero
    power = 0
    is_small = abs(value) < SMALL[0] and error < SMALL[1]
    if is_small or error >= LARGE or max(abs(value), error) < TINY:
        power = math.floor(math.log10(max(abs(value), error)))
    value, error = value / 10**power, error / 10**power
    text = f"{to_error_digits(value, error)} ± {to_error_digits(error, error)}"
    return text if power == 0 else f"({text})e{power:+03d}"


def _plain(value: float, digits: int) -> str:
    if abs(value) >= 1e4 or 0 < abs(value) < 1e-3:
        return f"{value:.{digits}g}"
    if 1 - value > ROUNDING and round(value, digits) == 1:
        return to_error_digits(value, 1 - value)
    return f"{value:.{digits}f}"


def to_error_digits(value: float, error: float) -> str:
    """The value with the decimals at which its error has two digits."""
    exponent = int(f"{error:.1e}".partition("e")[2])
    return f"{value:.{min(max(0, 1 - exponent), MOST_DECIMALS)}f}"


def score_cut(threshold: float) -> str:
    """A cut on a score with six digits, and more if a cut below 1 would read as 1."""
    six_digits = f"{threshold:.6g}"
    if six_digits == "1" and 1 - threshold > ROUNDING:
        return _plain(threshold, 6)
    return six_digits


def formatted(value: float | None, spec: str) -> str:
    """A number in a format such as `.3g`; `-` where there is no value."""
    if value is None:
        return "-"
    return f"{value:{spec}}"


def first_of(shown: int, total: int) -> str:
    """`, first 8 of 30` for a title; empty where all are shown."""
    if shown >= total:
        return ""
    return f", first {shown} of {total}"


def grouped_rows(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> list[list[Row]]:
    """Rows with equal key, which share a line of a table: if scores tie, several targets have the same cut."""
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def targeted(efficiency: str, targets: Sequence[float]) -> str:
    """The efficiency of a cut, with its targets if there are several."""
    if len(targets) <= 1:
        return efficiency
    return f"{efficiency} (targets {', '.join(f'{target:g}' for target in targets)})"


def lower_limit(limit: float) -> str:
    """`> 0.9712 (95 %)`: a lower limit."""
    return f"> {limit:.4g} (95 %)"


def upper_limit(limit: float) -> str:
    """`< 12.3 (95 %)`: an upper limit."""
    return f"< {limit:.3g} (95 %)"


def percent(share: float | None, digits: int | None = 1) -> str:
    """`47.5 %`, with as many decimals as a setting has for digits=None; `-` if there is no finite value."""
    if share is None or not math.isfinite(share):
        return "-"
    if digits is None:
        return f"{100 * share:g} %"
    return f"{100 * share:.{digits}f} %"


def shortened(text: str, width: int) -> str:
    """Text of at most `width` letters; a longer one gets `…` in its middle, because its ends distinguish names."""
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[len(text) - end :]}"


def size(count: float) -> str:
    """Bytes in the unit in which the number has at most three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def time_text(seconds: float) -> str:
    """A time in hours if it is two hours or more, in minutes from two minutes on, otherwise in seconds."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    digits = ".2g" if seconds < 10 else ".0f"
    return f"{seconds:{digits}} s"


class Caution(NamedTuple):
    """A warning: its kind, the classes, processes, features or splits that it is about, and what to do."""

    kind: str
    about: tuple[str, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"kind": self.kind, "about": list(self.about), "text": self.text}

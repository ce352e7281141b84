"""The text of one cell of a delimited file: the number that it holds, and what may be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable

Check = Callable[[str], str]  # what is wrong with the text of a cell, or nothing


class Missing:
    """The sentinels of a missing value; a sentinel that is a number stands for all spellings of that number."""

    def __init__(self, sentinels: tuple[str | float, ...]) -> None:
        texts = {str(sentinel) for sentinel in sentinels}
        if any(text.lower() == "nan" for text in texts):
            texts |= {"nan", "NaN", "NAN"}
        self.texts = sorted(texts)
        self.numbers = {value for text in texts if not math.isnan(value := parse_number(text))}

    def __contains__(self, text: str) -> bool:
        return text in self.texts or parse_number(text) in self.numbers


def parse_number(text: str) -> float:
    """The number that a cell holds, or nan for anything else."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def is_integer(text: str) -> bool:
    """Whether a cell holds an integer that is written as one."""
    digits = text.strip()
    return digits[digits[:1] in ("+", "-") :].isdecimal()


def numeric(missing: Missing | None = None, *, largest: float = math.inf) -> Check:
    """A check that a cell holds a finite number, or a declared sentinel."""

    def check(text: str) -> str:
        value = parse_number(text)
        if missing is not None and text in missing:
            return ""
        if not text.strip() or text.strip().lower() == "nan":
            way = "declare it in data.missing" if missing is not None else "it must be known for every event"
            content = repr(text) if text.strip() else "empty"
            return f"{content}, not a number; {way}"
        if math.isnan(value):
            return f"{text!r} is not a number; mend it, declare it in data.missing, or ignore the column"
        if math.isinf(value) or abs(value) > largest:
            problem = "infinite" if math.isinf(value) else "too large for a 32-bit number"
            return f"{text!r} is {problem}; mend it, remove the row, or declare it in data.missing"
        return ""

    return check

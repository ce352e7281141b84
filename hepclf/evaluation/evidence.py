"""The strength of the evidence for an effect: one rule with three answers for all studies.

p is the probability of a deviation at least as large as the measured one if there is no effect:

    no sign       p >= 0.05
    a hint        p < 0.05
    a clear sign  p < 0.0027, that of 3 standard deviations in a two-sided test

A test is one-sided where the effect has one direction (an overtrained tagger is worse on the test set, a permuted
feature makes the loss larger), and two-sided elsewhere. With several tests in one study, a small p by chance is more
likely: `combined` and `corrected` correct for their number, also where the tests are correlated.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from hepclf.statistics.value import Value

HINT, CLEAR = 0.05, 0.0027
SMALLEST = 1e-6  # smallest p that is written: no test here is exact so far in the tail
Answer = Literal["none", "hint", "clear"]
Name = TypeVar("Name", bound=Hashable)
WORDS = {"none": "No sign", "hint": "A hint", "clear": "A clear sign"}
LEVELS = f"A hint: p < {HINT:g}; a clear sign: p < {CLEAR:g} (3 sigma)."


class Evidence(NamedTuple):
    """A p-value that is corrected for the number of tests; None where no test could be made."""

    p: float | None
    tests: int = 1

    @property
    def answer(self) -> Answer | None:
        """`none`, `hint` or `clear`; None where there is no p."""
        if self.p is None:
            return None
        if self.p >= HINT:
            return "none"
        if self.p >= CLEAR:
            return "hint"
        return "clear"

    @property
    def significant(self) -> bool:
        """Whether there is at least a hint."""
        return self.answer in ("hint", "clear")

    @property
    def words(self) -> str:
        """`No sign`, `A hint` or `A clear sign`, to begin a sentence with."""
        if self.answer is None:
            return "No test"
        return WORDS[self.answer]

    def claim(self, effect: str) -> str:
        """`A hint that the score depends on x`."""
        if self.answer is None:
            return f"{self.words} whether {effect}"
        return f"{self.words} that {effect}"

    @property
    def test(self) -> str:
        """`p = 0.012`, or `p = 0.012, corrected for 4 tests`."""
        if self.p is None:
            return "no p-value"
        if self.tests <= 1:
            return equation(self.p)
        return f"{equation(self.p)}, corrected for {self.tests} tests"

    def short(self, check: str) -> str:
        """`overtraining (p = 0.19)`."""
        if self.p is None:
            return check
        return f"{check} ({equation(self.p)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as metrics.json has them."""
        return {"answer": self.answer, "p": self.p, "tests": self.tests}


def equation(p: float) -> str:
    """`p = 0.012`, or `p < 1e-06`."""
    return f"p {'= ' * (p > SMALLEST)}{small(p)}"


def small(p: float) -> str:
    """`0.012`, or `< 1e-06`."""
    if p <= SMALLEST:
        return f"< {SMALLEST:g}"
    return f"{p:.2g}"


def p_text(p: float | None) -> str:
    """`0.012`, or `-` where there is no p-value."""
    if p is None:
        return "-"
    return small(p)


def one_sided_p(value: Value) -> float | None:
    """One-sided p of a value above zero with a Gaussian error; without an error 1 for zero itself, else None."""
    if value.value is None or value.error is None:
        return _p_without_error(value, 0.0)
    return math.erfc(value.value / value.error / math.sqrt(2)) / 2


def two_sided_p(value: Value, expected: float = 0.0) -> float | None:
    """Two-sided p of a value with a Gaussian error; without an error 1 for the expected value itself, else None."""
    if value.value is None or value.error is None:
        return _p_without_error(value, expected)
    return math.erfc(abs(value.value - expected) / value.error / math.sqrt(2))


def _p_without_error(value: Value, expected: float) -> float | None:
    return 1.0 if value.value == expected else None


def combined(*p: float | None) -> Evidence:
    """Several tests of one question: the smallest p times the number of tests (Bonferroni), at most 1."""
    values = [value for value in p if value is not None]
    if not values:
        return Evidence(None, 0)
    return Evidence(min(1.0, min(values) * len(values)), len(values))


def corrected(p: Mapping[Name, float | None]) -> dict[Name, Evidence]:
    """A corrected p-value for each of several tests (Holm, Scand. J. Statist. 6 (1979) 65)."""
    values = {name: value for name, value in p.items() if value is not None}
    evidence = {name: Evidence(None, len(values)) for name in p}
    smaller = 0.0
    for place, name in enumerate(sorted(values, key=values.__getitem__)):
        smaller = max(smaller, min(1.0, values[name] * (len(values) - place)))
        evidence[name] = Evidence(smaller, len(values))
    return evidence

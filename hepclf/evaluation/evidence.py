"""How strong the evidence for an effect is: one rule, with three answers, for every study.

p is the probability of a deviation at least as large as the measured one if there is no effect:

    no sign       p >= 0.05
    a hint        p < 0.05
    a clear sign  p < 0.0027, that of 3 standard deviations in a two-sided test

A test is one-sided where the effect has one direction (a tagger that is overtrained is worse on test, as is one with a
permuted feature), and two-sided elsewhere. Several tests in one study make a small p by chance more likely:
`combined` and `corrected` correct for their number, whether or not the tests depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from hepclf.statistics.value import Value

HINT, CLEAR = 0.05, 0.0027
SMALLEST = 1e-6  # p that sentences and tables tell: smaller ones lie where no test is exact
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
        return "hint" if self.p >= CLEAR else "clear"

    @property
    def significant(self) -> bool:
        """Whether there is at least a hint."""
        return self.answer in ("hint", "clear")

    @property
    def words(self) -> str:
        """`No sign`, `A hint` or `A clear sign`, to begin a sentence with."""
        return "No test" if self.answer is None else WORDS[self.answer]

    def claim(self, effect: str) -> str:
        """`A hint that the score depends on x`."""
        return f"{self.words} {'whether' if self.answer is None else 'that'} {effect}"

    @property
    def test(self) -> str:
        """`p = 0.012`, or `p = 0.012, corrected for 4 tests`."""
        if self.p is None:
            return "no p-value"
        return equation(self.p) + (f", corrected for {self.tests} tests" if self.tests > 1 else "")

    def short(self, check: str) -> str:
        """`overtraining (p = 0.19)`."""
        return check if self.p is None else f"{check} ({equation(self.p)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as metrics.json has them."""
        return {"answer": self.answer, "p": self.p, "tests": self.tests}


def equation(p: float) -> str:
    """`p = 0.012`, or `p < 1e-06`."""
    return f"p {'= ' * (p > SMALLEST)}{small(p)}"


def small(p: float) -> str:
    """`0.012`, or `< 1e-06`."""
    return f"{p:.2g}" if p > SMALLEST else f"< {SMALLEST:g}"


def one_sided_p(value: Value) -> float | None:
    """One-sided p of a value above zero that has a Gaussian error; 1 for zero itself, None for an unknown error."""
    if value.value is None or value.error is None:
        return 1.0 if value.value == 0 else None
    return math.erfc(value.value / value.error / math.sqrt(2)) / 2


def two_sided_p(value: Value, expected: float = 0.0) -> float | None:
    """Two-sided p of a value that has a Gaussian error; 1 where it is as expected, None for an unknown error."""
    if value.value is None or value.error is None:
        return 1.0 if value.value == expected else None
    return math.erfc(abs(value.value - expected) / value.error / math.sqrt(2))


def combined(*p: float | None) -> Evidence:
    """Several tests of one question: the smallest p times the number of tests (Bonferroni), at most 1."""
    values = [value for value in p if value is not None]
    return Evidence(min(1.0, min(values) * len(values)), len(values)) if values else Evidence(None, 0)


def corrected(p: Mapping[Name, float | None]) -> dict[Name, Evidence]:
    """A statement for each of several tests: p-values that hold together (Holm, Scand. J. Statist. 6 (1979) 65)."""
    values = {name: value for name, value in p.items() if value is not None}
    evidence = {name: Evidence(None, len(values)) for name in p}
    smaller = 0.0
    for place, name in enumerate(sorted(values, key=values.__getitem__)):
        smaller = max(smaller, min(1.0, values[name] * (len(values) - place)))
        evidence[name] = Evidence(smaller, len(values))
    return evidence

"""docs/expressions.md is true: each example gives what the page says, and no operator or function is left out."""

from __future__ import annotations

import re
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from hepclf.data.expressions import parse
from hepclf.data.language.functions import CONSTANTS, FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")
COLUMNS = {
    "MET_pt": np.array([20.0, 55.0, 110.0]),
    "run": np.array([1, 2, 3]),
    "trigger": np.array([True, False, True]),
    "Muon.pt": np.array([8.0, np.nan, 40.0]),
    "Jet_pt": ak.Array([[80.0, 45.0, 25.0], [], [35.0]]),
    "Jet_eta": ak.Array([[0.5, -1.5, 3.0], [], [-2.0]]),
}
WORDS = {"true": 1.0, "false": 0.0}


def rows(section):
    """The examples of a section: the code of the first cell, and what the second says it gives."""
    body = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    for line in body.splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 5 and "`" in cells[1]:
            texts = [text.strip() for _, text in re.findall(r"(`+)(.+?)\1(?!`)", cells[1])]
            yield from zip(texts, cells[2].split(", "), strict=True)


EXAMPLES = [row for section in ("Numbers and operators", "Functions of a number", "Lists") for row in rows(section)]


@pytest.mark.parametrize(("text", "says"), EXAMPLES)
def test_an_example_gives_what_the_page_says(text, says):
    expected = [WORDS[word] if word in WORDS else float(word) for word in says.split()]
    result = parse(text).evaluate(COLUMNS, 3)
    np.testing.assert_allclose(result, expected, rtol=1e-15)
    assert (result.dtype == bool) == (says.split()[0] in WORDS)


def test_every_function_operator_and_constant_is_on_the_page():
    texts = " ".join(text for text, _ in EXAMPLES)
    assert [name for name in FUNCTIONS if f"{name}(" not in texts] == []
    assert [name for name in CONSTANTS if name not in texts] == []
    signs = ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", "and", "&", "[0]", "[-1]")
    assert [sign for sign in signs if sign not in texts] == []


def test_the_expressions_of_the_first_example_are_read():
    block = PAGE.split("```yaml\n")[1].split("```")[0]
    features = re.findall(r'"([^"]+)"|(MET_pt)', block.splitlines()[0])
    texts = [quoted or bare for quoted, bare in features]
    texts += [line.split(": ", 1)[1] for line in block.splitlines()[1:]]
    assert len(texts) == 6
    assert [parse(text).text for text in texts] == texts

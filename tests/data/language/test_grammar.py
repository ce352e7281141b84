"""What is refused, with its place and the way out: one line each."""

from __future__ import annotations

import ast

import awkward as ak
import numpy as np
import pytest

from hepclf.data.expressions import parse
from hepclf.data.language.grammar import Builder
from hepclf.data.language.words import ExpressionText, python_spelling

COLUMNS = {
    "a": np.array([1.0, 2.0]),
    "b": np.array([3, 4]),
    "flag": np.array([True, False]),
    "x": ak.Array([[1.0, 2.0], []]),
    "y": ak.Array([[1.0], [2.0]]),
}
BRACKETS = "compare in brackets, as in (a > 1) & (b > 2), or write a > 1 and b > 2"
REFUSED = [
    # C and ROOT
    ("a > 1 && b > 2", 7, "'&&' is no part of the language; write 'and'"),
    ("a > 1 || b > 2", 7, "write 'or'"),
    ("!flag", 1, "'!' is no part of the language; write 'not'"),
    ("flag ? a : b", 6, "write where(condition, x, y)"),
    ("a ^ 2", 3, "write ** for a power, != for an exclusive or"),
    ("Sum$(x)", 4, "'$' is no part"),
    ("TMath::Pi()", 6, "':' is no part"),
    # precedence
    ("a > 1 & b > 2", 5, BRACKETS),
    ("a > b & b > 2", 5, BRACKETS),
    ("flag & a > 2", 1, BRACKETS),
    ("a == 1 | b == 2", 6, BRACKETS),
    ("~a > 2", 1, BRACKETS),
    ("sqrt(flag & a > 2)", 6, BRACKETS),
    ("(flag == flag & flag)", 10, BRACKETS),
    ("a > 1 and b", 11, "and takes conditions, not a number; compare it, as in x != 0"),
    ("a > 1 and 2", 11, "and takes conditions"),
    ("not 1", 5, "not takes conditions"),
    ("not a + 1", 5, "not takes conditions"),
    ("~b", 2, "~ takes conditions"),
    ("flag & b", 8, BRACKETS),
    ("flag | flag | 1", 15, BRACKETS),
    ("flag + 1 & flag", 1, BRACKETS),
    ("a | flag", 1, "| takes conditions"),
    # names
    ("Muon.1pt", 5, "runs into 'p'; a name of such"),
    ("1st > 2", 1, "'1' runs into 's'; a name of such characters needs backticks"),
    ("0x10", 1, "runs into 'x'"),
    ("1_000", 1, "runs into '_'"),
    ("1e5x", 1, "runs into 'x'"),
    ("lambda", 1, "'lambda' is no part of the language; write a column of such a name in backticks"),
    ("a if flag else b", 3, "'if' is no part of the language; write where(condition, x, y)"),
    ("a is b", 3, "'is' is no part"),
    ("a in b", 3, "'in' is no part"),
    ("flag == True", 9, "a boolean column is a condition by itself"),
    ("None", 1, "'None' is no part"),
    ("max", 1, "'max' is a function; write max(x), or `max` for a column"),
    ("φ > 1", 1, "'φ' is no part of the language; write a column of such a name in backticks"),
    ("a1²", 1, "'a1' runs into '²'"),
    ("`a", 1, "a name in backticks needs both of them"),
    ("``", 1, "a name in backticks needs both of them"),
    ("a`b`", 1, "'a' runs into '`'"),
    # calls
    ("sqr(a)", 1, "there is no function 'sqr'; nearest: 'sqrt'"),
    ("`sqrt`(a)", 1, "only functions of the language can be called; an operator is missing before '('"),
    ("2(a)", 1, "only functions of the language can be called"),
    ("sqrt(a)(a)", 1, "only functions of the language can be called"),
    ("sqrt()", 1, "sqrt(x) takes 1 values in this order, not 0"),
    ("deltar(a, b)", 1, "deltar(eta1, phi1, eta2, phi2) takes 4 values in this order, not 2"),
    ("max(a, b)", 1, "the larger of two is maximum(x, y)"),
    ("min(a, b)", 1, "the smaller of two is minimum(x, y)"),
    ("where(1, a, b)", 7, "where takes conditions, not a number"),
    ("where(b, a, b)", 7, "where takes conditions, not a number"),
    ("sqrt(*a)", 6, "Starred is no part of the language; see docs/expressions.md"),
    ("sqrt(**a)", 1, "sqrt(x) takes 1 values"),
    ("sqrt(a, **a)", 1, "sqrt(x) takes 1 values in this order, not 2"),
    ("sqrt(x=1)", 7, "'=' is no part of the language; write '==' to compare"),
    # lists
    ("x", 1, "it gives a list an event; reduce it, as in max(...) or count(...), or take one element, as in x[0]"),
    ("x > 1", 1, "it gives a list an event"),
    ("a[0]", 1, "[0] takes the list of an event, not one value an event"),
    ("a[a > 1]", 1, "[condition] selects from the list of an event, not from one value an event"),
    ("a + sum(b)", 5, "sum takes the list of an event, not one value an event"),
    ("count(2)", 1, "count takes the list of an event"),
    ("any(flag)", 1, "any takes the list of an event"),
    ("sort(a)", 1, "sort takes the list of an event"),
    ("first(max(x))", 1, "[0] takes the list of an event"),
    ("mean(a)", 1, "takes the list of an event"),
    ("count(x > 1)", 1, "write sum(condition) or count(x[condition])"),
    ("any(x)", 5, "any takes conditions, not a number"),
    ("all(x + 1)", 5, "all takes conditions, not a number"),
    ("sum(x + y)", 9, "lists of different lengths meet, 2 and 1 in one event; reduce them or take one element of each"),
    ("sum(x[y > 1])", 5, "lists of different lengths meet"),
    ("x[b]", 3, "[ ] takes conditions, not a number"),
    ("x[1.0]", 3, "[ ] takes a whole number that is written out, or a condition"),
    ("x[0 + 1]", 3, "[ ] takes a whole number"),
    ("x[-b]", 3, "[ ] takes a whole number"),
    ("x[2147483648]", 3, "the index must be a whole number that is written out, below 2147483648"),
    ("x[1:2]", 4, "':' is no part of the language; a list takes one whole number or a condition"),
    ("x[0, 1]", 3, "Tuple is no part"),
    ("at(x, b, 0)", 7, "the index must be a whole number that is written out"),
    ("at(x, 0, x)", 1, "the fill must be one value an event, not a list"),
    ("x.sum()", 1, "only functions of the language can be called"),
    # everything else
    ("", 1, "there is nothing in it; write a column, or 1 for every event"),
    (" \n ", 1, "there is nothing in it"),
    ("a b", 1, "cannot be read on from here; an operator, a value or a comma is missing"),
    ("a + * b", 5, "cannot be read on from here"),
    ("a +", 3, "cannot be read on from here"),
    ("(a + b", 1, "'(' is not closed"),
    ("a + b)", 6, "')' closes a bracket that was not opened"),
    ("(a]", 3, "cannot be read on from here"),
    ("a) + (b", 2, "')' closes a bracket that was not opened"),
    ("()", 1, "Tuple is no part"),
    ("a, b", 1, "Tuple is no part"),
    ("[a]", 1, "List is no part"),
    ("*a", 1, ""),
    ("a << 2", 3, "'<<' is no part"),
    ("a @ b", 3, "'@' is no part"),
    ("a <> b", 3, ""),
    ("a = 2", 3, "write '==' to compare"),
    ("a := 2", 3, "':=' is no part"),
    ("a; b", 2, "';' is no part"),
    ("a # b", 3, "'#' is no part"),
    ("'a'", 1, "text cannot be used"),
    ('f"{a}"', 2, "text cannot be used"),
    ("a\\\nb", 2, "is no part"),
    ("{a}", 1, "'{' is no part"),
    ("1j", 1, "runs into 'j'"),
    ("007", 1, "cannot be read on"),
    ("9" * 400, 1, "the number is too large; infinity is written inf"),
    ("1e999", 1, "the number is too large"),
    ("-" + "9" * 400, 1, "the number is too large"),
    ("9" * 5000, 1, "cannot be read on"),
    ("a == nan", 6, "nothing equals nan; write isnan(x)"),
    ("nan < a", 1, "nothing equals nan"),
    ("a\0", 2, r"'\x00' is no part"),
    ("a\ud800", 2, r"'\ud800' is no part"),
    ("a\u00a0+ 1", 2, "is no part"),
    # limits
    ("(" * 101 + "a" + ")" * 101, 101, "more than 100 brackets in one another; write it as several expressions"),
    ("-" * 150 + "a", 102, "is nested deeper than 100; write it as several expressions"),
    ("not " * 150 + "flag", 405, "is nested deeper than 100"),
    ("**".join("a" * 150), 301, "is nested deeper than 100"),
    ("+".join("a" * 1001), 1, "2001 names, numbers and signs are more than 2000"),
    ("a" * 10_001, 10_001, "10001 characters are more than 10000"),
]


@pytest.mark.parametrize(
    ("text", "column", "says"), REFUSED, ids=[text[:30].encode("unicode_escape") for text, *_ in REFUSED]
)
def test_a_mistake_is_told_in_one_line_with_its_place(text, column, says):
    with pytest.raises(ValueError, match=r"\Aexpression ['\"]") as caught:
        parse(text).evaluate(COLUMNS, 2)
    message = str(caught.value)
    assert says in message
    assert f", column {column}: " in message
    assert "\n" not in message
    assert len(message) < 400
    assert type(caught.value) is ValueError


@pytest.mark.parametrize("text", [None, 3, 2.5, b"a", ["a"], True])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ValueError, match="an expression must be text, not "):
        parse(text)


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_a_parser_that_gives_up_is_no_other_error(error, monkeypatch):
    def give_up(*args, **kwargs):
        raise error

    monkeypatch.setattr("hepclf.data.language.grammar.ast.parse", give_up)
    with pytest.raises(ValueError, match="is nested too deeply; write it as several expressions"):
        parse("a")


def test_a_column_that_is_called_nan_compares():
    assert parse("`nan` == 1").evaluate({"nan": np.ones(2)}, 2).tolist() == [True, True]


def test_brackets_make_a_mask_comparable():
    assert parse("(flag & (a > 0)) == flag").evaluate(COLUMNS, 2).tolist() == [True, True]
    assert parse("flag == ( ~flag )").evaluate(COLUMNS, 2).tolist() == [False, False]


# Python's grammar as a whole: what the words let through by mistake would still find no translation.
FOREIGN = [
    "a.b", "'a'", "b'a'", "f'{a}'", "True", "None", "...", "1j", "lambda: 0", "a if b else c", "(a := 1)", "{a}",
    "{a: b}", "[a]", "(a, b)", "[c for c in a]", "{c for c in a}", "{c: c for c in a}", "(c for c in a)",
    "a[1:2]", "a[...]", "a[1, 2]", "a @ b", "a << b", "a >> b", "a ^ b", "a is b", "a is not b", "a in b",
    "a not in b", "sqrt(*a)", "sqrt(x=a)", "sqrt(a, x=b)", "sqrt(**a)", "a[True]",
    "a.b(c)", "a[0](b)", "(lambda: 0)()", "open(a)", "eval(a)",
    "__import__(a)", "getattr(a, b)", "-'a'", "a['b']", "sqrt('a')", "a + 'b'", "a < 'b'", "a and 'b'",
]  # fmt: skip


@pytest.mark.parametrize("source", FOREIGN)
def test_the_whitelist_of_nodes_holds_without_the_words(source):
    builder = Builder(ExpressionText(source), {})
    with pytest.raises(ValueError, match="expression "):
        builder.build(ast.parse(source, mode="eval").body, 0)


@pytest.mark.parametrize("source", ["(yield a)", "(yield from a)", "(await a)"])
def test_nodes_of_functions_find_no_translation(source):
    tree = ast.parse(f"async def f(): {source}" if "await" in source else f"def f(): {source}").body[0]
    with pytest.raises(ValueError, match="is no part of the language"):
        Builder(ExpressionText(source), {}).build(tree.body[0].value, 0)


def test_the_words_keep_every_place():
    text = "  `Muon.pt`\n+\t`µ` "
    python, quoted = python_spelling(ExpressionText(text))
    assert python == "  _________ + ___ "
    assert quoted == {2: "Muon.pt", 14: "µ"}

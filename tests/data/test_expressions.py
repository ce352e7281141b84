"""What an expression computes: known answers for each operator and function, and the rules of its arithmetic."""

from __future__ import annotations

import pickle

import awkward as ak
import numpy as np
import pytest

from hepclf.data.expressions import check_columns, parse
from hepclf.data.language.columns import BLOCK
from hepclf.data.language.functions import FUNCTIONS

X = np.array([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, np.nan, np.inf])
Y = np.array([2.0, -1.0, 0.0, 0.25, 3.0, -0.5, 1.0, 2.0])
LISTS = ak.Array([[1.5, -2.0, 0.25], [], [4.0]])
OTHERS = ak.Array([[2.0, 3.0, -1.0], [], [0.5]])
FLAT = np.array([2.0, 5.0, -1.0])


def value(text, events=None, **columns):
    sizes = [len(column) for column in columns.values()]
    return parse(text).evaluate(columns, sizes[0] if events is None else events)


# Expressions that Python and numpy, which are the oracle, read alike; and those that they spell otherwise.
ALIKE = [
    *("x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "-x", "+x", "-x**2", "2 ** x ** 2"),
    *("(x - y) * 2 + y / 4", "x - y - 1 + x", "1.5e1 * x + .5", "x - (y - x)", "x / y / 2", "- -x", "(-2) ** 2 + x"),
    *("x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y", "(x < 1) == (y < 1)", "(x < 1) + (y < 1) * 2.0"),
    *("(x < 1) & (y < 1)", "(x < 1) | (y < 1)", "~(x < 1)", "(x < 1) & (y < 1) | ~(x < y)"),
    *("sqrt(x)", "exp(x)", "log(x)", "log10(x)", "log2(x)", "log1p(x)", "expm1(x)", "abs(x)", "sign(x)", "floor(x)"),
    *("ceil(x)", "round(x)", "sin(x)", "cos(x)", "tan(x)", "arcsin(x)", "arccos(x)", "arctan(x)", "sinh(x)", "cosh(x)"),
    *("tanh(x)", "isnan(x)", "isfinite(x)", "arctan2(x, y)", "hypot(x, y)", "minimum(x, y)", "maximum(x, y)"),
    *(
        "clip(x, -1, y)",
        "where(x < y, x, 7)",
        "where(x < y, x < 1, y < 1)",
        "x + pi",
        "x * inf",
        "where(x > 0, nan, y)",
    ),
]
OTHERWISE = {
    "-1 <= x < y": "(x >= -1) & (x < y)",
    "x < 1 and y < 1": "(x < 1) & (y < 1)",
    "x < 1 or y < 1": "(x < 1) | (y < 1)",
    "not x < 1": "~(x < 1)",
    "x < 1 and y < 1 or not x < y": "(x < 1) & (y < 1) | ~(x < y)",
    "deltaphi(x, y)": "x - y - 2 * pi * round((x - y) / (2 * pi))",
    "deltar(x, 0, y, 1)": "hypot(x - y, 1)",
    "invariant_mass(0, x, y, 3, 0, x, y, 4)": "7 + 0 * x * y",
}
ORACLES = {**{text: text for text in ALIKE}, **OTHERWISE}


def by_numpy(text, x, y):
    with np.errstate(all="ignore"):
        return eval(ORACLES[text], dict(vars(np)), {"x": x, "y": y})


@pytest.mark.parametrize("text", ORACLES)
def test_one_value_an_event_is_what_numpy_makes_of_it(text):
    expected = by_numpy(text, X, Y)
    result = value(text, x=X, y=Y)
    np.testing.assert_allclose(result, expected, rtol=1e-15)
    assert result.dtype == expected.dtype


@pytest.mark.parametrize("text", ORACLES)
@pytest.mark.parametrize(
    ("others", "flat"), [(OTHERS, [2.0, 3.0, -1.0, 0.5]), (FLAT, [2.0, 2.0, 2.0, -1.0])], ids=["lists", "one an event"]
)
def test_lists_meet_lists_and_single_values_element_by_element(text, others, flat):
    expected = by_numpy(text, ak.to_numpy(ak.flatten(LISTS)), np.array(flat))
    elements = [value(f"at({text}, {i}, -99)", x=LISTS, y=others) for i in range(3)]
    np.testing.assert_allclose([elements[i][0] for i in range(3)], expected[:3], rtol=1e-15)
    np.testing.assert_allclose([element[2] for element in elements], [expected[3], -99, -99], rtol=1e-15)
    assert [element[1] for element in elements] == [-99] * 3


REDUCTIONS = {
    "count(x)": [3, 0, 1],
    "sum(x)": [-0.25, 0, 4],
    "max(x)": [1.5, np.nan, 4],
    "min(x)": [-2, np.nan, 4],
    "mean(x)": [-0.25 / 3, np.nan, 4],
    "any(x > 1)": [True, False, True],
    "all(x > 1)": [False, True, True],
    "any(x > 9)": [False, False, False],
    "first(x)": [1.5, np.nan, 4],
    "last(x)": [0.25, np.nan, 4],
    "x[0]": [1.5, np.nan, 4],
    "x[1]": [-2, np.nan, np.nan],
    "x[-1]": [0.25, np.nan, 4],
    "x[-3]": [1.5, np.nan, np.nan],
    "x[2147483647]": [np.nan] * 3,
    "x[-2147483647]": [np.nan] * 3,
    "at(x, 1, -5)": [-2, -5, -5],
    "at(x, -2, z)": [-2, 5, -1],
    "sum(x > 0)": [2, 0, 1],
    "mean(x > 0)": [2 / 3, np.nan, 1],
    "max(x > 0)": [1, np.nan, 1],
    "sum(x[x > 0])": [1.75, 0, 4],
    "count(x[x > 0])": [2, 0, 1],
    "sum(x[x > 0 and y < 1])": [0.25, 0, 4],
    "sum(x[y > 0][x[y > 0] < 0])": [-2, 0, 0],
    "sum(x[z > 0])": [-0.25, 0, 0],
    "x[x < 1][0]": [-2, np.nan, np.nan],
    "any((x > 0)[x < 1])": [True, False, False],
    "sort(x)[0]": [1.5, np.nan, 4],
    "sort(x)[1]": [0.25, np.nan, np.nan],
    "sort(-x)[0]": [2, np.nan, -4],
    "sum(x * z)": [-0.5, 0, -4],
    "max(x) - min(x)": [3.5, np.nan, 0],
    "count(x) >= 1 and z > 0": [True, False, False],
    "sum(where(z > 0, x, y))": [-0.25, 0, 0.5],
    "sum(where(x > 0, 1, 0))": [2, 0, 1],
    "sum(x[1 > 0])": [-0.25, 0, 4],
    "any(x[x > 99] > 0)": [False] * 3,
}


@pytest.mark.parametrize("text", REDUCTIONS)
def test_lists_are_reduced_to_one_value_an_event(text):
    np.testing.assert_array_equal(value(text, x=LISTS, y=OTHERS, z=FLAT), REDUCTIONS[text])


def test_each_function_of_the_language_is_tested_here():
    texts = " ".join([*ORACLES, *REDUCTIONS])
    assert [name for name in FUNCTIONS if f"{name}(" not in texts] == []


def test_division_by_zero_and_logarithms_of_negatives_are_silent():
    np.testing.assert_array_equal(value("1 / x", x=np.array([0.0, -0.0, 2.0])), [np.inf, -np.inf, 0.5])
    np.testing.assert_array_equal(value("log(x)", x=np.array([0.0, -1.0])), [-np.inf, np.nan])
    np.testing.assert_array_equal(value("x % 0", x=np.array([3, 4])), [np.nan, np.nan])
    np.testing.assert_array_equal(value("x // 0", x=np.array([3, -4])), [np.inf, -np.inf])
    np.testing.assert_array_equal(value("sum(1 / x)", x=ak.Array([[0, 1], [2]])), [np.inf, 0.5])


def test_whole_numbers_stay_exact_beyond_what_floats_hold():
    event = np.array([2**62 + 1, 2**53 + 1, 7])
    assert value("event % 5", event=event).tolist() == [(2**62 + 1) % 5, (2**53 + 1) % 5, 2]
    assert value("event // 2", event=event).tolist() == [2**61, 2**52, 3]
    assert value(f"event == {2**62 + 1}", event=event).tolist() == [True, False, False]
    assert value(f"event == -{2**62 + 1}", event=np.array([-(2**62) - 1, -(2**62)])).tolist() == [True, False]
    unsigned = np.array([2**63 + 3, 2**63 + 1, 4], dtype=np.uint64)
    assert value("event % 10", event=unsigned).tolist() == [(2**63 + 3) % 10, (2**63 + 1) % 10, 4]
    assert value("event % -10", event=unsigned).dtype == np.float64  # no integers hold both
    assert value(f"event == {2**63 + 3}", event=unsigned).tolist() == [True, False, False]
    assert value("event > -1", event=unsigned).all()
    assert value("event < other", event=unsigned, other=np.array([5, 5, 5])).tolist() == [False, False, True]
    assert value("sum(event % 2 == 1)", event=ak.Array([[2**62 + 1, 2**62], []])).tolist() == [1, 0]


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint8, np.int16, np.int32, np.uint64, np.float16, np.float32, ">f4", bool]
)
def test_arithmetic_of_narrow_columns_is_done_in_float64(kind):
    x = np.array([0, 1, 1, 100], dtype=kind)
    result = value("x * 200 - 2 * x - 300", x=x)
    np.testing.assert_array_equal(result, x.astype(float) * 200 - 2 * x.astype(float) - 300)
    assert result.dtype == value("abs(-x)", x=x).dtype == value("x ** 9", x=x).dtype == np.float64
    np.testing.assert_array_equal(value("sum(x)", x=np.tile(x, (2, 9))), [9 * x.astype(float).sum()] * 2)


def test_a_float32_column_compares_in_float64():
    x = np.array([0.1], dtype=np.float32)
    assert value("x > 0.1", x=x).tolist() == [True]
    assert value("x == 0.1", x=x).tolist() == [False]


def test_comparisons_with_nan_are_false_but_for_unequal():
    x = np.array([np.nan])
    for sign in ("<", "<=", ">", ">=", "=="):
        assert value(f"x {sign} 1", x=x).tolist() == [False]
    assert value("0 < x < 1", x=x).tolist() == [False]
    assert value("x != 1", x=x).tolist() == [True]


def test_a_bare_column_comes_back_as_it_is():
    for column in (np.arange(3), np.arange(3, dtype=np.float32), np.array([True, False, True])):
        assert value("x", x=column) is column
        assert value(" (`x`)", x=column) is column
    many = np.arange(3 * BLOCK)
    assert value("x", x=many) is many


def test_a_constant_holds_for_every_event():
    assert value("1", events=3).tolist() == [1.0, 1.0, 1.0]
    assert value("1", events=3).dtype == np.float64
    assert value("where(2 > 1, pi, 0)", events=2).tolist() == [np.pi, np.pi]
    assert value("not 2 > 1", events=2).tolist() == [False, False]
    assert value("9 ** 9 ** 9 ** 9", events=2).tolist() == [np.inf, np.inf]
    assert value("-inf", events=BLOCK + 1).tolist() == [-np.inf] * (BLOCK + 1)


def test_the_columns_are_named_in_the_order_of_their_first_use():
    assert parse("b + a * max(c[b > 2]) + pi + `d e` + a").columns == ("b", "a", "c", "d e")
    assert parse("(z > 1) & (f > 2) | (z < x < a)").columns == ("z", "f", "x", "a")
    assert parse("3").columns == ()


def test_backticks_name_any_column():
    columns = {"Muon.pt": np.array([1.0]), "jet-pt": np.array([2.0]), "1st": np.array([3.0]), "µ η": np.array([4.0])}
    assert value("`Muon.pt` + `jet-pt` * `1st` + `µ η`", **columns) == [11]
    assert value("sum(`sum`) * `lambda` + `pi`", sum=ak.Array([[1, 2]]), pi=np.ones(1), **{"lambda": np.ones(1)}) == [4]


def test_a_name_may_have_dots_between_words():
    columns = {"Muon.pt": np.array([1.0]), "jetp4.fP.fX": ak.Array([[2.0, 3.0]]), "sum": np.array([5.0])}
    assert value("Muon.pt + max(jetp4.fP.fX) - .5 + 1.", **columns) == [4.5]
    assert value("sum(jetp4.fP.fX[Muon.pt > 0])", **columns) == [5]


def test_blanks_mean_nothing():
    assert value("  x\n  +\t1 ", x=np.array([1.0])) == [2]
    assert value("\r\n(x\n>\n0)", x=np.array([1.0])).tolist() == [True]


def test_expressions_are_equal_by_text_and_survive_pickling():
    expression = parse("sqrt(x) > 2")
    assert len({expression, parse("sqrt(x) > 2"), parse("x")}) == 2
    again = pickle.loads(pickle.dumps(expression))
    assert again == expression
    assert again.evaluate({"x": np.array([1.0, 9.0])}, 2).tolist() == [False, True]
    assert repr(expression) == "Expression(text='sqrt(x) > 2', columns=('x',))"


def test_a_long_chain_is_no_deep_nesting():
    names = [f"x{i}" for i in range(300)]
    columns = dict.fromkeys(names, np.ones(2))
    assert value(" + ".join(names), **columns).tolist() == [300, 300]
    for word in (" | ", " or "):
        assert value(word.join(f"({name} > 1)" for name in names), **columns).tolist() == [False, False]
    assert value("a" + " + a" * 999, a=np.ones(2)).tolist() == [1000, 1000]


def test_the_deepest_nesting_that_is_read_is_evaluated():
    assert value("abs(" * 99 + "-x" + ")" * 99, x=np.ones(1)).tolist() == [1]
    assert value("2 ** (1 * " * 49 + "x" + ")" * 49, x=np.ones(1)).tolist() == [np.inf]


def test_check_refuses_what_is_not_there_and_names_the_nearest():
    check_columns(parse("MET_pt > 3"), ["MET_pt", "MET_phi"])
    with pytest.raises(ValueError, match=r"^expression '3 < MET_pT', column 5: .* not there; nearest: 'MET_pt'"):
        check_columns(parse("3 < MET_pT"), ["MET_pt", "Jet_pt"])
    with pytest.raises(ValueError, match=r"column 'a' is not there; there are: 'MET_pt'"):
        parse("a").evaluate({"MET_pt": np.ones(1)}, 1)


def test_a_column_that_is_named_like_a_constant_is_not_shadowed_in_silence():
    with pytest.raises(
        ValueError, match="column 5: 'pi' is a constant and a column as well; write `pi` for the column"
    ):
        check_columns(parse("x + pi"), ["x", "pi"])
    check_columns(parse("x + `pi`"), ["x", "pi"])
    check_columns(parse("sum(x)"), ["x", "sum"])

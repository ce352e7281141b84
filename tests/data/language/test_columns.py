"""Columns of all kinds come in alike, and how they are cut into chunks or blocks does not show."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.data.expressions import parse
from hepclf.data.language.columns import BLOCK, as_column, converted_columns, select_events
from hepclf.data.language.jagged import Jagged

LISTS = ak.Array([[1.5, -2.0], [], [4.0]])
TEXTS = [
    *("sqrt(x**2 + y**2)", "exp(sin(x)) / cosh(y)", "x ** y", "x % y", "deltar(x, y, 1, z)", "where(x < z, x, y)"),
    *("invariant_mass(abs(x), y, z, 0.1, abs(y), x, 1, 0)", "x[y > 0]", "sort(x)", "x < y < z", "x * event"),
]
REDUCED = [
    *(f"sum({text})" for text in TEXTS),
    *("max(x)", "min(x)", "mean(x)", "x[0]", "x[-2]", "at(x, 1, z)", "sort(x)[1]", "count(x[y > 0])", "any(x > y)"),
    *("all(x > -1)", "event % 7", "event", "z", "sqrt(z**2 + x[0]**2) > 1", "log(z) + exp(z)", "1", "2 > 1", "-z"),
]


def table(events, seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, events)
    return {
        "x": ak.unflatten(rng.normal(size=counts.sum()), counts),
        "y": ak.unflatten(rng.normal(size=counts.sum()), counts),
        "z": rng.normal(size=events),
        "event": rng.integers(0, 2**60, events),
    }


def in_pieces(text, columns, events, *cuts):
    edges = [0, *cuts, events]
    pieces = [
        parse(text).evaluate({name: values[start:stop] for name, values in columns.items()}, stop - start)
        for start, stop in pairwise(edges)
    ]
    assert len({piece.dtype for piece in pieces}) == 1
    return np.concatenate(pieces)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REDUCED), st.integers(0, 12), st.integers(0, 12), st.integers(0, 2**32))
def test_two_chunks_give_what_one_gives(text, first, second, seed):
    events = first + second
    columns = table(events, seed)
    whole = parse(text).evaluate(columns, events)
    assert whole.shape == (events,)
    np.testing.assert_array_equal(in_pieces(text, columns, events, first), whole)


@pytest.mark.parametrize("text", REDUCED)
def test_a_table_of_several_blocks_gives_what_its_chunks_give(text):
    events = 2 * BLOCK + 17
    columns = table(events, 1)
    expected = in_pieces(text, columns, events, BLOCK // 2, BLOCK + 1234)
    np.testing.assert_array_equal(parse(text).evaluate(columns, events), expected)


@pytest.mark.parametrize(
    "empty",
    [ak.unflatten(np.zeros(0), np.zeros(0, dtype=np.int64)), ak.Array([[], []]), np.zeros((2, 0)), ak.Array([])],
    ids=["no events", "empty lists", "lists of length 0", "no events of one value"],
)
def test_no_events_and_empty_lists_are_no_exception(empty):
    events = len(empty)
    columns = {"x": empty, "y": empty, "z": np.ones(events), "event": np.ones(events, dtype=int)}
    flat = isinstance(empty, ak.Array) and empty.ndim == 1
    for text in REDUCED:
        if not flat or "x" not in text:
            assert parse(text).evaluate(columns, events).shape == (events,)


@pytest.mark.parametrize(
    ("values", "offsets", "content"),
    [
        (LISTS, [0, 2, 2, 3], [1.5, -2, 4]),
        (LISTS[1:], [0, 0, 1], [4]),
        (LISTS[::-1], [0, 1, 1, 3], [4, 1.5, -2]),
        (LISTS[[0, 2, 0]], [0, 2, 3, 5], [1.5, -2, 4, 1.5, -2]),
        (ak.mask(LISTS, [False, True, True]), [0, 0, 0, 1], [4]),
        (ak.Array([[1, None], []]), [0, 2, 2], [1, np.nan]),
        (ak.Array([[1], None]), [0, 1, 1], [1]),
        (ak.Array([[True, None]]), [0, 2], [1, np.nan]),
        (ak.to_regular(ak.Array([[1, 2], [3, 4]])), [0, 2, 4], [1, 2, 3, 4]),
        (np.array([[1, 2], [3, 4]]), [0, 2, 4], [1, 2, 3, 4]),
        (np.array([[1, 2], [3, 4]]).T, [0, 2, 4], [1, 3, 2, 4]),
    ],
)
def test_lists_of_any_layout_come_in_packed(values, offsets, content):
    lists = as_column(values, len(values))
    assert lists.offsets.tolist() == offsets
    np.testing.assert_array_equal(lists.content, content)


@pytest.mark.parametrize("values", [ak.Array([1.0, None]), [1.0, np.nan], np.array([1, np.nan], dtype=np.longdouble)])
def test_single_values_come_in_as_numpy(values):
    array = as_column(values, 2)
    assert not isinstance(array, Jagged)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, [1, np.nan])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array(["a"]), "column 'x' holds text; numbers and booleans can be used"),
        (ak.Array(["a"]), "holds text"),
        (ak.Array([["a"]]), "holds text"),
        (np.array([1j]), "holds complex128; numbers"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "holds datetime64"),
        (np.array([[1, 2]], dtype=object), "holds objects"),
        (ak.Array([{"pt": 1, "eta": 2}]), "holds records of pt, eta; name one of their columns"),
        (ak.Array([[{"pt": 1}]]), "holds records of pt"),
        (ak.Array([[[1.0]]]), "holds lists of lists; one value or one list an event can be used"),
        (ak.Array([[1, "a"]]), r"holds var \* union"),
        (np.float64(3), "holds 0-dimensional values"),
        (np.zeros(2), "must hold 1 events, not 2"),
        (ak.Array([[1], [2]]), "must hold 1 events, not 2"),
    ],
)
def test_a_column_of_anything_else_is_refused_by_name_and_place(values, says):
    with pytest.raises(
        ValueError, match="expression '3 [+] x', column 5: column 'x' .*" + says.removeprefix("column 'x' ")
    ):
        parse("3 + x").evaluate({"x": values}, 1)


def test_awkward_is_imported_only_for_its_own_arrays():
    code = (
        "import sys, numpy; from hepclf.data.expressions import parse;"
        "parse('sqrt(x) + sum(l)').evaluate({'x': numpy.ones(2), 'l': numpy.ones((2, 3))}, 2);"
        "print([name for name in ('awkward', 'uproot', 'torch', 'pandas') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@settings(max_examples=100, deadline=None)
@given(counts=st.lists(st.integers(0, 4), max_size=20), data=st.data())
def test_columns_taken_at_some_events_are_those_of_awkward_array(counts, data):
    rows = np.array(data.draw(st.lists(st.integers(0, max(len(counts) - 1, 0)), max_size=30 if counts else 0)), np.intp)
    lists = ak.unflatten(np.arange(sum(counts)), np.array(counts, dtype=np.int64))
    found = select_events(as_column(lists, len(counts)), rows)
    assert ak.unflatten(found.content, found.counts).to_list() == lists[rows].to_list()
    assert select_events(np.arange(len(counts)), rows).tolist() == rows.tolist()


def test_columns_are_prepared_once_and_share_their_offsets():
    found = converted_columns({"x": LISTS, "y": LISTS + 1, "z": np.arange(3), "name": np.array(["a", "b", "c"])}, 3)
    assert found["x"].offsets is found["y"].offsets
    assert converted_columns(found, 3)["y"].content is found["y"].content
    assert parse("sum(x * y) + z").evaluate(found, 3) == pytest.approx([3.75 + 2.0, 1.0, 22.0])
    with pytest.raises(ValueError, match="column 'name' holds text"):
        parse("name > 1").evaluate(found, 3)


def test_a_prepared_column_of_other_events_is_refused():
    with pytest.raises(ValueError, match="must hold 4 events, not 3"):
        parse("sum(x)").evaluate(converted_columns({"x": LISTS}, 3), 4)

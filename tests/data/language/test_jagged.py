"""Lists of an event: their reductions agree with awkward, whatever the lists."""

from __future__ import annotations

import awkward as ak
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.data.expressions import parse

NUMBERS = st.floats(-100, 100, width=32)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(NUMBERS, max_size=6), max_size=30))
def test_reductions_agree_with_awkward(table):
    x = ak.values_astype(ak.Array([*table, [1.0]]), np.float64)

    def agrees(text, expected):
        result = parse(text).evaluate({"x": x}, len(x))
        np.testing.assert_allclose(result, ak.to_numpy(ak.fill_none(expected, np.nan)), rtol=1e-12, atol=1e-12)

    agrees("sum(x)", ak.sum(x, axis=1))
    agrees("max(x)", ak.max(x, axis=1))
    agrees("min(x)", ak.min(x, axis=1))
    agrees("mean(x[x > 0])", ak.mean(x[x > 0], axis=1, mask_identity=True))
    agrees("count(x[x > 0])", ak.num(x[x > 0]))
    agrees("sum(x > 0)", ak.sum(x > 0, axis=1))
    agrees("any(x > 50)", ak.any(x > 50, axis=1))
    agrees("all(x > 50)", ak.all(x > 50, axis=1))
    agrees("sort(x)[2]", ak.pad_none(ak.sort(x, ascending=False), 3)[:, 2])
    agrees("x[-2]", ak.pad_none(x[:, ::-1], 2)[:, 1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=20))
def test_sort_is_descending_with_nan_last(elements):
    x = ak.Array([elements, []])
    ordered = [parse(f"sort(x)[{i}]").evaluate({"x": x}, 2)[0] for i in range(len(elements))]
    expected = sorted((e for e in elements if not np.isnan(e)), reverse=True)
    np.testing.assert_array_equal(ordered, expected + [np.nan] * (len(elements) - len(expected)))


def test_an_element_that_is_nan_makes_the_extremes_nan():
    x = ak.Array([[1.0, np.nan], [2.0]])
    for name in ("max", "min", "sum", "mean"):
        np.testing.assert_array_equal(parse(f"{name}(x)").evaluate({"x": x}, 2), [np.nan, 2])


def test_lists_of_equal_lengths_meet_wherever_they_come_from():
    columns = {"x": ak.Array([[1, 2], [3]]), "y": ak.Array([[1, 2, 3], [4]])}
    assert parse("sum(x * y[y != 2])").evaluate(columns, 2).tolist() == [7, 12]

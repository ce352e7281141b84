from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepclf.statistics.counting.conditions import Condition

COLUMNS = {
    "n_fat": np.array([0, 1, 2, 3]),
    "mass": np.array([90.0, 125.0, np.nan, 300.0]),
    "channel": np.array(["ee", "mm", "em", "ee"]),
    "Fat.pt": np.array([1.5, -2.0, 0.0, 7.0]),
    "trigger": np.array([True, False, True, True]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n_fat >= 2", [0, 0, 1, 1]),
        ("100 < mass < 140", [0, 1, 0, 0]),
        ("mass != 90", [0, 1, 1, 1]),
        ("not mass > 100", [1, 0, 1, 0]),
        ("n_fat == 0 or mass > 200", [1, 0, 0, 1]),
        ("(n_fat > 0) & (mass < 140)", [0, 1, 0, 0]),
        ("(n_fat == 0) | ~(n_fat < 3)", [1, 0, 0, 1]),
        ("n_fat > 0 and not (channel == 'em' or mass > 200)", [0, 1, 0, 0]),
        ('channel == "ee"', [1, 0, 0, 1]),
        ("`Fat.pt` <= -1.5", [0, 1, 0, 0]),
        ("`Fat.pt` > n_fat", [1, 0, 0, 1]),
        ("trigger == 1", [1, 0, 1, 1]),
        ("0 <= n_fat <= 2 <= 5", [1, 1, 1, 0]),
    ],
)
def test_a_condition_holds_where_it_says(text, expected):
    found = Condition(text).holds(COLUMNS)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, np.array(expected, dtype=bool))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be read"),
        ("n_fat >", "cannot be read"),
        ("n_fat", "'n_fat' is no comparison"),
        ("n_fat + 1 > 2", r"'n_fat \+ 1' is no column, number or text"),
        ("__import__('os').system('true') == 0", "is no column, number or text"),
        ("(lambda: 1)() == n_fat", "is no column, number or text"),
        ("n_fat.real > 1", "is no column, number or text"),
        ("n_fat in (1, 2)", "is no comparison"),
        ("1 < 2", "a comparison needs a column"),
        ("n_fat == True", "is no column, number or text"),
        ("channel > 1", "compares a number with text"),
        ("n_fat = 2", "cannot be read"),
        ("(" * 500 + "n_fat > 1" + ")" * 500, "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_an_example(text, why):
    with pytest.raises(ValueError, match=f"(?s)is not understood: .*{why}.*; it must be like 'n_fat >= 2"):
        Condition(text).holds(COLUMNS)


def test_an_unknown_column_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError,
        match=r"names 'nfat', which is no spectator of the data; nearest: 'n_fat'; name it in .*: \[nfat\] if",
    ):
        Condition("nfat > 1").holds(COLUMNS)
    assert Condition("`Fat.pt` > 1 and mass < 2 and mass > 1").columns == ("Fat.pt", "mass")


def test_a_long_condition_is_refused():
    with pytest.raises(ValueError, match="at most 2000 characters, not 4,"):
        Condition(" and ".join(["n_fat > 1"] * 300))


@given(st.text(max_size=40))
def test_no_text_does_anything_but_hold_or_be_refused(text):
    try:
        found = Condition(text).holds(COLUMNS)
    except ValueError:
        return
    assert found.shape == (4,)

from __future__ import annotations

import pytest

from hepclf.presentation.page.aligned import aligned_table
from hepclf.words import Grid


def column(*words):
    table = aligned_table(Grid("", ("name", "value"), [("row", word) for word in words]))
    return table.numeric[1], [row[1] for row in table.rows]


def test_numbers_are_parted_at_their_points():
    numeric, cells = column("0.9812 ± 0.0010", "12.3 ± 1.2", "4,000 ± 2,309", "-")
    assert numeric
    assert [(cell.left, cell.right) for cell in cells] == [
        ("0", ".9812 ± 0.0010"),
        ("12", ".3 ± 1.2"),
        ("4,000", " ± 2,309"),
        ("–", ""),
    ]
    assert len({(cell.left_width, cell.right_width) for cell in cells}) == 1


@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("-1.5", "-1"),
        ("> 321 (95 %)", "> 321"),
        ("± 0.0010", "± 0"),
        ("1.2e-05", "1"),
        ("3e+20", "3"),
        ("47.5 %", "47"),
    ],
)
def test_signs_and_limits_belong_to_the_number(word, left):
    _, cells = column(word, "7")
    assert cells[0].left == left
    assert cells[0].left + cells[0].right == word


@pytest.mark.parametrize("words", [("0.5", "noise"), ("-", "-"), ("", ""), ("2nd", "3rd"), ("13TeV",)])
def test_a_column_of_words_is_left_as_it_is(words):
    numeric, cells = column(*words)
    assert not numeric
    assert [cell.left for cell in cells] == list(words)


def test_the_first_column_names_and_an_empty_table_stays_empty():
    table = aligned_table(Grid("points", ("efficiency", "cut"), [("0.5", "0.75")]))
    assert table.rows[0][0].left == "0.5"
    assert list(table.numeric) == [False, True]
    assert list(aligned_table(Grid("none", ("a", "b"), [])).rows) == []

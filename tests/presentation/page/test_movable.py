from __future__ import annotations

import pytest

from hepclf.presentation.page.movable import movable
from hepclf.words import number


def test_every_column_has_a_word_for_each_cut(results_of):
    results = results_of(signed=True)
    table = movable(results.cuts)
    assert {len(words) for words in table.columns.values()} == {len(results.cuts.cuts)}
    assert table.data()["start"] == results.cuts.start


def test_words_are_those_of_the_tables(results_of):
    results = results_of(signed=True)
    table, row = movable(results.cuts), results.cuts.start
    assert table.shares["purity of the selected"][row] == number(*results.test.precision)
    assert table.shares["signal efficiency"][row] == number(*results.test.recall)
    background = results.test.operating.background_efficiency
    assert float(table.shares["rejection"][row].partition(" ")[0]) == pytest.approx(1 / background, rel=0.02)


def test_a_cut_with_too_little_background_has_no_significance(results_of):
    results = results_of(minimum_background=50.0)
    table, effective = movable(results.cuts), results.cuts.expected.effective_background
    for words, count in zip(table.expected["Asimov Z"], effective, strict=True):
        assert (words == "-") == (count < 50)


def test_the_measure_that_is_optimised_is_among_them(results_of):
    assert "Punzi" in movable(results_of(optimise="punzi").cuts).expected
    assert "Punzi" not in movable(results_of().cuts).expected

from __future__ import annotations

import pytest

from hepclf.presentation.page.movable import movable
from hepclf.words import number


def test_every_column_has_a_word_for_each_cut(results_of):
    results = results_of(signed=True)
    found = movable(results.cuts)
    assert {len(words) for words in found.columns.values()} == {len(results.cuts.cuts)}
    assert found.data()["start"] == results.cuts.start


def test_words_are_those_of_the_tables(results_of):
    results = results_of(signed=True)
    found, row = movable(results.cuts), results.cuts.start
    assert found.shares["purity of the selected"][row] == number(*results.test.precision)
    assert found.shares["signal efficiency"][row] == number(*results.test.recall)
    kept = results.test.operating.background_efficiency
    assert float(found.shares["rejection"][row].partition(" ")[0]) == pytest.approx(1 / kept, rel=0.02)


def test_a_cut_with_too_little_background_has_no_significance(results_of):
    results = results_of(minimum_background=50.0)
    found, effective = movable(results.cuts), results.cuts.expected.effective_background
    for words, count in zip(found.expected["Asimov"], effective, strict=True):
        assert (words == "-") == (count < 50)


def test_the_measure_that_is_optimised_is_among_them(results_of):
    assert "Punzi" in movable(results_of(optimise="punzi").cuts).expected
    assert "Punzi" not in movable(results_of().cuts).expected

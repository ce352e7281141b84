from __future__ import annotations

import pytest

from hepclf.presentation.page.movable import movable
from hepclf.words import number


def test_every_column_has_a_word_for_each_cut(verdict_of):
    verdict = verdict_of(signed=True)
    found = movable(verdict.cuts)
    assert {len(words) for words in found.columns.values()} == {len(verdict.cuts.cuts)}
    assert found.data()["start"] == verdict.cuts.start


def test_words_are_those_of_the_tables(verdict_of):
    verdict = verdict_of(signed=True)
    found, row = movable(verdict.cuts), verdict.cuts.start
    assert found.shares["purity of the selected"][row] == number(*verdict.test.precision)
    assert found.shares["signal efficiency"][row] == number(*verdict.test.recall)
    kept = verdict.test.operating.background_efficiency
    assert float(found.shares["rejection"][row].partition(" ")[0]) == pytest.approx(1 / kept, rel=0.02)


def test_a_cut_with_too_little_background_has_no_significance(verdict_of):
    verdict = verdict_of(minimum_background=50.0)
    found, effective = movable(verdict.cuts), verdict.cuts.expected.effective_background
    for words, count in zip(found.expected["Asimov"], effective, strict=True):
        assert (words == "-") == (count < 50)


def test_the_measure_that_is_optimised_is_among_them(verdict_of):
    assert "Punzi" in movable(verdict_of(optimise="punzi").cuts).expected
    assert "Punzi" not in movable(verdict_of().cuts).expected

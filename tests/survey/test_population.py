from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events, Origin
from hepclf.statistics.value import NOTHING
from hepclf.survey.population import classes, processes


def events(n=1000, **columns):
    return Events(features=np.zeros((n, 1)), labels=np.arange(n) % 2, names=("x",), **columns)


def test_classes_and_processes_are_counted():
    weights = np.where(np.arange(1000) % 4 == 0, -0.5, 1.0)
    given = events(weights=weights, processes=np.arange(1000) % 4, process_names=("qcd", "higgs", "top", "vbf"))
    background, signal = classes(given)
    assert (background.events, background.weight.value, signal.weight.value) == (500, 125, 500)
    assert background.weight.error == pytest.approx(np.sqrt(250 * 1.25))
    assert background.effective == pytest.approx(125**2 / (250 * 1.25))
    assert background.negative == pytest.approx(1 / 3)
    assert background.heaviest == pytest.approx(1 / 375)
    rows = {row.name: row for row in processes(given)}
    assert list(rows) == ["qcd", "top", "higgs", "vbf"]
    assert [row.class_ for row in rows.values()] == ["background", "background", "signal", "signal"]
    assert (rows["qcd"].negative, rows["vbf"].negative) == (1, 0)


def test_splits_are_counted_where_they_are_known():
    assert classes(events())[0].splits is None
    parts = (np.arange(1000) % 5 % 3).astype(np.int8)
    assert classes(events(), parts)[1].splits == {"train": 200, "valid": 200, "test": 100}


def test_a_process_knows_what_was_read_of_it_even_if_nothing_was_selected():
    origins = (Origin("a", 2, 900, 500), Origin("b", 1, 700, 500), Origin("cut", 3, 40, 0))
    given = events(process_names=("a", "b", "cut"), origins=origins)
    rows = processes(given)
    assert [(row.name, row.class_, row.events) for row in rows] == [
        ("a", "background", 500),
        ("b", "signal", 500),
        ("cut", None, 0),
    ]
    assert rows[2].to_dict(None) | {"files": 3, "entries": 40, "selected": 0} == rows[2].to_dict(None)
    assert (rows[2].weight.value, rows[2].effective, rows[2].negative) == (0, 0, 0)


def test_a_process_of_two_classes_is_told_in_each():
    given = events(processes=np.zeros(1000), process_names=("both",))
    assert [(row.name, row.class_, row.events) for row in processes(given)] == [
        ("both", "background", 500),
        ("both", "signal", 500),
    ]


def test_the_sum_of_weights_is_a_yield_where_there_is_a_luminosity():
    (row, _) = classes(events())
    assert row.to_dict(None)["expected_yield"] is None
    assert row.to_dict(140.0)["expected_yield"] == row.to_dict(140.0)["sum_of_weights"] == row.weight.to_dict()


def test_weights_that_are_not_finite_leave_no_sums():
    weights = np.ones(1000)
    weights[0] = np.nan
    background, signal = classes(events(weights=weights))
    assert background[3:7] == (NOTHING, None, None, None)
    assert signal.weight.value == 500

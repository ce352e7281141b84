from __future__ import annotations

import numpy as np
import pytest

from hepclf.survey import ascending
from hepclf.survey.ascending import Ascending
from hepclf.survey.shape import BINS, HistogramSums, edges


def ordered(values):
    return Ascending(np.asarray(values, dtype=np.float32))


def shape(values, labels, weights, classes=2):
    order = ordered(values)
    binned = HistogramSums(order, classes)
    for part in order.chunks():
        binned.add(part, labels[part.places], weights[part.places])
    return binned.shape()


def test_densities_are_those_of_numpy_and_include_what_lies_beyond(monkeypatch):
    monkeypatch.setattr(ascending, "CHUNK", 100)
    rng = np.random.default_rng(0)
    values = rng.normal(size=5000).astype(np.float32)
    values[:2] = -1e3, 1e4
    labels, weights = np.arange(5000) % 2, rng.normal(1, 0.5, 5000)
    found = shape(values, labels, weights)
    assert found.outside == 2 / 5000
    for label, of in enumerate(found.histograms):
        mine = labels == label
        sums = np.histogram(values[mine], found.edges, weights=weights[mine])[0]
        squares = np.histogram(values[mine], found.edges, weights=weights[mine] ** 2)[0]
        area = weights[mine].sum() * np.diff(found.edges)
        np.testing.assert_allclose(of.density, sums / area)
        np.testing.assert_allclose(of.error, np.sqrt(squares) / area)


def test_the_lowest_and_the_highest_value_lie_within():
    found = shape(np.linspace(0, 1, 101), np.zeros(101, dtype=np.int64), np.ones(101), classes=1)
    assert found.outside == 0
    assert found.histograms[0].density @ np.diff(found.edges) == pytest.approx(1)


def test_a_class_without_positive_weight_has_no_histogram():
    found = shape([1.5, 2.5, 3.0], np.array([0, 1, 1]), np.array([1.0, 1.0, -1.0]))
    assert found.histograms[0] is not None
    assert found.histograms[1] is None


def test_whole_numbers_lie_in_the_middle_of_their_bins():
    np.testing.assert_array_equal(edges(ordered([0, 1, 1, 4])), [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5])


def test_bins_of_many_whole_numbers_hold_equally_many():
    found = edges(ordered(np.arange(1000)))
    assert set(np.diff(found)) == {50.0}
    assert found[0] == -0.5
    assert found[-1] >= 999.5


@pytest.mark.parametrize("value", [0.3, -7.25, 1e6 + 0.5, 1e-30, 0.0])
def test_a_constant_has_room_around_it(value):
    found = edges(ordered([value] * 5))
    assert found[0] < np.float32(value) < found[-1]
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize(("events", "bins"), [(100, 10), (1000, 20), (100_000, BINS)])
def test_few_events_have_few_bins(events, bins):
    assert len(edges(ordered(np.random.default_rng(0).random(events)))) == bins + 1


def test_a_far_value_does_not_stretch_the_axis():
    rng = np.random.default_rng(0)
    found = edges(ordered([*rng.normal(size=10_000), 1e9]))
    assert found[0] > -5.2
    assert found[-1] == pytest.approx(2.576 * 2, abs=0.2)

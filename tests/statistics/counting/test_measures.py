from __future__ import annotations

import math

import numpy as np
import pytest

from hepclf.statistics.counting.measures import MEASURES, Counts, Rules, available_measures, measure, propagated
from hepclf.statistics.counting.significance import asimov, s_over_sqrt_b

RULES = Rules(optimise="asimov", systematic=0.1, minimum_background=10)


def above(s, b, squares=0.0, total=100.0):
    return Counts(*map(np.asarray, (s, b, s, squares)), total=total)


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("s_over_sqrt_b", 1),
        ("s_over_sqrt_s_plus_b", 0.95346259),
        ("asimov", 0.9839916448),
        ("asimov_systematic", 0.6901960633),
        ("ams", 0.9395373742),
        ("punzi", 0.1 / 12.5),
        ("li_ma", float(asimov(10, 100, math.sqrt(100 / 2)))),
    ],
)
def test_each_measure_of_ten_over_a_hundred(name, figure):
    rules = Rules(optimise="asimov", systematic=0.1, minimum_background=10, off_exposure=2)
    assert float(measure(name, above(10.0, 100.0), rules)) == pytest.approx(figure, rel=1e-8)


def test_the_constants_of_the_measures_are_heeded():
    rules = Rules(optimise="asimov", systematic=0.1, minimum_background=10, punzi_sigmas=3, ams_background=0)
    assert float(measure("punzi", above(50.0, 100.0), rules)) == pytest.approx(0.0434782609)
    assert float(measure("ams", above(10.0, 100.0), rules)) == pytest.approx(0.9839916447569484)


def test_on_and_off_counts_need_an_off_region():
    assert "li_ma" not in available_measures(RULES)
    assert set(available_measures(Rules(**vars(RULES) | {"off_exposure": 1.0}))) == set(MEASURES)
    assert np.isnan(measure("li_ma", above([10.0], [100.0]), RULES)).all()


@pytest.mark.parametrize(("s", "b"), [(10, 100), (1e-6, 3), (1e5, 1e-3), (3, 1e8), (500, 10)])
def test_derivatives_are_those_of_the_closed_form(s, b):
    at, z = np.array([s, b, b], dtype=float), float(asimov(s, b))
    by_s, by_b = math.log1p(s / b) / z, (math.log1p(s / b) - s / b) / z
    errors = 0.1 * s, 0.2 * b
    covariance = np.diag([errors[0] ** 2, errors[1] ** 2, 0])
    expected = math.hypot(by_s * errors[0], by_b * errors[1])
    # Where s << b both forms lose digits in ln(1+x) - x alone.
    found = propagated(lambda s, b, _: asimov(s, b), at, covariance)
    assert list(map(float, found)) == pytest.approx([z, expected], rel=1e-5)
    naive = math.hypot(errors[0] / math.sqrt(b), s * errors[1] / 2 / b**1.5)
    assert propagated(lambda s, b, _: s_over_sqrt_b(s, b), at, covariance)[1] == pytest.approx(naive, rel=1e-6)


def test_many_cuts_are_propagated_as_one():
    at = np.array([[10.0, 5.0], [100.0, 3.0], [100.0, 4.0]])
    covariance = np.stack([np.diag([10.0, 100, 0]), np.diag([5.0, 3, 0])], axis=2)
    both = propagated(lambda s, b, _: asimov(s, b), at, covariance)
    for i in range(2):
        one = propagated(lambda s, b, _: asimov(s, b), at[:, i], covariance[:, :, i])
        assert [float(row[i]) for row in both] == pytest.approx([float(row) for row in one], rel=1e-12)


def test_at_no_signal_the_error_is_that_of_the_limit():
    found = propagated(lambda s, b, _: asimov(s, b), np.array([0.0, 25.0, 25.0]), np.diag([4.0, 9.0, 0]))
    assert list(map(float, found)) == pytest.approx([0, 2 / 5], abs=1e-4)

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from hepclf.statistics.curves.limit import (
    Limit,
    background_limit,
    heaviest,
    interval_of_few,
    purity_limit,
    rejection_limit,
    rejection_text,
)
from hepclf.statistics.value import NOTHING, Value, measured


def test_the_limits_of_equal_weights_are_the_poisson_ones():
    # The upper limit of no counts is half the chi-squared quantile of two degrees of freedom.
    found = rejection_limit(1000.0, 1.0)
    assert found.at_90 == pytest.approx(1000 / (chi2.ppf(0.90, 2) / 2), rel=1e-12)
    assert found.at_95 == pytest.approx(1000 / (chi2.ppf(0.95, 2) / 2), rel=1e-12)
    assert (found.at_90, found.at_95) == pytest.approx((434.3, 333.8), rel=1e-3)


def test_a_limit_does_not_know_the_unit_of_the_weights():
    assert rejection_limit(50.0, 0.05) == pytest.approx(rejection_limit(1000.0, 1.0))


def test_the_heaviest_process_sets_the_weight_of_the_next_event():
    weights, processes = np.array([1, 1, 1, 10, 30, -2, 2.0]), np.array([0, 0, 0, 3, 3, 5, 5])
    assert heaviest(weights, processes) == pytest.approx((100 + 900) / 40)
    assert heaviest(weights[:3], processes[:3]) == 1
    assert heaviest(weights[5:], processes[5:]) == 2
    assert heaviest(np.zeros(0), np.zeros(0, dtype=np.int64)) == 0


@pytest.mark.parametrize(("level", "name"), [(0.90, "at_90"), (0.95, "at_95")])
@pytest.mark.parametrize("rare", [0.0, 0.5, 1.0])
def test_a_limit_is_wrong_at_most_as_often_as_it_says(level, name, rare):
    # Two processes of weights 1 and 20, of which what passes the cut holds any mixture. Of the experiments with a true
    # rejection at the limit, at most 1 - confidence see nothing and would exclude it.
    rng = np.random.default_rng(1)
    limit = getattr(rejection_limit(20_000.0, 20.0), name)
    mean_weight = (1 - rare) * 1 + rare * 20
    expected = 20_000 / (0.999 * limit) / mean_weight
    seen = rng.poisson(expected, 40_000)
    assert np.mean(seen == 0) <= 1 - level + 0.005
    if rare == 1:
        assert np.mean(seen == 0) == pytest.approx(1 - level, abs=0.006)


def test_no_event_seen_is_less_than_three_expected_at_95():
    found = background_limit(2.0)
    assert found == pytest.approx((chi2.ppf(0.90, 2), chi2.ppf(0.95, 2)), rel=1e-12)


def test_a_purity_without_background_is_above_that_of_three_events_of_it():
    found = purity_limit(30.0, 2.0)
    assert found == pytest.approx((30 / (30 + chi2.ppf(0.90, 2)), 30 / (30 + chi2.ppf(0.95, 2))), rel=1e-12)
    assert found.at_95 == pytest.approx(0.8335, abs=1e-4)
    assert purity_limit(0.0, 2.0) is purity_limit(-1.0, 2.0) is purity_limit(3.0, 0.0) is None


def test_a_rejection_of_few_events_has_the_poisson_interval():
    # Two of 3000 events pass: 1500 ± 1060. Half the chi-squared quantiles of 2n and 2n + 2 are Garwood's ends.
    low, high = interval_of_few(Value(1500.0, 1500 / np.sqrt(2)))
    assert low == pytest.approx(3000 / (chi2.ppf(0.841344746, 6) / 2))
    assert high == pytest.approx(3000 / (chi2.ppf(0.158655254, 4) / 2))
    assert rejection_text(Value(1500.0, 1500 / np.sqrt(2))) == "647–4240 (1σ)"


def test_only_few_events_have_an_interval():
    assert interval_of_few(Value(300.0, 301 / np.sqrt(10))) is not None
    assert interval_of_few(Value(300.0, 299 / np.sqrt(10))) is None
    assert rejection_text(Value(300.0, 53.0)) == "300 ± 53"
    assert rejection_text(Value(300.0)) == "300.0"
    assert rejection_text(NOTHING) == "-"
    assert rejection_text(NOTHING, Limit(10.0, 13.35)) == "> 13.35 (95 %)"


@pytest.mark.parametrize("mean", [2.0, 4.0, 8.0])
def test_an_interval_of_few_events_covers_the_truth(mean):
    # Of experiments with a true rejection of 1000 / mean that see 1 to 9 events, at least 68 % cover it.
    counts = np.random.default_rng(1).poisson(mean, 4000)
    intervals = {n: interval_of_few(measured(1000 / n, 1000 / n**1.5)) for n in range(1, 10)}
    covered = [intervals[n][0] <= 1000 / mean <= intervals[n][1] for n in counts if n in intervals]
    assert np.mean(covered) >= 0.68


def test_no_rejection_is_below_one():
    assert interval_of_few(Value(1.2, 1.1))[0] == 1

from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.curves.alarms import (
    false_alarm_probability,
    false_alarm_rate,
    quiet_efficiency_error,
    quiet_search,
)
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import curve
from hepclf.statistics.value import NOTHING, Value, efficiency_error


def of(labels, scores, weights=None):
    weights = np.ones(len(labels)) if weights is None else weights
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, weights)


def test_the_loudest_event_has_a_rate_of_one_in_the_live_time():
    assert false_alarm_rate([0, 1, 9], 100.0).tolist() == [0.01, 0.02, 0.1]
    assert false_alarm_rate(-3, 100.0) == 0.01


def test_the_probability_is_the_reference_one():
    # PyCBC's significance.py: T = 1, T_bg = 1e5, no louder event
    assert false_alarm_probability(0, 1e5, 1.0) == pytest.approx(9.99995e-6, rel=1e-9)
    assert false_alarm_probability([0, 9], 10.0, 1.0) == pytest.approx(1 - np.exp([-0.1, -1]), rel=1e-14)


def test_the_probability_of_a_rate_is_that_of_a_simulated_search():
    """Of the loudest events of searches without a signal, a share p has a probability of p or less."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2000):
        background = np.sort(rng.random(rng.poisson(200)))
        observed = rng.random(rng.poisson(20))
        loudest = observed.max() if len(observed) else -1.0
        found.append(false_alarm_probability((background >= loudest).sum(), 10.0, 1.0))
    for p in (0.05, 0.2, 0.5):
        share = (np.array(found) <= p).mean()
        # n + 1 makes it conservative, by a step of the rate at most
        assert p - 0.1 * np.exp(-p) - 0.03 < share < p + 0.025


@pytest.mark.parametrize("ties", [None, 12])
def test_the_cut_is_the_lowest_that_is_quiet_enough(drawn, ties):
    labels, scores, _ = drawn(500, seed=1, ties=ties)
    for rate in (0.01, 0.05, 0.3, 1.0, 50.0):
        found = quiet_search(of(labels, scores), 100.0, rate)
        allowed = [c for c in np.unique(scores) if (scores[labels == 0] >= c).sum() + 1 <= 100 * rate + 1e-9]
        assert found.cut == (min(allowed) if allowed else None)
        kept = scores >= (min(allowed) if allowed else np.inf)
        assert found.efficiency.value == pytest.approx(kept[labels == 1].mean(), rel=1e-12)
        assert found.louder == kept[labels == 0].sum()
        n = found.louder + 1
        assert found.rate == pytest.approx(Value(n / 100, np.sqrt(n) / 100))


def test_a_rate_below_one_in_the_live_time_cannot_be_known(drawn):
    labels, scores, _ = drawn(500, seed=1)
    assert quiet_search(of(labels, scores), 100.0, 0.0099) == (0.0099, NOTHING, None, None, NOTHING)
    assert quiet_search(of(labels, scores), 100.0, 0.01).louder == 0


def test_where_the_loudest_event_is_background_nothing_is_quiet():
    found = quiet_search(of([0, 1, 1], [0.9, 0.8, 0.7]), 10.0, 0.1)
    assert (found.louder, found.cut, found.efficiency) == (0.0, None, Value(0.0))


def test_a_sample_without_signal_has_no_efficiency():
    assert quiet_search(of([0, 0], [0.9, 0.8]), 10.0, 1.0).efficiency == NOTHING


def test_the_error_of_the_efficiency_covers_what_repeated_searches_give():
    rng = np.random.default_rng(2)
    values, errors = [], []
    for _ in range(300):
        n = rng.poisson(2000)
        labels = np.append(np.zeros(n), np.ones(800))
        found = quiet_search(of(labels, rng.normal(2 * labels)), 100.0, 0.2)
        values.append(found.efficiency.value)
        errors.append(found.efficiency.error)
    assert np.std(values) == pytest.approx(np.mean(errors), rel=0.2)


def test_weights_count_as_events():
    labels, scores = np.array([1, 0, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    found = quiet_search(of(labels, scores, np.array([1.0, 2.0, -1.0, 1.0, 4.0])), 10.0, 0.3)
    assert (found.louder, found.cut, found.efficiency.value) == (2.0, 0.6, 1.0)


def test_the_error_with_negative_weights_is_that_of_a_loop(drawn):
    curve = of(*drawn(300, weights="signed"))
    index = np.arange(0, len(curve.thresholds), 7)
    highest = np.maximum.accumulate(curve.background)
    assert (highest != curve.background).any()
    for at, error in zip(index, quiet_efficiency_error(curve, index), strict=True):
        spread = np.sqrt(curve.background_squares[at] + 1)
        ends = [[k for k, h in enumerate(highest) if h <= highest[at] + sign * spread] for sign in (-1, 1)]
        low, high = (curve.signal_efficiency[end[-1]] if end else 0.0 for end in ends)
        own = efficiency_error(curve.signal[at], curve.signal[-1], curve.signal_squares[at], curve.signal_squares[-1])
        assert error == pytest.approx(np.hypot(own, (high - low) / 2))

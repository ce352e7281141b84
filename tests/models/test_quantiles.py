from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepclf.models.quantiles import quantiles

SHARES = (0.0, 0.1587, 0.25, 0.5, 0.8413, 1.0)
EVENTS = st.lists(st.tuples(st.floats(-1000, 1000, width=32), st.integers(0, 4)), min_size=1)


@given(EVENTS, st.floats(1e-6, 1e6))
def test_they_are_those_of_as_many_copies_as_the_weight_says(events, factor):
    values, weights = (np.array(column) for column in zip(*events, strict=True))
    if not weights.any():
        return
    expected = np.quantile(np.repeat(values, weights), SHARES, method="averaged_inverted_cdf")
    made = quantiles(values.astype(np.float32), factor * weights, SHARES)
    assert made == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_the_median_of_events_that_weigh_the_same_is_the_usual_one():
    for count in (1, 2, 999, 1000):
        values = np.random.default_rng(count).normal(size=count).astype(np.float32)
        assert quantiles(values, np.full(count, 0.1), (0.5,))[0] == np.median(values.astype(np.float64))


def test_they_agree_with_numpy_on_real_weights():
    rng = np.random.default_rng(0)
    values, weights = rng.exponential(size=5000).astype(np.float32), rng.lognormal(0, 2, 5000)
    shares = np.linspace(0.001, 0.999, 99)
    expected = np.quantile(values, shares, weights=weights, method="inverted_cdf")
    assert quantiles(values, weights, shares) == pytest.approx(expected, rel=1e-7)

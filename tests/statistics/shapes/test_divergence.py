from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from hepclf.statistics.shapes.divergence import BinSums, bin_sums, divergence, jensen_shannon

BINS = 20
FLAT = np.full(BINS, 1 / BINS)


def tilted(slope):
    shape = np.exp(slope * np.linspace(-1, 1, BINS))
    return shape / shape.sum()


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_it_is_the_square_of_scipys_distance_in_bits(first, second):
    p, q = (np.array(side) + 1e-6 for side in (first, second))
    p, q = p / p.sum(), q / q.sum()
    # scipy takes the root of a difference that rounding leaves near 1e-16.
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-13)
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p), abs=1e-15)


def test_equal_shapes_are_zero_bits_apart_and_disjoint_ones_one():
    assert jensen_shannon(FLAT, FLAT) == 0
    halves = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])
    assert jensen_shannon(*halves) == pytest.approx(1)


def test_bins_of_many_events_leave_no_bias_and_little_error():
    p, q = (BinSums(1e9 * shape, 1e9 * shape) for shape in (tilted(0.7), FLAT))
    found = divergence(p, q)
    assert found.bits.value == pytest.approx(jensen_shannon(tilted(0.7), FLAT), rel=1e-5)
    assert found.bits.error < 1e-3 * found.bits.value
    assert found.inverse.value == pytest.approx(1 / found.bits.value)
    assert found.inverse.error == pytest.approx(found.bits.error / found.bits.value**2)
    assert found.at_least == pytest.approx(1 / found.bits.value, rel=1e-3)


@pytest.mark.parametrize("weights", ["unit", "signed", "heavy"])
@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_the_bias_is_gone_and_the_error_is_the_spread(slope, weights):
    rng = np.random.default_rng(5)
    n = {"unit": 1000, "signed": 4000, "heavy": 4000}[weights]
    shapes = (tilted(slope), FLAT)
    found = []
    for _ in range(200):
        drawn = []
        for shape in shapes:
            sizes = {
                "unit": np.ones(n),
                "signed": np.where(rng.random(n) < 0.15, -1.0, 1.0),
                "heavy": rng.lognormal(0, 1, n),
            }[weights]
            drawn.append(bin_sums(rng.choice(BINS, n, p=shape), sizes, BINS))
        found.append(divergence(*drawn).bits)
    values, errors = np.array(found, dtype=np.float64).T
    spread = values.std(ddof=1)
    # The mean of 200 lies within 4 of its errors; without the subtraction it would be 20 to 50 of them away at slope 0.
    assert values.mean() == pytest.approx(jensen_shannon(*shapes), abs=4 * spread / np.sqrt(200))
    # Measured 0.94-1.12 over the six cases; the spread of 200 is known to 5 % or more.
    assert 0.85 < errors.mean() / spread < 1.25


def test_too_few_events_have_a_reason_instead():
    few = divergence(bin_sums(np.arange(BINS), np.ones(BINS), BINS), BinSums(1e4 * FLAT, 1e4 * FLAT))
    assert few.bits.value is None
    assert few.inverse.value is None
    assert few.at_least is None
    assert few.reason == "an effective count of 20 on one side is under 10 for each of 20 bins; give fewer"


def test_one_value_alone_has_no_shape():
    one = bin_sums(np.zeros(500, dtype=np.intp), np.ones(500), 1)
    assert divergence(one, one).reason == "all values are in one bin"


def test_weights_that_cancel_have_a_reason_too():
    nothing = bin_sums(np.arange(BINS).repeat(2), np.tile([1.0, -1.0], BINS), BINS)
    assert divergence(BinSums(1e4 * FLAT, 1e4 * FLAT), nothing).reason.startswith("an effective count of 0 ")


def test_a_bin_of_negative_weight_counts_as_empty():
    sums = 1e4 * FLAT
    sums[3] = -50
    found = divergence(BinSums(sums, np.abs(sums)), BinSums(1e4 * FLAT, 1e4 * FLAT))
    empty = np.where(sums > 0, sums, 0)
    raw = jensen_shannon(empty / empty.sum(), FLAT)
    assert found.bits.value + found.bias == pytest.approx(raw)


def test_shapes_that_look_alike_have_a_limit_and_no_inverse():
    # A hand-made pair of exactly equal histograms: the subtracted bias leaves less than nothing.
    found = divergence(BinSums(1e4 * FLAT, 1e4 * FLAT), BinSums(1e4 * FLAT, 1e4 * FLAT))
    assert found.bits.value < 0
    assert found.inverse.value is None
    assert found.at_least == pytest.approx(1 / (1.6448536 * found.bits.error))


def test_the_p_value_of_equal_weights_is_scipys_g_test():
    rng = np.random.default_rng(3)
    first, second = (rng.choice(BINS, 5000, p=FLAT) for _ in range(2))
    table = [np.bincount(drawn, minlength=BINS) for drawn in (first, second)]
    oracle = chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue
    found = divergence(*(bin_sums(drawn, np.ones(5000), BINS) for drawn in (first, second)))
    assert found.p == pytest.approx(oracle, rel=1e-9)


@pytest.mark.parametrize("weights", ["unit", "signed", "heavy"])
def test_equal_shapes_are_rejected_as_often_as_stated(weights):
    rng = np.random.default_rng(4)
    p = []
    draw = {
        "unit": lambda: np.ones(2000),
        "signed": lambda: np.where(rng.random(2000) < 0.15, -1.0, 1.0),
        "heavy": lambda: rng.lognormal(0, 1, 2000),
    }[weights]
    for _ in range(600):
        p.append(divergence(*(bin_sums(rng.choice(BINS, 2000, p=FLAT), draw(), BINS) for _ in range(2))).p)
    # 600 have an error of 0.9 %; measured with 2,000: 5.1, 4.9 and 3.9 %.
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)


def test_disjoint_shapes_are_certain_to_differ():
    first, second = (bin_sums(np.repeat(np.arange(side, BINS, 2), 40), np.ones(400), BINS) for side in (0, 1))
    oracle = chi2_contingency([first.sums, second.sums], correction=False, lambda_="log-likelihood").pvalue
    assert oracle < 1e-100
    assert np.log(divergence(first, second).p) == pytest.approx(np.log(oracle), rel=1e-6)

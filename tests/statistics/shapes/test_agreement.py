from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from hepclf.statistics.shapes.agreement import Entries, agreement, histogram_edges

EDGES = np.linspace(-2, 2, 21)
WEIGHTS = {
    "unit": lambda _, n: np.ones(n),
    "light": lambda _, n: np.full(n, 0.1),
    "signed": lambda rng, n: np.where(rng.random(n) < 0.2, -0.3, 0.3),
    "heavy": lambda rng, n: 0.3 * rng.lognormal(0, 0.8, n),
}


def drawn(seed, kind="unit", simulated=4000, shift=0.0, weighted_data=False, share=0.5):
    """Two classes apart by one, and data of as many events as their weights expect."""
    rng = np.random.default_rng(seed)
    classes = []
    for place in (0, 1):
        x = rng.normal(place - 0.5, 1, simulated // 2)
        classes.append(Entries(x, WEIGHTS[kind](rng, len(x))))
    count = rng.poisson(sum(each.weights.sum() for each in classes))
    x = rng.normal((rng.random(count) < share) - 0.5, 1) + shift
    weights = 1 + (rng.random(count) < 0.3) if weighted_data else np.ones(count)
    return classes, Entries(x, weights.astype(np.float64))


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("weighted_data", [False, True])
def test_data_from_the_simulated_mixture_has_a_uniform_p_value(kind, weighted_data):
    p = np.array(
        [agreement(*drawn(seed, kind, weighted_data=weighted_data), EDGES, scaled=True).p for seed in range(400)]
    )
    # A share of 400 has an error of 1.1 % and 2.5 %; heavy tails make simulation's own errors uncertain, measured 9 %.
    assert 0.015 < (p < 0.05).mean() < (0.125 if kind == "heavy" else 0.085)
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.075)


def test_yields_have_a_uniform_p_value_too_where_both_fluctuate():
    def once(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=rng.poisson(8000))
        seen = rng.normal(size=rng.poisson(2000))
        return agreement([Entries(x, np.full(len(x), 0.25))], Entries(seen, np.ones(len(seen))), EDGES, scaled=False).p

    p = np.array([once(seed) for seed in range(400)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.035)
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.075)


def test_plain_counts_have_the_chi2_of_a_contingency_table():
    # Pearson's error of data from simulation alone, rather than from both samples together: nearly the same.
    classes, seen = drawn(0)
    found = agreement(classes, seen, np.linspace(-1.5, 1.5, 9), scaled=True)
    table = np.array([found.expected.sum(axis=0) / found.scale, found.seen])
    oracle = chi2_contingency(table, correction=False)
    assert found.ndf == oracle.dof
    assert found.chi2 == pytest.approx(oracle.statistic, rel=0.05)
    assert found.p == pytest.approx(chi2.sf(found.chi2, found.ndf))


def test_chi2_of_shapes_is_the_least_over_a_shift_of_the_scale():
    classes, seen = drawn(1, "signed")
    found = agreement(classes, seen, np.linspace(-1, 1, 6), scaled=True)
    m, d = found.expected.sum(axis=0), found.seen
    variance = found.squares + m
    scales = np.linspace(0.8, 1.2, 40_001)
    every = ((d - scales[:, None] * m) ** 2 / variance).sum(axis=1)
    assert found.chi2 == pytest.approx(every.min(), rel=1e-6)


@pytest.mark.parametrize("change", [{"shift": 0.2}, {"share": 0.7}])
def test_other_data_is_found(change):
    assert agreement(*drawn(0, **change), EDGES, scaled=True).p < 1e-4


def test_a_wrong_yield_is_found_only_where_yields_are_compared():
    classes, seen = drawn(0)
    half = Entries(seen.values[::2], seen.weights[::2])
    assert agreement(classes, half, EDGES, scaled=True).p > 0.01
    assert agreement(classes, half, EDGES, scaled=False).p < 1e-10
    assert agreement(classes, half, EDGES, scaled=True).scale == pytest.approx(0.5, abs=0.02)


def test_every_event_is_counted_and_missing_values_are_said():
    classes, seen = drawn(0)
    values = seen.values.copy()
    values[:100] = np.nan
    found = agreement(classes, Entries(values, seen.weights), EDGES, scaled=False)
    assert found.seen.sum() == len(values) - 100
    assert found.expected.sum() == pytest.approx(4000)
    assert found.missing == (0, pytest.approx(100 / len(values)))


def test_too_few_events_have_no_p_value():
    classes, seen = drawn(0)
    few = Entries(seen.values[:5], seen.weights[:5])
    assert agreement(classes, few, EDGES, scaled=True).p is None
    none = Entries(np.empty(0), np.empty(0))
    assert agreement(classes, none, EDGES, scaled=True).p is None
    assert agreement([none, none], seen, EDGES, scaled=True).p is None


@pytest.mark.parametrize(
    ("values", "first", "last", "bins"),
    [
        (np.array([0, 1, 1, 2, 3, np.nan]), -0.5, 3.5, 4),
        (np.array([2.5, 2.5]), 2.5, 3.5, 40),
        (np.array([np.nan]), 0, 1, 1),
        (np.linspace(0, 1000, 10_001), 5, 995, 40),
    ],
)
def test_edges_suit_the_values(values, first, last, bins):
    edges = histogram_edges(values)
    assert (edges[0], edges[-1], len(edges) - 1) == (pytest.approx(first), pytest.approx(last), bins)

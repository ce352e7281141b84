from __future__ import annotations

import numpy as np
import pytest

from hepclf.scored import Scored
from hepclf.statistics.counting.template import Template, template


def make(b, s=None, squares=None, edges=None):
    """A template of one background, and a signal of 1 in each bin unless given; unit weights."""
    b = np.asarray(b, dtype=float)
    s = np.ones_like(b) if s is None else np.asarray(s, dtype=float)
    rows = np.stack([b, s])
    sums = np.stack([rows, rows if squares is None else np.asarray(squares, dtype=float), rows, rows])
    found = np.linspace(0, 1, len(b) + 1) if edges is None else np.asarray(edges, dtype=float)
    return Template(found, ("qcd", "higgs"), np.array([False, True]), sums)


def test_bins_are_numpys_and_hold_what_lies_beyond_their_ends():
    rng = np.random.default_rng(0)
    n, edges = 5000, np.array([0.1, 0.2, 0.5, 0.9])
    scores, weights = np.round(rng.random(n), 2), rng.normal(0.5, 1, n)
    of = Scored(labels=rng.integers(0, 2, n), scores=scores, weights=weights)
    found = template(scores, of, 1, weights, edges)
    inside = np.clip(scores, 0.1, 0.9)
    for g, label in enumerate((0, 1)):
        for p in range(4):
            counts, _ = np.histogram(inside, edges, weights=weights ** (p + 1) * (of.labels == label))
            np.testing.assert_allclose(found.sums[p, g], counts, atol=1e-9)


def test_wider_bins_hold_the_same_events():
    found = make([1, 2, 3, 4]).onto(np.array([0, 0.25, 1.0]))
    np.testing.assert_array_equal(found.channels.b, [1, 9])
    np.testing.assert_array_equal(found.channels.s, [1, 3])


@pytest.mark.parametrize(
    ("b", "s", "left"),
    [
        ([50, 40, 30], None, [50, 40, 30]),
        ([50, 40, 3], None, [50, 43]),
        ([3, 40, 30], None, [43, 30]),
        ([50, -5, 30], None, [45, 30]),
        ([50, 40, 0], None, [50, 40]),
        ([50, 40, 30], [1, 2, -1], [50, 70]),
        ([1, 2, 3], None, [6]),
    ],
)
def test_a_bin_that_falls_short_joins_the_one_below_it(b, s, left):
    found = make(b, s, squares=np.abs(np.stack([b, np.ones(len(b))]))).sound(10)
    np.testing.assert_array_equal(found.channels.b, left)
    assert (found.edges[0], found.edges[-1]) == (0, 1)

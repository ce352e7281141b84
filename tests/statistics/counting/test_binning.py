from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from hepclf.statistics.counting import binning
from hepclf.statistics.counting.binning import best_edges, even_edges
from hepclf.statistics.counting.significance import asimov, combine
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, curve


def drawn(n=3000, seed=0, separation=2.0, ties=None, weights=(0.02, 1.0)):
    rng = np.random.default_rng(seed)
    signal = rng.random(n) < 0.4
    scores = 1 / (1 + np.exp(-rng.normal(separation * signal)))
    if ties:
        scores = np.round(scores * ties) / ties
    return curve(Ranking(scores), signal, np.where(signal, *weights)), scores, signal


def significance(scores, signal, edges, minimum=0.0, weights=(0.02, 1.0)):
    """Combined Asimov significance of bins, each background known to its statistical error; nan if one is too poor."""
    z = []
    for low, high in pairwise([-np.inf, *edges, np.inf]):
        held = (scores >= low) & (scores < high)
        s, n = weights[0] * (held & signal).sum(), (held & ~signal).sum()
        z.append(asimov(s, weights[1] * n, weights[1] * np.sqrt(n)) if n >= minimum else np.nan)
    return float(combine(z))


@pytest.mark.parametrize("minimum", [0, 60])
def test_the_edges_are_the_best_of_all(minimum):
    of, scores, signal = drawn(ties=9)
    inner = np.unique(scores)[1:]
    every = [significance(scores, signal, each, minimum) for k in range(4) for each in combinations(inner, k)]
    found = significance(scores, signal, best_edges(of, 4, minimum), minimum)
    assert np.nanmax(every) * (1 - binning.LOSS) <= found <= np.nanmax(every) * (1 + 1e-12)


def test_more_bins_are_taken_only_where_they_gain(monkeypatch):
    of, scores, signal = drawn()
    few = best_edges(of, 20, 20)
    monkeypatch.setattr(binning, "LOSS", 0.0)
    many = best_edges(of, 20, 20)
    assert len(few) < len(many)
    assert significance(scores, signal, few) >= 0.98 * significance(scores, signal, many)
    assert significance(scores, signal, few) > significance(scores, signal, [])


def test_a_score_that_tells_nothing_gains_nothing_on_other_events():
    of, *_ = drawn(n=20_000, separation=0.0)
    _, *others = drawn(n=20_000, seed=1, separation=0.0)
    gain = significance(*others, best_edges(of, 10, 50)) / significance(*others, [])
    assert 0.98 < gain < 1.03  # measured 1: there are no edges
    constant = curve(Ranking(np.full(100, 0.5)), np.arange(100) < 50, np.ones(100))
    assert len(best_edges(constant, 10, 10)) == 0
    assert len(even_edges(constant, 10, 10)) == 0


def test_each_bin_keeps_its_minimum_of_background():
    of, scores, signal = drawn(separation=1.5)
    for edges in (best_edges(of, 12, 40), even_edges(of, 12, 40)):
        counts, _ = np.histogram(scores[~signal], [0, *edges, 1])
        assert (counts >= 40).all()
        assert len(edges) > 1


def test_without_enough_background_there_are_no_edges():
    of, *_ = drawn(200)
    assert len(best_edges(of, 5, 1000)) == 0
    assert len(even_edges(of, 5, 1000)) == 0


def test_equal_parts_of_the_signal():
    of, scores, signal = drawn(separation=0.5)
    counts, _ = np.histogram(scores[signal], [0, *even_edges(of, 5, 10), 1])
    assert counts.max() - counts.min() <= 2
    np.testing.assert_allclose(counts.sum(), signal.sum())


def test_negative_weights_are_summed_as_they_are():
    rng = np.random.default_rng(4)
    _, scores, signal = drawn()
    weights = np.where(signal, 0.02, 1.0) * np.where(rng.random(len(scores)) < 0.2, -1, 1)
    edges = best_edges(curve(Ranking(scores), signal, weights), 6, 20)
    for low, high in pairwise([0, *edges, 1.01]):
        w = weights[(scores >= low) & (scores < high) & ~signal]
        assert w.sum() > 0
        assert w.sum() ** 2 >= 20 * (w @ w)


def test_where_the_background_falls_back_no_bin_runs_upwards():
    sums = np.array([20.0, 50.0, 30.0, 60.0])
    of = Curve(
        np.array([0.9, 0.7, 0.5, 0.1]),
        np.array([2.0, 3, 1, 4]),
        sums,
        np.arange(4) + 1.0,
        np.array([20.0, 50, 70, 100]),
    )
    gains = binning._gains(of, np.arange(4), 0.0)
    assert np.isneginf(gains[np.tril_indices(5)]).all()
    assert np.isfinite(gains[0, 1:]).all()

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from hepclf.statistics.curves.partial import partial_area
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve
from hepclf.statistics.value import NOTHING


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


@pytest.mark.parametrize("weights", ["unit", "heavy"])
@pytest.mark.parametrize("ties", [None, 12])
@pytest.mark.parametrize("high", [0.01, 0.1, 0.5])
def test_the_standardised_area_is_that_of_scikit_learn(drawn, ties, weights, high):
    labels, scores, w = drawn(2000, seed=1, ties=ties, weights=weights)
    expected = roc_auc_score(labels, scores, sample_weight=w, max_fpr=high)
    assert partial_area(of(labels, scores, w), 0, high).standardised.value == pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.2), (0.05, 0.3), (0.4, 1.0)])
@pytest.mark.parametrize("ties", [None, 12])
def test_a_part_is_the_trapezoids_of_the_cut_curve(drawn, ties, low, high):
    labels, scores, w = drawn(2000, seed=2, ties=ties)
    fpr, tpr, _ = roc_curve(labels, scores, sample_weight=w, drop_intermediate=False)
    x = np.unique(np.concatenate([np.linspace(low, high, 200_001), fpr[(fpr > low) & (fpr < high)]]))
    found = partial_area(of(labels, scores, w), low, high)
    assert found.area.value == pytest.approx(np.trapezoid(np.interp(x, fpr, tpr), x), abs=2e-6)
    assert found.mean.value == pytest.approx(found.area.value / (high - low), rel=1e-12)


@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_all_of_it_is_the_area_with_its_error(drawn, weights):
    full = of(*drawn(3000, seed=3, ties=100, weights=weights))
    found = partial_area(full, 0, 1)
    assert found.area == pytest.approx(area(full), rel=1e-9)
    assert found.standardised == pytest.approx(area(full), rel=1e-9)


def test_parts_add_up_to_the_whole(drawn):
    full = of(*drawn(3000, seed=4, weights="signed"))
    parts = [partial_area(full, *ends).area.value for ends in ((0, 0.1), (0.1, 0.6), (0.6, 1))]
    assert (full.background_efficiency < 0).any() or (np.diff(full.background_efficiency) < 0).any()
    assert sum(parts) == pytest.approx(area(full).value, rel=1e-9)


@pytest.mark.parametrize("weights", ["unit", "heavy"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 0.1), (0.2, 0.5)])
def test_the_error_is_the_spread_over_repeated_samples(drawn, weights, low, high):
    # 300 samples know their spread to 4 %; measured 0.97 to 1.03.
    found = [partial_area(of(*drawn(3000, seed=seed, weights=weights)), low, high).area for seed in range(300)]
    spread = np.std([one.value for one in found], ddof=1)
    assert np.sqrt(np.mean([one.error**2 for one in found])) / spread == pytest.approx(1, abs=0.12)


def test_a_perfect_tagger_fills_every_part():
    found = partial_area(of([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], np.ones(4)), 0.1, 0.4)
    assert found.mean == (1.0, None)
    assert found.standardised.value == pytest.approx(1)


def test_a_class_without_weight_has_no_part():
    assert partial_area(of([1, 1], [0.9, 0.8], np.ones(2)), 0, 0.5)[2:] == (NOTHING, NOTHING, NOTHING)


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (-0.1, 0.5), (0.2, 1.1), (0.4, 0.3)])
def test_a_range_that_is_none_is_refused(low, high):
    with pytest.raises(ValueError, match=f"0 <= low < high <= 1, not {low}"):
        partial_area(of([1, 0], [0.9, 0.8], np.ones(2)), low, high)


def test_a_tagger_that_says_the_same_of_all_has_half_of_the_part_for_certain():
    found = partial_area(of(np.arange(100) % 2, np.full(100, 0.5), np.ones(100)), 0.0, 0.1).area
    assert found == (pytest.approx(0.005), None)

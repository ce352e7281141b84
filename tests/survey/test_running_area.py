from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve
from hepclf.statistics.value import NOTHING
from hepclf.survey import ascending
from hepclf.survey.ascending import Ascending
from hepclf.survey.running_area import RunningArea


def area_of(column, in_class, weights):
    running = RunningArea()
    for part in Ascending(np.asarray(column, dtype=np.float32)).chunks():
        running.add(part, in_class[part.places], weights[part.places])
    return running.area()


@pytest.mark.parametrize("ties", [None, 20])
@pytest.mark.parametrize("weights", ["unit", "heavy", "signed"])
def test_the_area_and_its_error_are_those_of_the_curve(drawn, ties, weights, monkeypatch):
    monkeypatch.setattr(ascending, "CHUNK", 100)
    labels, scores, sizes = drawn(3000, ties=ties, weights=weights)
    scores = scores.astype(np.float32)
    expected = area(curve(Ranking(scores.astype(np.float64)), labels == 1, sizes))
    assert area_of(scores, labels == 1, sizes) == pytest.approx(expected, rel=1e-11)


def test_the_area_is_that_of_scikit_learn_in_the_better_direction(drawn):
    labels, scores, sizes = drawn(2000, ties=50)
    expected = roc_auc_score(labels, scores.astype(np.float32), sample_weight=sizes)
    assert area_of(scores, labels == 1, sizes).value == pytest.approx(expected, abs=1e-12)
    assert area_of(-scores, labels == 1, sizes).value == pytest.approx(expected, abs=1e-12)


def test_a_side_without_weight_has_no_area():
    in_class = np.array([True, True, False])
    assert area_of([1, 2, 3], in_class, np.array([1.0, -1.0, 1.0])) == NOTHING
    assert area_of([1, 2, 3], np.ones(3, dtype=bool), np.ones(3)) == NOTHING


def test_one_event_a_side_has_no_error():
    assert area_of([1, 2], np.array([False, True]), np.ones(2)) == (1.0, None)


def test_a_constant_has_an_area_of_a_half_and_no_error():
    weights = np.random.default_rng(0).normal(1, 2, 1000)
    assert area_of(np.full(1000, 3.0), np.arange(1000) % 3 == 0, weights) == (pytest.approx(0.5), None)

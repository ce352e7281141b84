from __future__ import annotations

import json

import numpy as np
import pytest

from hepclf.evaluation.studies.correlations import Correlations


@pytest.fixture
def together(case):
    """A function judging 2,000 events whose first two features are nearly the same."""

    def judge(**settings):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(2000, 3))
        x[:, 1] = x[:, 0] + 0.1 * rng.normal(size=2000)
        scores = 1 / (1 + np.exp(-x[:, 2]))
        return Correlations(**settings).study(case(np.arange(2000) % 2, scores, x, ("a", "b", "c"))), x, scores

    return judge


def test_each_class_has_the_matrix_of_its_features_and_score(together):
    found, x, scores = together()
    assert found.names == ("a", "b", "c", "score")
    for label, name in enumerate(("background", "signal")):
        of = np.arange(2000) % 2 == label
        oracle = np.corrcoef(np.c_[x, scores][of].T)
        assert found.classes[name].value == pytest.approx(oracle, abs=1e-6)


def test_features_that_say_the_same_are_named(together):
    found, *_ = together()
    assert len(found.sentences) == 1
    assert found.sentences[0].startswith("a and b are strongly correlated: 0.99")
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain


def test_some_of_many_events_are_enough(together):
    found, *_ = together(events=500)
    assert (found.events, found.total) == (500, 2000)
    assert found.classes["signal"].value[0, 1] == pytest.approx(0.995, abs=0.01)


def test_stored_scores_hold_no_features(case):
    assert Correlations().study(case(np.array([0, 1]), np.array([0.2, 0.7]))) is None
    with pytest.raises(ValueError, match="events must be at least 2"):
        Correlations(events=1)

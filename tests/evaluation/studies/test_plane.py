from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.plane import Plane
from hepclf.scored import Scored

LABELS = np.arange(400) % 2


def logistic(features):
    """The scores of a known tagger, which looks at the first feature alone."""
    return 1 / (1 + np.exp(-features[:, 0].astype(np.float64)))


@pytest.fixture
def look(case):
    """A function making the case of 400 events with two features of different ranges, and their features."""

    def make(names=("a", "b"), missing=(), **changes):
        x = np.random.default_rng(0).normal(size=(400, len(names))).astype(np.float32)
        x[:, -1] *= 100
        x[list(missing), 0] = np.nan
        seen = replace(case(LABELS, np.linspace(0, 1, 400), x, names), **changes)
        return replace(seen, inside=Inside(names=names, read=lambda rows: x[rows], ask=logistic)), x

    return make


def test_the_plane_is_the_tagger_over_the_range_of_the_events(look):
    seen, x = look()
    plane = Plane(grid=30).study(seen)
    low, high = np.quantile(x, (0.005, 0.995), axis=0)
    for axis, i in ((plane.x, 0), (plane.y, 1)):
        assert len(axis) == 30
        margin = 0.05 * (high[i] - low[i])
        assert_allclose(axis[[0, -1]], [low[i] - margin, high[i] + margin], rtol=1e-6)
    assert_allclose(plane.probability, np.tile(logistic(plane.x[:, None]), (30, 1)), rtol=1e-6)
    assert_allclose(plane.points, x)
    assert_allclose(plane.labels, LABELS)


def test_the_probability_is_that_of_the_signal_whichever_class_it_is(look):
    plane, other = (Plane(grid=5).study(look(signal=signal)[0]) for signal in (1, 0))
    assert_allclose(plane.probability + other.probability, 1)


def test_an_event_with_a_missing_value_is_not_in_the_plane(look):
    seen, _ = look(missing=(3, 7))
    plane = Plane(grid=5).study(seen)
    assert len(plane.points) == len(plane.labels) == 398
    assert not np.isnan(plane.x).any()
    assert Plane().study(look(missing=range(400))[0]) is None


def test_one_feature_or_three_and_unknown_features_have_no_plane(look):
    assert Plane().study(look(names=("a",))[0]) is None
    assert Plane().study(look(names=("a", "b", "c"))[0]) is None
    assert Plane().study(replace(look()[0], inside=None)) is None
    assert Plane().study(replace(look()[0], parts={"train": look()[0].scored})) is None


def test_a_grid_is_at_least_a_square_of_points():
    with pytest.raises(ValueError, match=r"grid must be a number of points in 2\.\.2000, not 1"):
        Plane(grid=1)


@pytest.mark.parametrize("plots", [True, False])
def test_the_tagger_is_asked_only_where_pictures_are_drawn(look, plots):
    seen, _ = look()
    asked = []
    inside = replace(seen.inside, ask=lambda features: asked.append(len(features)) or logistic(features))
    scored = Scored(labels=LABELS, scores=seen.scored.scores)
    without = dict.fromkeys(set(Evaluation().study_settings) - {"plane"})
    results = evaluate(scored, Evaluation(plots=plots, **without), inside)
    assert asked == ([200 * 200] if plots else [])
    assert list(results.studies) == (["plane"] if plots else [])
    assert "studies" not in results.to_dict()

"""What a comparison takes from each run."""

from __future__ import annotations

import numpy as np
import pytest


def test_a_working_point_without_background_has_the_limit_of_the_verdict(two, tagger_of):
    labels, first_scores, _, w = two(60, seed=7, weights="heavy")
    scores = np.where(labels == 1, 0.5 + first_scores / 2, first_scores / 2)
    points = tagger_of(labels, scores, w, name="a", targets=(0.5,)).working_points
    background = w[labels == 0]
    # No background event is seen with probability exp(-n); here all are of one process.
    expected = background.sum() / (-np.log(0.05) * (background**2).sum() / background.sum())
    assert points[0].rejection.value is None
    assert points[0].rejection_limit.at_95 == pytest.approx(expected)

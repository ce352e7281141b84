from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.curves.roc import Ranking, area, curve
from hepclf.evaluation.curves.spread import spread
from hepclf.evaluation.value import NOTHING

TARGETS = np.array([0.3, 0.5])


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


def test_the_spread_over_independent_samples_is_the_error_of_one(drawn):
    curves = [of(*drawn(2000, seed=seed)) for seed in range(200)]
    found = spread(curves, TARGETS)
    # 200 samples know their spread to 5 %.
    assert found.deviation.value == pytest.approx(np.sqrt(np.mean([area(one).error ** 2 for one in curves])), rel=0.15)
    assert found.deviation.error == pytest.approx(found.deviation.value / np.sqrt(398))
    assert found.area.error == pytest.approx(found.deviation.value / np.sqrt(200))
    assert found.area.value == pytest.approx(np.mean([area(one).value for one in curves]))


def test_three_trainings_by_hand():
    curves = [of([1, 0, 1, 0], scores, np.ones(4)) for scores in ([4, 3, 2, 1], [4, 2, 3, 1], [4, 2, 1, 3])]
    found = spread(curves, np.array([0.5, 1.0]))
    assert found.area.value == pytest.approx((0.75 + 1 + 0.5) / 3)
    assert found.deviation.value == pytest.approx(0.25)
    np.testing.assert_allclose(found.kept, [0, 0.5])
    np.testing.assert_allclose(found.kept_deviation, [0, 0.5])


def test_one_training_has_no_spread(drawn):
    one = of(*drawn(300))
    found = spread([one], TARGETS)
    assert (found.area, found.deviation) == ((area(one).value, None), NOTHING)
    assert np.isnan(found.kept_deviation).all()


def test_equal_trainings_have_a_spread_of_zero_and_no_error(drawn):
    found = spread([of(*drawn(300))] * 3, TARGETS)
    assert found.deviation == (0.0, None)


def test_a_curve_without_a_class_has_no_place_in_a_spread(drawn):
    with pytest.raises(ValueError, match="however 1 of 2 have none"):
        spread([of(*drawn(300)), of([1], [0.5], [1.0])], TARGETS)
    with pytest.raises(ValueError, match="however there are none"):
        spread([], TARGETS)

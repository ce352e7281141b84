from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, background_error, curve
from hepclf.statistics.curves.spread import training_spread
from hepclf.statistics.value import NOTHING, Value

TARGETS = np.array([0.3, 0.5])


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


def over(curves, targets=TARGETS):
    index = [one.index_at(targets) for one in curves]
    kept = np.array([one.background_efficiency[at] for one, at in zip(curves, index, strict=True)])
    errors = np.array([background_error(one, at) for one, at in zip(curves, index, strict=True)])
    return training_spread([area(one) for one in curves], kept, errors, targets)


def test_the_spread_over_independent_samples_is_the_error_of_one(drawn):
    curves = [of(*drawn(2000, seed=seed)) for seed in range(200)]
    found = over(curves)
    # 200 samples know their spread to 5 %.
    assert found.own_error == pytest.approx(np.sqrt(np.mean([area(one).error ** 2 for one in curves])))
    assert found.deviation.value == pytest.approx(found.own_error, rel=0.15)
    assert found.deviation.error == pytest.approx(found.deviation.value / np.sqrt(398))
    assert found.area.error == pytest.approx(found.deviation.value / np.sqrt(200))
    assert found.area.value == pytest.approx(np.mean([area(one).value for one in curves]))
    np.testing.assert_allclose(found.scatter, np.sqrt((found.errors**2).mean(axis=0)), rtol=0.2)


def test_three_trainings_by_hand():
    curves = [of([1, 0, 1, 0], scores, np.ones(4)) for scores in ([4, 3, 2, 1], [4, 2, 3, 1], [4, 2, 1, 3])]
    found = over(curves, np.array([0.5, 1.0]))
    assert found.area.value == pytest.approx((0.75 + 1 + 0.5) / 3)
    assert found.deviation.value == pytest.approx(0.25)
    np.testing.assert_allclose(found.mean, [0, 0.5])
    np.testing.assert_allclose(found.scatter, [0, 0.5])


def test_equal_trainings_are_not_apart_and_have_no_error(drawn):
    found = over([of(*drawn(300))] * 3)
    assert found.deviation == NOTHING
    assert found.area.error is None
    assert (found.scatter == 0).all()


@pytest.mark.parametrize("areas", [[], [Value(0.9, 0.1)], [Value(0.9, 0.1), NOTHING]])
def test_less_than_two_areas_are_no_spread(areas):
    with pytest.raises(ValueError, match="a spread needs two areas or more, not "):
        training_spread(areas, np.ones((len(areas), 2)), np.ones((len(areas), 2)), TARGETS)

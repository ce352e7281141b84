from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.shapes.shift import absolute_shift, passing_efficiency, passing_weight, relative_shift
from hepclf.statistics.value import NOTHING, Value, weighted_mean


@pytest.fixture
def events():
    """What passes a cut nominally and varied, and weights nominally and varied."""
    rng = np.random.default_rng(0)
    score, weights = rng.normal(size=3000), rng.lognormal(0, 0.6, 3000)
    return score > 0.5, score + 0.1 * rng.random(3000) > 0.5, weights, weights * rng.normal(1.1, 0.05, 3000)


def replicas(events, formula, count=400):
    """What a formula gives for as many Poisson replicas of the events."""
    rng = np.random.default_rng(1)
    kept, other, weights, varied = events
    found = []
    for _ in range(count):
        n = rng.poisson(1, len(kept))
        found.append(formula(kept, other, n * weights, n * varied))
    return np.std(found)


def test_an_efficiency_is_a_weighted_mean_of_what_passes(events):
    kept, _, weights, _ = events
    value, error = passing_efficiency(kept, weights).quoted
    n = weights.sum() ** 2 / (weights**2).sum()
    mean = weighted_mean(kept.astype(float), weights)
    assert value == pytest.approx(mean.value, rel=1e-12)
    assert error == pytest.approx(mean.error * np.sqrt((n - 1) / n), rel=1e-10)


def test_a_sum_has_the_error_of_its_squares(events):
    kept, _, weights, _ = events
    w = weights[kept]
    assert passing_weight(kept, weights).quoted == pytest.approx(Value(w.sum(), np.sqrt((w**2).sum())), rel=1e-12)


@pytest.mark.parametrize(
    ("move", "number"),
    [
        (relative_shift, lambda kept, w: w[kept].sum() / w.sum()),
        (relative_shift, lambda kept, w: w[kept].sum()),
        (absolute_shift, lambda kept, w: w[kept].sum() / w.sum()),
    ],
)
def test_the_error_of_a_shift_is_that_of_replicas_of_the_same_events(events, move, number):
    kept, other, weights, varied = events
    whole = number(kept, weights) > 1
    made = (passing_weight, passing_weight) if whole else (passing_efficiency, passing_efficiency)
    found = move(made[0](kept, weights), made[1](other, varied))
    before, after = number(kept, weights), number(other, varied)
    assert found.value == pytest.approx(after / before - 1 if move is relative_shift else after - before, rel=1e-10)

    def formula(a, b, w, v):
        return number(b, v) / number(a, w) - 1 if move is relative_shift else number(b, v) - number(a, w)

    assert found.error == pytest.approx(replicas(events, formula), rel=0.12)


def test_what_is_not_varied_does_not_move_and_has_no_error(events):
    kept, _, weights, _ = events
    assert relative_shift(passing_efficiency(kept, weights), passing_efficiency(kept, weights)) == Value(0.0)
    assert relative_shift(
        passing_efficiency(kept, weights), passing_efficiency(kept, 2 * weights)
    ).value == pytest.approx(0, abs=1e-12)
    assert relative_shift(passing_weight(kept, weights), passing_weight(kept, 2 * weights)).value == pytest.approx(
        1, rel=1e-12
    )


def test_what_has_no_positive_weight_cannot_move(events):
    kept, _, weights, _ = events
    assert passing_efficiency(kept, -weights) is None
    assert (
        relative_shift(None, passing_efficiency(kept, weights))
        == absolute_shift(passing_efficiency(kept, weights), None)
        == NOTHING
    )
    assert relative_shift(passing_weight(~(kept | True), weights), passing_weight(kept, weights)) == NOTHING


def test_a_shift_that_is_the_rounding_of_single_precision_is_none(events):
    kept, _, weights, _ = events
    noisy = weights * (1 + 1e-9 * np.random.default_rng(0).normal(size=len(weights)))
    assert relative_shift(passing_efficiency(kept, weights), passing_efficiency(kept, noisy)) == Value(0.0)
    assert absolute_shift(passing_efficiency(kept, weights), passing_efficiency(kept, noisy)) == Value(0.0)
    assert (
        relative_shift(passing_efficiency(kept, weights), passing_efficiency(kept, weights + 1e-3 * kept)).value > 1e-5
    )

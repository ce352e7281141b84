from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.curves.fractions import STEPS, discriminant_cuts, log_ratio, trade, with_fraction

LIGHT, CHARM, BOTTOM = range(3)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # umami's tests: (u, c, b) of b-jets and of c-jets, f_c = 0.018; it adds 1e-10 to the mixture
        ((0.1, 0.1, 0.8), 2.07944154),
        ((0.0, 0.1, 0.9), 6.21460804),
        ((0.2, 0.6, 0.2), -0.03536714),
        ((0.1, 0.8, 0.1), -0.11867153),
    ],
)
def test_the_discriminant_is_the_reference_one(scores, expected):
    assert log_ratio(np.array([scores]), BOTTOM, np.array((0.982, 0.018, 0)))[0] == pytest.approx(expected, abs=1e-7)


def test_with_the_true_fractions_it_is_the_best_there_is():
    """Of two backgrounds mixed 3 to 1, no other fractions keep less at the same efficiency."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 60_000, p=[0.6, 0.2, 0.2])
    means = np.array([[0.0, 0.0], [1.5, 0.5], [1.0, 2.0]])
    x = rng.normal(means[labels])
    density = np.exp(-0.5 * ((x[:, None] - means) ** 2).sum(axis=2))
    scores = density / density.sum(axis=1, keepdims=True)
    found = trade(labels, scores, np.ones(60_000), BOTTOM, np.array([0.75, 0.25, 0.0]), CHARM, (0.7,))
    mixed = 0.75 * found.efficiency[:, LIGHT, 0] + 0.25 * found.efficiency[:, CHARM, 0]
    assert found.values[np.argmin(mixed)] == pytest.approx(0.25, abs=0.12)
    assert (np.diff(found.efficiency[:, LIGHT, 0]) > -1e-3).all()
    assert found.efficiency[0, LIGHT, 0] < found.efficiency[-1, LIGHT, 0]
    assert found.efficiency[0, CHARM, 0] > found.efficiency[-1, CHARM, 0]
    np.testing.assert_allclose(found.efficiency[:, BOTTOM, 0], 0.7, atol=1e-3)


def test_the_trade_is_that_of_cuts_made_by_hand(drawn):
    rng = np.random.default_rng(3)
    labels, weights = rng.integers(0, 3, 600), rng.lognormal(0, 0.5, 600)
    scores = rng.dirichlet((1, 1, 1), 600)
    found = trade(labels, scores, weights, BOTTOM, np.array([0.5, 0.5, 0.0]), CHARM, (0.5, 0.8))
    for step in (0, 7, STEPS - 1):
        f = found.values[step]
        d = np.log(scores[:, BOTTOM] / ((1 - f) * scores[:, LIGHT] + f * scores[:, CHARM]))
        own = np.sort(d[labels == BOTTOM])[::-1]
        kept = np.cumsum(weights[labels == BOTTOM][np.argsort(-d[labels == BOTTOM])]) / weights[labels == BOTTOM].sum()
        for column, target in enumerate((0.5, 0.8)):
            cut = own[np.argmax(kept >= target)]
            for label in range(3):
                w, passes = weights[labels == label], d[labels == label] >= cut - 1e-12
                assert found.efficiency[step, label, column] == pytest.approx(w[passes].sum() / w.sum(), rel=1e-9)


def test_a_probability_of_zero_is_no_accident():
    found = log_ratio(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), BOTTOM, np.array([1.0, 0.0, 0.0]))
    assert np.isfinite(found).all()
    assert found[0] > 700 > found[2] == 0 > -700 > found[1]


def test_the_other_fractions_keep_their_proportions():
    found = with_fraction(np.array([0.1, 0.3, 0.6, 0.0]), 3, 2, 0.2)
    np.testing.assert_allclose(found, [0.2, 0.6, 0.2, 0.0], rtol=1e-12)
    np.testing.assert_allclose(with_fraction(np.array([0.0, 0.0, 1.0, 0.0]), 3, 2, 0.2), [0.4, 0.4, 0.2, 0])
    np.testing.assert_allclose(with_fraction(np.array([0.5, 0.5, 0.0]), 2, 1, 1.0), [0, 1, 0], atol=1e-12)


def test_a_class_without_weight_has_no_cuts():
    assert discriminant_cuts(np.arange(3.0), np.array([True, True, False]), np.array([1.0, -1.0, 1.0]), (0.5,)) is None
    assert discriminant_cuts(np.arange(3.0), np.zeros(3, dtype=bool), np.ones(3), (0.5,)) is None

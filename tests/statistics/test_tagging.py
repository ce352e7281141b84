"""Dilution and effective power, with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.statistics.tagging import Calibration, calibrated_power, effective_power, mistag_calibration, tag
from hepclf.statistics.value import Value


def tags(n, mistag, seed=0):
    return np.random.default_rng(seed).random(n) >= mistag


def test_a_tag_has_the_textbook_numbers():
    is_right = np.array([True] * 70 + [False] * 30 + [True] * 100)
    is_tagged = np.arange(200) < 100
    row = tag(np.ones(200), is_right, is_tagged)
    assert (row.efficiency.value, row.mistag.value) == pytest.approx((0.5, 0.3))
    assert row.dilution.value == pytest.approx(0.4)
    assert row.power.value == pytest.approx(0.5 * 0.4**2)
    assert row.mistag.error == pytest.approx(np.sqrt(0.3 * 0.7 / 100), rel=0.01)
    # dP = D^2 d(eps) (+) 4 eps D d(omega), as efficiency and mistag fraction are uncorrelated.
    expected = np.hypot(0.16 * np.sqrt(0.25 / 200), 4 * 0.5 * 0.4 * np.sqrt(0.21 / 100))
    assert row.power.error == pytest.approx(expected, rel=0.01)


def test_the_error_of_the_power_is_its_spread():
    mistag = np.repeat([0.1, 0.3, 0.45], 300)
    category = np.repeat([0, 1, 2], 300)
    found = [effective_power(np.ones(900), tags(900, mistag, seed), category) for seed in range(300)]
    # The categories have fixed sizes here, so only the mistag fractions fluctuate: 4 eps D d(omega).
    spread = np.sqrt(sum((4 / 3 * (1 - 2 * w)) ** 2 * w * (1 - w) / 300 for w in (0.1, 0.3, 0.45)))
    assert np.std([power.value for power in found]) == pytest.approx(spread, rel=0.12)
    assert np.mean([power.error for power in found]) >= spread


def test_power_of_categories_is_never_below_that_of_one():
    is_right, category = tags(2000, np.repeat([0.1, 0.4], 1000)), np.repeat([0, 1], 1000)
    weights = np.random.default_rng(1).uniform(0.5, 2, 2000)
    apart = effective_power(weights, is_right, category).value
    assert apart > effective_power(weights, is_right, np.zeros(2000, dtype=int)).value
    doubled = effective_power(2 * weights, is_right, category)
    assert doubled == pytest.approx(effective_power(weights, is_right, category))


def test_a_known_line_is_found_within_its_errors():
    eta = np.random.default_rng(2).uniform(0.1, 0.5, 20000)
    fit = mistag_calibration(eta, tags(20000, 0.33 + 0.8 * (eta - 0.3), 3), np.ones(20000))
    assert fit.p0.value == pytest.approx(0.33 + 0.8 * (fit.mean - 0.3), abs=3 * fit.p0.error)
    assert fit.p1.value == pytest.approx(0.8, abs=3 * fit.p1.error)
    assert fit.p0.error == pytest.approx(np.sqrt(0.22 / 20000), rel=0.05)
    assert mistag_calibration(np.full(9, 0.3), np.ones(9, dtype=bool), np.ones(9)) is None


def test_the_calibrated_power_carries_the_error_of_its_calibration():
    exact = Calibration(Value(0.3, 0.0), Value(1.0, 0.0), 0.3)
    eta = np.random.default_rng(4).uniform(0.1, 0.5, 5000)
    power = calibrated_power(eta, np.ones(5000), exact)
    assert power.value == pytest.approx(((1 - 2 * eta) ** 2).mean())
    shifted = calibrated_power(eta, np.ones(5000), exact._replace(p0=Value(0.3, 0.01)))
    assert np.sqrt(shifted.error**2 - power.error**2) == pytest.approx(0.04 * (1 - 2 * eta).mean(), rel=1e-6)


def test_without_weight_there_is_no_power():
    assert effective_power(np.zeros(3), np.ones(3, dtype=bool), np.zeros(3, dtype=int)).value is None


def test_the_error_of_the_calibrated_power_is_its_spread():
    # Scores of two Gaussians, whose wrong tags are rare at small eta and frequent at large ones: p0 and p1 are
    # correlated. Without their covariance the error is 1.3 to 1.7 times too large.
    rng = np.random.default_rng(5)

    def events(n):
        labels = rng.integers(0, 2, n)
        x = rng.normal(1.5 * labels, 1)
        score = 1 / (1 + np.exp(-1.5 * (x - 0.75)))
        return np.minimum(score, 1 - score), (score >= 0.5) == labels

    powers = []
    for _ in range(300):
        calibration = mistag_calibration(*events(1000), np.ones(1000))
        powers.append(calibrated_power(events(1000)[0], np.ones(1000), calibration))
    spread = np.std([power.value for power in powers])
    assert np.mean([power.error for power in powers]) / spread == pytest.approx(1, abs=0.12)

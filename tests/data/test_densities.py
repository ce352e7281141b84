import numpy as np
import pytest
from scipy import stats

from hepclf.data.densities import (
    Balanced,
    Exponential,
    LogNormal,
    OneSided,
    PowerLaw,
    ReducedChiSquared,
    Smeared,
    Uniform,
    VonMises,
)

HALF_PI = np.pi / 2


def balanced(snr):
    width = np.hypot(0.25, 1 / snr)
    edge = np.pi / 4 / width
    return stats.truncnorm(-edge, edge, loc=np.pi / 4, scale=width)


# a density, the same by scipy.stats at a given snr
KNOWN = [
    (PowerLaw(start=6.0, index=4.0), lambda _: stats.pareto(3.0, scale=6.0)),
    (PowerLaw(start=6.0, index=2.5), lambda _: stats.pareto(1.5, scale=6.0)),
    (Exponential(start=6.0, slope=2.0), lambda _: stats.expon(loc=6.0, scale=0.5)),
    (Uniform(low=-15.0, high=15.0), lambda _: stats.uniform(-15, 30)),
    (LogNormal(median=13.0, width=0.6), lambda _: stats.lognorm(0.6, scale=13.0)),
    (Balanced(spread=0.25), balanced),
    (OneSided(power=0.0), lambda _: stats.uniform(0, HALF_PI)),
    (ReducedChiSquared(degrees=30, mismatch=0.0), lambda _: stats.chi2(30, scale=1 / 30)),
    (ReducedChiSquared(degrees=30, mismatch=0.6), lambda snr: stats.chi2(30, scale=(1 + 0.36 * snr**2 / 30) / 30)),
    (VonMises(spread=0.6, error=0.25), lambda snr: stats.vonmises(1 / (0.36 + (1.25 / snr) ** 2), loc=np.pi)),
]
# a density that scipy does not have, its limits
OTHERS = [
    (OneSided(power=2.0), 0.0, HALF_PI),
    (Smeared(half=10.0, error=1.0), -15.0, 15.0),
    (Smeared(half=2.0, error=5.0), -30.0, 30.0),  # an error wider than the window
]


@pytest.mark.parametrize("snr", [6.0, 40.0])
@pytest.mark.parametrize(("density", "oracle"), KNOWN, ids=lambda value: type(value).__name__)
def test_draws_and_densities_agree_with_scipy(density, oracle, snr):
    given = np.full(20_000, snr)
    x = density.draw(np.random.default_rng(1), given)
    assert stats.kstest(x, oracle(snr).cdf).pvalue > 1e-3
    np.testing.assert_allclose(density.log(x, given), oracle(snr).logpdf(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("snr", [6.0, 40.0])
@pytest.mark.parametrize(("density", "low", "high"), OTHERS, ids=lambda value: type(value).__name__)
def test_draws_follow_a_density_that_integrates_to_one(density, low, high, snr):
    grid = np.linspace(low, high, 20_001)
    values = np.exp(density.log(grid, np.full(len(grid), snr)))
    cdf = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2)]) * (grid[1] - grid[0])
    assert cdf[-1] == pytest.approx(1, abs=1e-6)
    x = density.draw(np.random.default_rng(1), np.full(20_000, snr))
    assert stats.kstest(x, lambda x: np.interp(x, grid, cdf)).pvalue > 1e-3


def test_the_median_snr_of_signals_is_1_26_of_the_threshold_and_the_mean_1_5():
    x = PowerLaw(start=6.0, index=4.0).draw(np.random.default_rng(0), np.empty(1_000_000))
    assert np.median(x) / 6 == pytest.approx(2 ** (1 / 3), abs=0.002)
    assert x.mean() / 6 == pytest.approx(1.5, abs=0.005)


def test_a_density_far_outside_the_smeared_window_is_tiny_and_not_zero():
    log = Smeared(half=10.0, error=1.0).log(np.array([15.0, -15.0]), np.array([1000.0, 1000.0]))
    assert np.isfinite(log).all()
    assert log[0] == log[1] < -1e5


def test_the_mean_chi_squared_grows_with_the_mismatch():
    snr = np.full(200_000, 20.0)
    x = ReducedChiSquared(degrees=30, mismatch=0.6).draw(np.random.default_rng(0), snr)
    assert x.mean() == pytest.approx(1 + 0.36 * 400 / 30, rel=0.003)


@pytest.mark.parametrize("settings", [{"median": 0.0, "width": 1.0}, {"median": 1.0, "width": -1.0}])
def test_a_log_normal_that_cannot_be_is_refused(settings):
    with pytest.raises(ValueError, match="of a log-normal must be above 0, not"):
        LogNormal(**settings)

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from hepclf.statistics.counting.likelihood import Channels, discovery
from hepclf.statistics.counting.significance import asimov, combine, li_ma, p_value, z_value

S, B = np.array([1, 3, 5, 4.0]), np.array([100, 50, 10, 1.0])


def channels(s, b, relative=0.1):
    """Channels of which the background has this relative statistical error, of equal weights."""
    s, b = np.atleast_1d(np.asarray(s, dtype=float)), np.atleast_1d(np.asarray(b, dtype=float))
    w = relative**2 * b
    return Channels(s=s, b=b, s_squares=0.1 * s, b_squares=w * b, b_cubes=w**2 * b, b_fourths=w**3 * b)


def test_without_uncertainty_channels_combine_in_quadrature():
    found = discovery(channels(S, B), statistical=False).value
    assert found == pytest.approx(3.231842116, rel=1e-9)
    assert found == pytest.approx(float(combine(asimov(S, B))), rel=1e-12)


def test_behrs_categories_combine_to_3_9913():
    assert discovery(channels((290, 130, 630), (1.2e4, 3.1e3, 1.1e5)), statistical=False).value == pytest.approx(
        3.9913, abs=1e-4
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("s", "b", "relative", "systematic"),
    [
        ([12, 11], [50, 52], 0.1, 0.0),
        ([12, 11], [50, 52], 0.0, 0.1),
        ([3, 8, 12], [400, 90, 20], 0.15, 0.2),
        ([5], [4], 0.4, 0.3),
        ([0, 2], [30, 3], 0.2, 0.05),
    ],
)
def test_it_is_pyhfs_expected_discovery(s, b, relative, systematic):
    pyhf = pytest.importorskip("pyhf", reason="pyhf (the extra hep) is the oracle of likelihoods")
    background = [
        {"name": "stat", "type": "staterror", "data": [relative * each for each in b]},
        {"name": "norm", "type": "normsys", "data": {"hi": 1 + systematic, "lo": 1 / (1 + systematic)}},
    ]
    model = pyhf.Model(
        {
            "channels": [
                {
                    "name": "score",
                    "samples": [
                        {"name": "s", "data": s, "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
                        {"name": "b", "data": b, "modifiers": background[not relative : 1 + bool(systematic)]},
                    ],
                }
            ]
        },
        poi_name="mu",
    )
    data = [each_s + each_b for each_s, each_b in zip(s, b, strict=True)] + model.config.auxdata
    p = float(pyhf.infer.hypotest(0.0, data, model, test_stat="q0"))
    found = discovery(channels(s, b, relative), systematic, statistical=bool(relative)).value
    assert found == pytest.approx(float(z_value(p)), rel=1e-4)  # measured: 2e-6 at most, pyhf's minimiser


def test_the_profile_is_the_least_of_a_grid():
    of, systematic = channels([3, 8], [90, 20], 0.2), 0.15
    n, d = of.s + of.b, np.sqrt(of.b_squares) / of.b
    theta, gamma = np.meshgrid(np.linspace(0, 3, 1201), np.linspace(0.5, 2.5, 2001), indexing="ij")
    k, best = (1 + systematic) ** theta, theta[:, 0] ** 2
    for i in range(2):
        expected = gamma * k * of.b[i]
        deviance = 2 * (n[i] * np.log(n[i] / expected) - n[i] + expected) + ((gamma - 1) / d[i]) ** 2
        best = best + deviance.min(axis=1)
    assert discovery(of, systematic).value == pytest.approx(np.sqrt(best.min()), rel=1e-5)


def test_uncertainties_lower_it_and_a_pure_side_band_pins_the_common_one():
    plain, uncertain = discovery(channels(S, B), statistical=False).value, discovery(channels(S, B), 0.1).value
    assert uncertain < discovery(channels(S, B)).value < plain
    alone = discovery(channels([5], [10], 0.01), 0.3).value
    pinned = discovery(channels([5, 0], [10, 1e6], 0.01), 0.3).value
    assert alone < pinned < discovery(channels([5], [10], 0.01)).value


def test_one_channel_is_near_the_formula_of_a_side_band():
    """Gaussian and log-normal constraints here, a Poisson one there: they agree where uncertainties are small."""
    assert discovery(channels([10], [100], 0.02), 0.02).value == pytest.approx(
        float(asimov(10, 100, 100 * np.hypot(0.02, 0.02))), rel=2e-3
    )


@pytest.mark.parametrize(("relative", "apart"), [(0.03, 2e-3), (0.2, 0.06)])
def test_a_gaussian_constraint_gives_the_higher_significance(relative, apart):
    """Than the Poisson one of the formula, by what docs/evaluation/binned.md says."""
    for s, b in ((5, 20), (10, 10), (30, 100), (3, 400)):
        found, formula = discovery(channels([s], [b], relative)).value, float(asimov(s, b, relative * b))
        assert formula < found < formula * (1 + apart)


def test_the_error_is_that_of_other_simulations():
    rng = np.random.default_rng(0)
    events, w_s, w_b = (rng.poisson, 0.1, 0.5)
    s, b = np.array([4, 6.0]), np.array([200, 40.0])

    def simulated(n_s, n_b):
        return Channels(
            s=w_s * n_s, b=w_b * n_b, s_squares=w_s**2 * n_s, b_squares=w_b**2 * n_b, b_cubes=w_b**3 * n_b,
            b_fourths=w_b**4 * n_b,
        )  # fmt: skip

    found = discovery(simulated(s / w_s, b / w_b), 0.1)
    spread = np.std([discovery(simulated(events(s / w_s), events(b / w_b)), 0.1).value for _ in range(300)])
    assert found.error == pytest.approx(spread, rel=0.12)


def test_no_signal_is_zero_and_no_background_has_no_significance():
    assert discovery(channels([0, 0], [5, 6]), 0.1) == (0.0, None)
    assert discovery(channels([1, 1], [5, 0])) == (None, None)
    assert discovery(channels([1, -1], [5, 5])) == (None, None)
    assert discovery(channels([], [])) == (None, None)


def fitted(mu, n, s, b, tau):
    """The factor of a background with a side band of tau that fits n best, in closed form."""
    # n b / (mu s + g b) - b + tau / g - tau = 0
    linear = (b + tau) * mu * s - (n + tau) * b
    return (-linear + np.sqrt(linear**2 + 4 * b * (b + tau) * tau * mu * s)) / (2 * b * (b + tau))


def deviance(mu, n, s, b, tau):
    """2 [ln L of what is observed - ln L(mu)], the factors profiled."""
    g = fitted(mu, n, s, b, tau)
    rate = mu * s + g * b
    return float(np.sum(2 * (n * np.log(n / rate) - n + rate - tau * np.log(g) - tau + tau * g)))


QUOTED = {
    "one bin": ((25,), (50,), (7,), (80,), [1.2205e-5, 6.4052e-4, 0.01320287, 0.11119604, 0.41286080]),
    "two": ((12, 11), (50, 52), (3, 7), (60, 65), [6.6166e-5, 0.00238569, 0.03422171, 0.20551676, 0.57060859]),
}


@pytest.mark.parametrize(("which", "z", "p"), [("one bin", 2.657436, 0.003936883), ("two", 1.72725055, 0.04206134)])
def test_the_discoveries_that_pyhfs_own_tests_quote(which, z, p):
    """Observed counts over backgrounds of Poisson side bands: Li and Ma's formula, less how well one strength fits."""
    s, b, sigma, n = (np.array(each, dtype=float) for each in QUOTED[which][:4])
    tau = (b / sigma) ** 2
    null = float(np.sum(li_ma(n, tau, b / tau) ** 2))
    assert null == pytest.approx(deviance(0.0, n, s, b, tau))
    best = optimize.minimize_scalar(
        deviance, bounds=(0, 3), args=(n, s, b, tau), method="bounded", options={"xatol": 1e-9}
    )
    found = np.sqrt(null - best.fun)
    assert found == pytest.approx(z, rel=1e-6)
    assert p_value(found) == pytest.approx(p, rel=1e-5)


@pytest.mark.parametrize("which", list(QUOTED))
def test_the_expected_bands_that_pyhfs_own_tests_quote(which):
    """Asimov's counts follow the background that fits what is observed; one standard deviation is one unit of z."""
    s, b, sigma, n = (np.array(each, dtype=float) for each in QUOTED[which][:4])
    tau = (b / sigma) ** 2
    g = fitted(1.0, n, s, b, tau)
    z = float(combine(li_ma(s + g * b, tau * g, b / tau)))
    np.testing.assert_allclose(p_value(z + np.array([2, 1, 0, -1, -2])), QUOTED[which][4], rtol=5e-4)  # measured 3e-4


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_oracle_is_the_pyhf_whose_limit_is_quoted():
    pyhf = pytest.importorskip("pyhf", reason="pyhf (the extra hep) is the oracle of likelihoods")
    model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    found = pyhf.infer.hypotest(1.0, [51, 48, *model.config.auxdata], model, test_stat="qtilde")
    assert float(found) == pytest.approx(0.05251497, rel=1e-4)


@pytest.mark.parametrize("b", [1e8, 1e10, 1e12, 1e13])
@pytest.mark.parametrize("relative", [0.1, 0.05**0.5])
def test_of_many_events_only_what_is_not_known_of_the_background_counts(b, relative):
    # The Poisson term fixes gamma b = s + b there, so q0 = (s / b)^2 / d^2; counting adds 1 / b to d^2.
    s = 2.0 * relative * b
    found = discovery(channels(s, b, relative))
    assert found.value == pytest.approx(2.0, rel=1e-4)
    assert 0 < found.error < 1
    common = discovery(channels(s, b, relative), systematic=0.5).value
    assert 0 < common < 2.0

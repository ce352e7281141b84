from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.statistics.counting.significance import (
    ams,
    asimov,
    combine,
    li_ma,
    p_value,
    punzi,
    s_over_sqrt_b,
    s_over_sqrt_s_plus_b,
    z_bi,
    z_value,
)


def exact_asimov(s, b, g=0):
    """The formulas as they are printed, in 60 digits."""
    with mpmath.workdps(60):
        s, b, g = mpmath.mpf(s), mpmath.mpf(b), mpmath.mpf(g)
        if g == 0:
            return float(mpmath.sqrt(2 * ((s + b) * mpmath.log(1 + s / b) - s)))
        first = (s + b) * mpmath.log((s + b) * (b + g**2) / (b**2 + (s + b) * g**2))
        second = b**2 / g**2 * mpmath.log(1 + g**2 * s / (b * (b + g**2)))
        return float(mpmath.sqrt(2 * (first - second)))


def exact_li_ma(n, m, a):
    with mpmath.workdps(60):
        n, m, a = mpmath.mpf(n), mpmath.mpf(m), mpmath.mpf(a)
        on = n * mpmath.log((1 + a) / a * n / (n + m)) if n else mpmath.mpf(0)
        off = m * mpmath.log((1 + a) * m / (n + m)) if m else mpmath.mpf(0)
        return float(mpmath.sqrt(2 * (on + off)))


@pytest.mark.parametrize(
    ("s", "b", "naive", "with_signal", "z", "regularised"),
    [
        (10, 100, 1, 0.95346259, 0.9839916448, 0.9395373742),
        (10, 10, 3.1622777, 2.2360680, 2.779548025, 2.080362105),
        (5, 1, 5, 2.0412415, 3.391329183, 1.410741076),
        (1, 1, 1, 0.70710678, 0.8789702624, 0.2971078049),
        (100, 1000, 3.1622777, 3.0151134, 3.111654796, 3.096691707),
        (20, 0.5, 28.284271, 4.417261, 10.59511466, 5.004741453),
        (100, 100, 10, 7.0710678, 8.789702624, 8.460697919),
        (4, 0.1, 12.649111, 1.9754592, 4.738279323, 1.186857335),
        (25, 50, 3.5355339, 2.8867513, 3.289341304, 3.035150412),
        (50, 2500, 1, 0.99014754, 0.9966941409, 0.9947197498),
    ],
)
def test_the_table_without_systematic(s, b, naive, with_signal, z, regularised):
    assert s_over_sqrt_b(s, b) == pytest.approx(naive, rel=5e-8)
    assert s_over_sqrt_s_plus_b(s, b) == pytest.approx(with_signal, rel=2e-7)
    assert asimov(s, b) == pytest.approx(z, rel=1e-9)
    assert ams(s, b) == pytest.approx(regularised, rel=1e-9)


@pytest.mark.parametrize(
    ("s", "b", "relative", "z"),
    [
        (10, 100, 0.10, 0.6901960633),
        (10, 100, 0.01, 0.9789493515),
        (100, 1000, 0.05, 1.644317825),
        (10, 10, 0.20, 2.259997495),
        (5, 1, 0.30, 3.110265599),
        (50, 100, 0.20, 1.968311361),
        (25, 50, 0.14, 2.255697622),
        (100, 100, 0.05, 7.646764288),
    ],
)
def test_the_table_with_systematic(s, b, relative, z):
    assert asimov(s, b, relative * b) == pytest.approx(z, rel=2e-10)


def test_the_vectors_that_root_quotes():
    assert float(asimov(10, 100)) == pytest.approx(0.9839916447569484, rel=1e-15)
    assert float(asimov(10, 100, 5)) == pytest.approx(0.8772455271177728, rel=1e-15)


@pytest.mark.parametrize(
    ("n", "m", "alpha", "z"),
    [
        (140, 100, 1, 2.58802608),
        (20, 10, 0.5, 3.723297411),
        (100, 500, 0.1, 5.849425931),
        (10, 15, 0.2, 2.766632021),
        (120, 1000, 0.1, 1.842748302),
    ],
)
def test_the_table_of_li_and_ma(n, m, alpha, z):
    assert li_ma(n, m, alpha) == pytest.approx(z, rel=2e-9)
    assert li_ma(n, m, alpha) == pytest.approx(exact_li_ma(n, m, alpha), rel=1e-13)


@pytest.mark.parametrize(
    ("n", "m", "tau", "z"),
    [
        (140, 100, 1, 2.52214709),
        (4, 5, 5, 1.66434760),
        (200, 10, 0.1, 2.20088454),
        (50, 55, 2, 2.93323644),
        (67, 15, 0.5, 2.89427373),
        (9, 17.83, 4.69, 1.81707505),
        (17, 40.11, 10.56, 4.45824790),
    ],
)
def test_the_table_of_z_bi(n, m, tau, z):
    assert z_bi(n, m, tau) == pytest.approx(z, abs=5.1e-9)


@pytest.mark.parametrize(("n", "m", "tau"), [(3, 100, 1), (500, 100, 1), (1, 0, 1), (50, 5000, 100)])
def test_z_bi_keeps_its_digits_in_both_tails(n, m, tau):
    with mpmath.workdps(400):
        p = mpmath.betainc(n, m + 1, 0, mpmath.mpf(1) / (1 + mpmath.mpf(tau)), regularized=True)
        z = float(z_bi(n, m, tau))
        back = mpmath.ncdf(-mpmath.mpf(z))
        assert float(mpmath.log(back) / mpmath.log(p)) == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize(
    ("efficiency", "b", "sigmas", "figure"),
    [(0.5, 100, 5, 0.04), (0.5, 100, 3, 0.0434782609), (0.3, 10, 5, 0.0529822128), (0.8, 0, 3, 0.5333333333)],
)
def test_the_table_of_punzi(efficiency, b, sigmas, figure):
    assert punzi(efficiency, b, sigmas) == pytest.approx(figure, rel=2e-9)


def test_binned_channels_combine_in_quadrature():
    s, b = np.array([1, 3, 5, 4.0]), np.array([100, 50, 10, 1.0])
    z = asimov(s, b)
    np.testing.assert_allclose(z, [0.099834024, 0.420124102, 1.47103815, 2.84506224], rtol=4e-9)
    assert combine(z) == pytest.approx(3.231842116, rel=2e-10)
    assert asimov(s.sum(), b.sum()) == pytest.approx(1.011199838, rel=1e-9)
    assert combine(s_over_sqrt_b(s, b)) == pytest.approx(4.323193264, rel=2e-10)
    np.testing.assert_allclose(combine([[3, 4], [6, 8]], axis=1), [5, 10])
    assert np.isnan(combine([1, np.nan]))


def test_behrs_channels_combine_to_four_and_to_3_1():
    """arXiv:1512.08928: boosted, intermediate, resolved after the cut, without and with pile-up (NUMBERS 3)."""
    clean, piled = ((290, 130, 630), (1.2e4, 3.1e3, 1.1e5)), ((290, 140, 640), (3.7e4, 5.6e3, 1.0e5))
    assert combine(s_over_sqrt_b(*clean)) == pytest.approx(4.0085, abs=1e-4)
    assert combine(s_over_sqrt_b(*piled)) == pytest.approx(3.1415, abs=1e-4)
    assert combine(asimov(*clean)) == pytest.approx(3.9913, abs=1e-4)


@pytest.mark.parametrize(("z", "p"), [(1, 0.1586552539), (2, 0.02275013195), (3, 0.001349898032), (5, 2.866515719e-7)])
def test_tail_probabilities(z, p):
    assert p_value(z) == pytest.approx(p, rel=2e-10)
    assert z_value(p) == pytest.approx(z, rel=1e-9)


def test_poisson_tails_by_their_significance():
    assert z_value(0.00345434198) == pytest.approx(2.70121415, rel=1e-8)
    assert z_value(0.0) == np.inf
    assert z_value(p_value(30.0)) == pytest.approx(30, rel=1e-12)


@pytest.mark.parametrize(("s", "b", "g"), [(25, 50, 7), (10, 100, 10), (3, 5, 2), (100, 1000, 50), (1e-3, 4, 1)])
def test_asimov_with_uncertainty_is_li_ma_of_the_side_band(s, b, g):
    assert asimov(s, b, g) == pytest.approx(float(li_ma(s + b, b**2 / g**2, g**2 / b)), rel=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("s", "b", "g"), [(25.0, 50.0, 7.0), (10.0, 100.0, 10.0), (5.0, 4.0, 1.5)])
def test_asimov_is_pyhfs_expected_discovery_of_one_bin(s, b, g):
    import pyhf

    model = pyhf.simplemodels.uncorrelated_background([s], [b], [g])
    data = [s + b, *model.config.auxdata]
    p = pyhf.infer.hypotest(0.0, data, model, test_stat="q0")
    assert asimov(s, b, g) == pytest.approx(float(z_value(float(p))), rel=2e-6)


EXTREMES = [
    *[(s, b, 0.0) for s in (1e-12, 1e-6, 1e-3, 0.1, 1, 1e3) for b in (1e-3, 1.0, 1e4, 1e9)],
    *[(s, b, r * b) for s in (1e-9, 1e-2, 3, 500) for b in (1e-2, 7, 1e6) for r in (1e-9, 1e-3, 0.1, 3)],
]


@pytest.mark.parametrize(("s", "b", "g"), EXTREMES)
def test_asimov_keeps_its_digits_where_the_formula_cancels(s, b, g):
    assert float(asimov(s, b, g)) == pytest.approx(exact_asimov(s, b, g), rel=1e-12)


@pytest.mark.parametrize(("n", "m", "a"), [(1e8 + 1, 1e8, 1), (0, 5, 2), (5, 0, 2), (1e6, 3, 1e5), (7, 1e9, 1e-9)])
def test_li_ma_keeps_its_digits_where_the_formula_cancels(n, m, a):
    assert abs(float(li_ma(n, m, a))) == pytest.approx(exact_li_ma(n, m, a), rel=1e-7)


def test_no_background_has_no_significance():
    for formula in (s_over_sqrt_b, asimov):
        assert np.isnan(formula(5, 0))
        assert np.isnan(formula(5, -1))
        assert np.isnan(formula(0, 0))
        assert np.isnan(formula(5, 0, 2))
    assert np.isfinite(ams(5, 0))
    assert np.isnan(ams(5, -1))
    assert s_over_sqrt_s_plus_b(4, 0) == 2
    assert np.isnan(s_over_sqrt_s_plus_b(0, 0))
    assert np.isnan(punzi(0.5, -1))


def test_no_signal_is_zero_and_a_negative_one_is_none():
    for formula in (s_over_sqrt_b, asimov):
        assert formula(0, 5) == 0
        assert formula(0, 5, 2) == 0
    assert (ams(0, 5), punzi(0, 5), s_over_sqrt_s_plus_b(0, 5)) == (0, 0, 0)
    assert np.isnan(asimov(-1, 5))
    assert li_ma(10, 20, 0.5) == 0
    assert li_ma(5, 20, 0.5) == pytest.approx(-exact_li_ma(5, 20, 0.5))


def test_impossible_counts_give_nan():
    assert np.isnan([li_ma(0, 0, 1), li_ma(-1, 5, 1), li_ma(5, -1, 1), li_ma(5, 5, 0)]).all()
    assert np.isnan([z_bi(-1, 5, 1), z_bi(5, -1, 1), z_bi(5, 5, 0)]).all()
    assert z_bi(0, 5, 1) == -np.inf
    assert z_bi(2000, 300, 1.5) == np.inf


def test_everything_broadcasts():
    s, b = np.array([1.0, 2.0, 3.0]), np.array([[10.0], [0.0]])
    for formula in (s_over_sqrt_b, asimov, ams):
        assert formula(s, b).shape == (2, 3)
    np.testing.assert_array_equal(np.isnan(asimov(s, b)), [[False] * 3, [True] * 3])
    assert s_over_sqrt_b(3, 100, 10) == pytest.approx(3 / np.sqrt(200))


@settings(deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 2))
def test_asimov_stays_under_its_limit_and_falls_with_the_uncertainty(s, b, relative):
    z = float(asimov(s, b, relative * b))
    plain = float(asimov(s, b))
    assert 0 < z <= plain * (1 + 1e-12)
    assert plain <= float(s_over_sqrt_b(s, b)) * (1 + 1e-12)

"""Angles and masses against closed forms, and against 50 digits where float64 would lose its own."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.data.language.kinematics import deltaphi, deltar, invariant_mass

ANGLE = st.floats(-np.pi, np.pi)
MASS = st.one_of(st.just(0.0), st.floats(1e-4, 500))
OBJECT = st.tuples(st.floats(1e-2, 1e4), st.floats(-6, 6), ANGLE, MASS)


def by_mpmath(*objects):
    """E^2 - p^2 in 60 digits."""
    with mpmath.workdps(60):
        total = [mpmath.mpf(0)] * 4
        for pt, eta, phi, m in objects:
            pt, eta, phi, m = map(mpmath.mpf, (pt, eta, phi, m))
            momentum = [pt * mpmath.cos(phi), pt * mpmath.sin(phi), pt * mpmath.sinh(eta)]
            energy = mpmath.sqrt(m**2 + sum(p**2 for p in momentum))
            total = [a + b for a, b in zip(total, [*momentum, energy], strict=True)]
        return float(mpmath.sqrt(abs(total[3] ** 2 - sum(p**2 for p in total[:3]))))


def test_two_massless_back_to_back_objects_have_twice_their_momentum_as_mass():
    assert invariant_mass(45.6, 0.0, 0.3, 0.0, 45.6, 0.0, 0.3 + np.pi, 0.0) == pytest.approx(91.2, rel=1e-15)
    assert invariant_mass(10.0, 1.2, 0.0, 0.0, 10.0, -1.2, np.pi, 0.0) == pytest.approx(20 * np.cosh(1.2), rel=1e-15)


def test_two_objects_at_rest_have_the_sum_of_their_masses():
    assert invariant_mass(0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 4.0) == 7
    assert invariant_mass(0.0, 5.0, 1.0, 3.0, 0.0, -2.0, 0.0, 4.0) == 7


def test_one_object_beside_nothing_keeps_its_mass():
    assert invariant_mass(30.0, 1.0, 2.0, 5.0, 0.0, 0.0, 0.0, 0.0) == pytest.approx(5, rel=1e-14)
    assert invariant_mass(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) == 0


def test_collinear_massless_objects_have_no_mass_and_never_a_negative_square():
    assert invariant_mass(5e3, 4.0, 1.0, 0.0, 7e3, 4.0, 1.0, 0.0) == 0
    small = invariant_mass(1e3, 2.0, 1.0, 0.0, 1e3, 2.0 + 2**-30, 1.0, 0.0)
    assert small == pytest.approx(1e3 * 2**-30, rel=1e-14)


def test_a_negative_mass_counts_as_its_absolute_value():
    assert invariant_mass(0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0, 4.0) == 7
    assert invariant_mass(10.0, 1.0, 0.0, -0.1, 20.0, 0.0, 1.0, 0.1) == invariant_mass(
        10.0, 1.0, 0.0, 0.1, 20.0, 0.0, 1.0, 0.1
    )


@settings(max_examples=300, deadline=None)
@given(OBJECT, OBJECT)
def test_the_mass_agrees_with_sixty_digits(first, second):
    expected = by_mpmath(first, second)
    assert invariant_mass(*map(np.float64, (*first, *second))) == pytest.approx(expected, rel=2e-14)


@settings(max_examples=100, deadline=None)
@given(OBJECT, st.floats(-1e-6, 1e-6), st.floats(-1e-6, 1e-6))
def test_the_mass_of_nearly_collinear_objects_keeps_its_digits(first, deta, dphi):
    pt, eta, phi, m = first
    second = (pt * 0.7, eta + deta, phi + dphi, m)
    expected = by_mpmath(first, second)
    assert invariant_mass(*map(np.float64, (*first, *second))) == pytest.approx(expected, rel=1e-13)


@settings(deadline=None)
@given(ANGLE, ANGLE)
def test_deltaphi_lies_in_its_range_and_turns_its_sign(phi1, phi2):
    phi1, phi2 = np.float64(phi1), np.float64(phi2)
    difference = deltaphi(phi1, phi2)
    assert abs(difference) <= np.pi + 1e-15
    assert difference == -deltaphi(phi2, phi1)
    assert np.cos(difference) == pytest.approx(np.cos(phi1 - phi2), abs=1e-14)
    assert np.sin(difference) == pytest.approx(np.sin(phi1 - phi2), abs=1e-14)


def test_angles_over_the_seam_are_near():
    assert deltaphi(3.1, -3.1) == pytest.approx(6.2 - 2 * np.pi)
    assert deltar(0.0, 3.1, 0.0, -3.1) == pytest.approx(2 * np.pi - 6.2)
    assert deltar(1.0, 0.0, -2.0, 4.0 - 2 * np.pi + 2 * np.pi) == pytest.approx(np.hypot(3, 2 * np.pi - 4))
    assert deltaphi(1e-12, 0.0) == 1e-12

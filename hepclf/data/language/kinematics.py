"""Angles and masses of pairs of objects in pt, eta and phi; no digits are lost where the objects nearly coincide."""

from __future__ import annotations

from typing import Any

import numpy as np


def deltaphi(phi1: Any, phi2: Any) -> Any:
    """phi1 - phi2 in [-pi, pi]; a difference that is already there keeps all its digits."""
    difference = phi1 - phi2
    return difference - 2 * np.pi * np.rint(difference / (2 * np.pi))


def deltar(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:
    """Distance in the (eta, phi) plane, sqrt((eta1 - eta2)^2 + deltaphi^2)."""
    return np.hypot(eta1 - eta2, deltaphi(phi1, phi2))


def invariant_mass(pt1: Any, eta1: Any, phi1: Any, m1: Any, pt2: Any, eta2: Any, phi2: Any, m2: Any) -> Any:
    r"""Mass of two objects, E^2 - p^2 of their sum, in the unit of pt and m.

    Written as a sum of squares (mT^2 = m^2 + pT^2, y the rapidity), so that nothing cancels and m >= m1 + m2:

        m^2 = (m1 + m2)^2 + 2 (pT1 m2 - pT2 m1)^2 / (mT1 mT2 + pT1 pT2 + m1 m2)
              + 4 mT1 mT2 sinh^2((y1 - y2) / 2) + 4 pT1 pT2 sin^2((phi1 - phi2) / 2)

    A negative mass, which rounding leaves in some ntuples, counts as its absolute value; an object without pt and m
    adds nothing.
    """
    m1, m2 = np.abs(m1), np.abs(m2)
    mt1, mt2 = np.hypot(pt1, m1), np.hypot(pt2, m2)
    rapidity = (eta1 - eta2) - (_excess(pt1, eta1, m1, mt1) - _excess(pt2, eta2, m2, mt2))
    angle = np.sin((phi1 - phi2) / 2)
    unequal = _ratio((pt1 * m2 - pt2 * m1) ** 2, mt1 * mt2 + pt1 * pt2 + m1 * m2)
    return np.sqrt((m1 + m2) ** 2 + 2 * unequal + 4 * mt1 * mt2 * np.sinh(rapidity / 2) ** 2 + 4 * pt1 * pt2 * angle**2)


def _excess(pt: Any, eta: Any, m: Any, mt: Any) -> Any:
    """Pseudorapidity minus rapidity: sinh(eta - y) = sinh(eta) (E - p) / mT, where E - p = m^2 / (E + p)."""
    if np.ndim(m) == 0 and m == 0:
        return m
    return np.arcsinh(_ratio(np.tanh(eta) * m**2, mt * (pt + np.hypot(pt, m / np.cosh(eta)))))


def _ratio(numerator: Any, denominator: Any) -> Any:
    """Their ratio; 0 if both are 0."""
    return numerator / (denominator + ((numerator == 0) & (denominator == 0)))

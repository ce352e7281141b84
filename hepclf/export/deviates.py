"""The normal deviate of a probability as a polynomial, for programs without an inverse error function."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from hepclf.models.preprocess import KNOTS

DEGREE = 17
INNERMOST = float(-logit(1 / (2 * (KNOTS - 1))))  # the largest logit of a rank among the knots


@cache
def coefficients() -> NDArray[np.float64]:
    """Coefficients of v^0, v^1...: ndtri(p) is u times the polynomial, where u = logit(p), v = 2 (u / INNERMOST)^2 - 1.

    The ratio ndtri(p) / u is smooth and even, so a polynomial is accurate to 1e-7.
    """

    places = chebyshev.chebpts1(DEGREE + 1)
    u = INNERMOST * np.sqrt((places + 1) / 2)
    fit = chebyshev.chebfit(places, ndtri(expit(u)) / u, DEGREE)
    return np.asarray(chebyshev.cheb2poly(fit), dtype=np.float64)

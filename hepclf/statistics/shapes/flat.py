"""Whether an efficiency is the same in every bin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hepclf.statistics.value import effective_count, has_positive_sum

Array = NDArray[np.float64]
FEW = 5  # events; with fewer expected the distribution is not that of chi-squared (Cochran's rule)


class FlatnessTest(NamedTuple):
    """A test of flatness: chi-squared, its degrees of freedom and p-value, and whether each bin has enough events."""

    chi2: float | None
    degrees: int
    p: float | None
    enough: bool


def flatness_test(total: Array, squares: Array, passing: Array, passing_squares: Array) -> FlatnessTest:
    r"""Chi-squared test of the hypothesis that all bins have one efficiency e, from sums of w and w^2 [b].

    chi2 = sum_i (P_i - e W_i)^2 / (c Q_i). W and Q are the sums of w and w^2 in a bin; P is the part of W that passes.
    c = (1 - 2e) q + e^2, with q the fraction of Q that passes over all bins, so c Q is the variance of P - e W under
    the hypothesis. e = sum(P W / Q) / sum(W^2 / Q) minimises chi2, so b - 1 degrees of freedom are left. For equal
    weights it is Pearson's test of a 2 x b table. A bin without a positive sum of weights is left out. There is no
    chi-squared for fewer than two bins, or where all or no events pass.
    """
    usable = np.array([has_positive_sum(w, q) for w, q in zip(total, squares, strict=True)], dtype=bool)
    w, q, p, p_squares = (column[usable] for column in (total, squares, passing, passing_squares))
    degrees = max(len(w) - 1, 0)
    if not degrees:
        return FlatnessTest(None, degrees, None, False)
    e = float((p * w / q).sum() / (w**2 / q).sum())
    spread = (1 - 2 * e) * float(p_squares.sum() / q.sum()) + e**2
    # All or nothing passes, but for rounding.
    if spread < 1e-12:
        return FlatnessTest(None, degrees, None, False)
    chi2 = float(((p - e * w) ** 2 / (spread * q)).sum())
    counts = [effective_count(*bin_) for bin_ in zip(w, q, strict=True)]
    enough = bool(min(counts) * min(e, 1 - e) >= FEW)
    return FlatnessTest(chi2, degrees, float(special.chdtrc(degrees, chi2)), enough)

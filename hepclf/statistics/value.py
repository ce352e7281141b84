"""A number and its error, and the errors of plain efficiencies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepclf.words import number

Array = NDArray[np.float64]


class Value(NamedTuple):
    """A number with its standard error; None where one is not defined."""

    value: float | None
    error: float | None = None

    def __str__(self) -> str:
        """`50.8 ± 3.9`; `repr` has all digits."""
        return number(self.value, self.error)

    def to_dict(self) -> dict[str, float | None]:
        """The two numbers by name."""
        return {"value": self.value, "error": self.error}


NOTHING = Value(None, None)

ROUNDING = 1e-12  # relative rounding of sums in double precision
SINGLE = 2.0**-23  # relative rounding of a score in single precision


def measured(value: float, error: float | None = None, rounding: float = 0.0) -> Value:
    """The value with its error; either is None where it is not finite, and without a value there is no error.

    An error of zero is None too: the formulas give zero at their edges (all or no events pass a cut, no events), where
    the true error is not known. So is an error that is only rounding.

    rounding  absolute rounding of a difference: an error no larger than this is None, and such a difference is 0
    """
    if not math.isfinite(value):
        return NOTHING
    if error is not None and math.isfinite(error) and error > max(rounding, ROUNDING * abs(value)):
        return Value(float(value), float(error))
    if abs(value) <= rounding:
        return Value(0.0)
    return Value(float(value))


def effective_count(total: float, squares: float) -> float:
    """Effective number of events, (sum w)^2 / sum w^2; zero without weights."""
    return total**2 / squares if squares > 0 else 0.0


def has_positive_sum(total: float, squares: float) -> bool:
    """Whether the sum of weights is positive beyond the rounding of terms that cancel, given the sum of squares.

    A million events that cancel leave a sum of rounding with an effective count near 1e-26.
    """
    return total > 0 and effective_count(total, squares) > 1e-20


def efficiency_error(passing: ArrayLike, total: ArrayLike, passing_squares: ArrayLike, squares: ArrayLike) -> Array:
    """Error of e = passing/total from sums of weights and of their squares: sqrt((1 - 2e) Q_passing + e^2 Q) / W.

    That is sqrt(sum w^2 (1_passing - e)^2) / sum w: the binomial sqrt(e (1 - e) / N) for equal weights. It is defined
    for signed weights, and correct where passing events have other weights than failing ones (ADR 3). nan without a
    positive total. The formula gives zero at e = 0 and e = 1.
    """
    p, w = np.asarray(passing, dtype=np.float64), np.asarray(total, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        e = p / w
        variance = (1 - 2 * e) * np.asarray(passing_squares) + e**2 * np.asarray(squares)
        return np.where(w > 0, np.sqrt(np.maximum(variance, 0.0)) / w, np.nan)


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Value:
    """sum(w x) / sum(w), with variance n/(n-1) sum(w^2 (x - mean)^2) / (sum w)^2, n = (sum w)^2 / sum w^2.

    There is no value if the weights do not sum to more than zero, and no error if n is not above 1.
    """
    squared = weights**2
    total, squares = float(weights.sum()), float(squared.sum())
    if not has_positive_sum(total, squares):
        return NOTHING
    mean = float(weights @ values) / total
    n = effective_count(total, squares)
    if n <= 1:
        return measured(mean)
    variance = float(squared @ (values - mean) ** 2) / total**2 * n / (n - 1)
    return measured(mean, math.sqrt(variance))

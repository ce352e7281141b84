"""Differences of the areas of taggers on the same test events, and their significance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.comparison.contenders import Contender
from hepclf.statistics.value import NOTHING, Value, measured

# A smaller variance of areas is rounding of zero; even 1e9 events have a variance of 1e-10.
NO_VARIANCE = 1e-24
# Weights in a mixture that differ by less are the same ones, summed in another order.
ALIKE = 1e-9
# Spectators that differ by less are the same ones, computed on another machine.
SAME_SPECTATORS = 1e-5


class Difference(NamedTuple):
    """The test area of a tagger minus that of the reference, and the p-value if the taggers are equal.

    reason  why there is no p; None if there is one
    holm    p, corrected for the number of differences in the comparison
    """

    name: str
    reference: str
    value: Value
    p: float | None = None
    holm: float | None = None
    reason: str | None = None


def auc_difference(tagger: Contender, reference: Contender) -> Difference:
    r"""The difference of two areas with its error, and the two-sided p of no difference.

    On the same events the areas are correlated: with m the influence of each event on its area, the variance of the
    difference is sum (m_1 - m_2)^2, that is var A_1 + var A_2 - 2 cov with the covariance of DeLong, DeLong and
    Clarke-Pearson (1988) for equal weights. Weights may be negative. p = erfc(|d| / (sqrt(2) sigma_d)).
    """
    if differs_in := differing_property(tagger, reference):
        raise ValueError(
            f"areas are compared on the same test events, not on different ones: those of {tagger.name!r} and "
            f"{reference.name!r} differ in their {differs_in}; compare the two separately"
        )
    names = tagger.name, reference.name
    if tagger.copy_of is not None:
        return Difference(*names, NOTHING, reason=f"it is the same training as {tagger.copy_of}")
    if tagger.test.value is None or reference.test.value is None:
        return Difference(*names, NOTHING, reason="there is no AUC on test")
    value = tagger.test.value - reference.test.value
    variances = float(tagger.influences @ tagger.influences + reference.influences @ reference.influences)
    variance = float(np.sum((tagger.influences - reference.influences) ** 2))
    if math.isnan(variance):
        return Difference(*names, measured(value), reason="too few events for an error")
    if variances <= NO_VARIANCE:
        return Difference(*names, measured(value), reason="both order the classes without exception")
    if variance == 0:
        return Difference(*names, measured(0.0), reason="they rank the events alike")
    error = math.sqrt(variance)
    return Difference(*names, measured(value, error), math.erfc(abs(value) / error / math.sqrt(2)))


def differing_property(tagger: Contender, reference: Contender) -> str | None:
    """The property in which the test events of two taggers differ; None if events, order and mixture are the same."""
    if not np.array_equal(tagger.positions, reference.positions):
        return "split"
    events, reference_events = tagger.events, reference.events
    if events.process_names != reference_events.process_names:
        return "processes"
    for name in ("labels", "weights", "processes"):
        if not np.array_equal(getattr(events, name), getattr(reference_events, name)):
            return name
    for name, values in events.spectators.items():
        if name in reference_events.spectators and not _equal(values, reference_events.spectators[name]):
            return name
    if not np.allclose(tagger.weights, reference.weights, rtol=ALIKE, atol=0):
        return "mixture"
    return None


def holm_p_values(values: Sequence[float | None]) -> list[float | None]:
    """p-values after Holm (1979): the i-th smallest of m times m - i + 1, never falling, at most 1.

    Rejecting below a level alpha rejects any true equality with a probability of at most alpha. None stays None.
    """
    ascending = sorted((p, index) for index, p in enumerate(values) if p is not None)
    corrected: list[float | None] = [None] * len(values)
    highest = 0.0
    for rank, (p, index) in enumerate(ascending):
        highest = max(highest, min(1.0, p * (len(ascending) - rank)))
        corrected[index] = highest
    return corrected


def _equal(values: NDArray[np.generic], reference: NDArray[np.generic]) -> bool:
    if values.dtype.kind == reference.dtype.kind == "f":
        return bool(np.allclose(values, reference, rtol=SAME_SPECTATORS, atol=0, equal_nan=True))
    return bool(np.array_equal(values, reference))

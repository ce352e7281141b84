"""Working points: the cuts at target signal efficiencies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.curves.roc import Curve, background_error
from hepclf.statistics.value import NOTHING, Value, measured


class WorkingPoint(NamedTuple):
    """The cut at the first score whose signal efficiency reaches the target, and its background efficiency.

    `rejection_limit` is the lower limit of the rejection where no background event passes.
    """

    target: float
    signal_efficiency: float | None
    background_efficiency: Value
    rejection: Value
    threshold: float | None
    rejection_limit: Limit | None = None


def working_point(curve: Curve, target: float) -> WorkingPoint:
    """The first distinct score at which the signal efficiency reaches the target.

    The error of the background efficiency is the quadrature sum of its counting error and its shift by the uncertainty
    of the signal efficiency. Without background above the cut there is no rejection.
    """
    if not curve.defined:
        return WorkingPoint(target, None, NOTHING, NOTHING, None)
    index = int(curve.index_at(target))
    background_efficiency = float(curve.background_efficiency[index])
    error = float(background_error(curve, np.array([index]))[0])
    rejection = NOTHING
    if background_efficiency > 0:
        rejection = measured(1 / background_efficiency, error / background_efficiency**2)
    return WorkingPoint(
        target=target,
        signal_efficiency=float(curve.signal_efficiency[index]),
        background_efficiency=measured(background_efficiency, error),
        rejection=rejection,
        threshold=float(curve.thresholds[index]),
    )

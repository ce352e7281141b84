"""How far the curves of folds, seeds or replicas of one training are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, measured

Array = NDArray[np.float64]

ROUNDING = 1e-12  # areas and efficiencies that differ by no more are equal


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """Mean and standard deviation over trainings, each with the error that few trainings leave it.

    area         mean area under the curve, its error that of the mean, deviation / sqrt(n)
    deviation    standard deviation of the area between trainings; its error is deviation / sqrt(2 (n - 1)), right for
                 a Gaussian
    own_error    statistical uncertainty of one training's area, which its test events leave: the root mean square over
                 trainings; None where one has none
    targets      signal efficiencies [t]
    kept         background efficiency of each training there, [n, t]
    errors       its own error, [n, t]
    """

    area: Value
    deviation: Value
    own_error: float | None
    targets: Array
    kept: Array
    errors: Array

    @property
    def mean(self) -> Array:
        """Mean background efficiency at each target, [t]."""
        return np.asarray(self.kept.mean(axis=0))

    @property
    def apart(self) -> Array:
        """Standard deviation between trainings, [t]."""
        return np.where(np.ptp(self.kept, axis=0) > ROUNDING, self.kept.std(axis=0, ddof=1), 0.0)


def spread(areas: Sequence[Value], kept: Array, errors: Array, targets: Array) -> Spread:
    """What another fold or seed would have given: the scatter of two trainings or more, with or without common events.

    On the same test events it holds what training adds and not the error of the test sample, which all share; on
    folds it holds both. kept and errors are background efficiencies [n, t] at the targets [t].
    """
    n, values = len(areas), [one.value for one in areas if one.value is not None]
    if n < 2 or len(values) < n:
        raise ValueError(f"a spread needs two areas or more, however there are {len(values)} of {n} trainings")
    deviation = float(np.std(values, ddof=1)) if np.ptp(values) > ROUNDING else 0.0
    own = [one.error for one in areas if one.error is not None]
    return Spread(
        area=measured(float(np.mean(values)), deviation / math.sqrt(n)),
        deviation=measured(deviation, deviation / math.sqrt(2 * (n - 1))) if deviation else NOTHING,
        own_error=math.sqrt(float(np.mean(np.square(own)))) if len(own) == n else None,
        targets=targets,
        kept=kept,
        errors=errors,
    )

"""The spread of the curves of folds, seeds or replicas of one training."""

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
    """Mean and standard deviation over trainings, each with the error from the finite number of trainings.

    area                   mean area under the curve, its error that of the mean, deviation / sqrt(n)
    deviation              standard deviation of the area between trainings; its error is deviation / sqrt(2 (n - 1)),
                           right for a Gaussian
    own_error              statistical uncertainty of one training's area from its test events: the root mean square
                           over trainings; None where a training has none
    targets                signal efficiencies [t]
    background_efficiency  of each training at each target, [n, t]
    errors                 statistical errors of these, [n, t]
    """

    area: Value
    deviation: Value
    own_error: float | None
    targets: Array
    background_efficiency: Array
    errors: Array

    @property
    def mean(self) -> Array:
        """Mean background efficiency at each target, [t]."""
        return np.asarray(self.background_efficiency.mean(axis=0))

    @property
    def scatter(self) -> Array:
        """Standard deviation between trainings, [t]."""
        return np.where(
            np.ptp(self.background_efficiency, axis=0) > ROUNDING, self.background_efficiency.std(axis=0, ddof=1), 0.0
        )


def training_spread(areas: Sequence[Value], background_efficiency: Array, errors: Array, targets: Array) -> Spread:
    """Mean and scatter of two trainings or more, which may have common test events.

    On common test events the scatter is that of the training alone, because all trainings share the fluctuation of the
    test set; on folds it includes both.

    background_efficiency and its errors are [n, t], at the signal efficiencies targets [t].
    """
    n, values = len(areas), [area.value for area in areas if area.value is not None]
    if n < 2 or len(values) < n:
        raise ValueError(f"a spread needs two areas or more, not {len(values)} of {n} trainings")
    deviation, quoted_deviation = 0.0, NOTHING
    if np.ptp(values) > ROUNDING:
        deviation = float(np.std(values, ddof=1))
        quoted_deviation = measured(deviation, deviation / math.sqrt(2 * (n - 1)))
    return Spread(
        area=measured(float(np.mean(values)), deviation / math.sqrt(n)),
        deviation=quoted_deviation,
        own_error=_own_error(areas),
        targets=targets,
        background_efficiency=background_efficiency,
        errors=errors,
    )


def _own_error(areas: Sequence[Value]) -> float | None:
    """Root mean square of the areas' errors, None where an area has none."""
    errors = [area.error for area in areas if area.error is not None]
    if len(errors) < len(areas):
        return None
    return math.sqrt(float(np.mean(np.square(errors))))

"""How far a rejection can be told where no background is left."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Limit(NamedTuple):
    """What a rejection is greater than at 90 and at 95 % confidence."""

    at_90: float
    at_95: float


def rejection_limit(total: float, weight: float) -> Limit:
    """Lower limits of the rejection of a cut that no background event passes: total / (-ln(1 - confidence) weight).

    Where n events are expected, none is seen with probability exp(-n), so n < 2.303 at 90 and 2.996 at 95 % (Poisson).
    `total` is the sum of the background's weights and `weight` what one more event would weigh (`heaviest`): the
    weights of events that were not seen are not known.
    """
    at_90, at_95 = (total / (-math.log1p(-level) * weight) for level in (0.90, 0.95))
    return Limit(at_90, at_95)


def heaviest(weights: Array, processes: NDArray[np.int64]) -> float:
    """The largest effective weight, sum w^2 / sum |w|, of the processes that these events came from.

    At least the mean weight of each process, for weights of either sign, so that a limit holds whichever process the
    next event would come from. Zero without events.
    """
    sizes, squares = np.bincount(processes, np.abs(weights)), np.bincount(processes, weights**2)
    return float(np.max(squares[sizes > 0] / sizes[sizes > 0], initial=0.0))

"""Discriminants of one class against a mixture of the others, and their dependence on the fractions of the mixture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.passing import Passing, passing
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import ROUNDING
from hepclf.statistics.value import has_positive_sum

Array = NDArray[np.float64]
TINY = float(np.finfo(np.float64).tiny)
STEPS = 25


def log_ratio(scores: Array, target: int, fractions: Array) -> Array:
    r"""D = ln(p_target / sum_j f_j p_j) of probabilities [n, k], with fractions f [k] of the other classes, [n].

    With f_c + f_u = 1 it is the b-taggers' D_b = ln(p_b / (f_c p_c + f_u p_u)) (ATL-PHYS-PUB-2017-013). The fractions
    are the composition of the background: with the true composition D is the optimal discriminant. A probability of
    zero counts as 2e-308, so D is always finite.
    """
    background = scores @ fractions
    return np.asarray(np.log(np.maximum(scores[:, target], TINY)) - np.log(np.maximum(background, TINY)))


def discriminant_cuts(
    discriminant: Array, is_target: NDArray[np.bool_], weights: Array, targets: tuple[float, ...]
) -> Array | None:
    """The highest cuts on a discriminant [n] that reach these efficiencies of the target class.

    None if the target has no positive sum of weights.
    """
    ranking, w = Ranking(discriminant[is_target]), weights[is_target]
    sums = ranking.sums(w)
    if not len(sums) or not has_positive_sum(float(sums[-1]), float(w @ w)):
        return None
    # With negative weights the sums may fall again; the first crossing is that of their running maximum.
    reached = np.searchsorted(np.maximum.accumulate(sums / sums[-1]), np.array(targets) - ROUNDING)
    return ranking.thresholds[np.minimum(reached, len(sums) - 1)]


class Trade(NamedTuple):
    """Efficiency of each class [k] for each value of one class's fraction [s] at each target [t].

    efficiency and error are [s, k, t]
    """

    values: Array
    efficiency: Array
    error: Array


def trade(
    labels: NDArray[np.int64],
    scores: Array,
    weights: Array,
    target: int,
    fractions: Array,
    varied: int,
    targets: tuple[float, ...],
) -> Trade | None:
    """The efficiencies of all classes at fixed target efficiencies, while one class's fraction goes from 0 to 1.

    The other fractions keep their proportions. The steps are even in the angle whose squared sine is the fraction, so
    that they are dense near 0 and 1. None if the target has no positive sum of weights.
    """
    values = np.sin(np.linspace(0, np.pi / 2, STEPS)) ** 2
    steps: list[Passing] = []
    for value in values:
        discriminant = log_ratio(scores, target, with_fraction(fractions, target, varied, float(value)))
        thresholds = discriminant_cuts(discriminant, labels == target, weights, targets)
        if thresholds is None:
            return None
        steps.append(passing(discriminant, thresholds, labels, weights, scores.shape[1]))
    return Trade(values, np.stack([step.efficiency for step in steps]), np.stack([step.error for step in steps]))


def with_fraction(fractions: Array, target: int, varied: int, value: float) -> Array:
    """The fractions [k] with one set to `value`, and the others scaled so that all sum to one.

    Where the others are all zero, they become equal.
    """
    shares = fractions.copy()
    shares[varied] = 0.0
    if shares.sum() <= 0:
        shares = np.ones(len(fractions))
        shares[[target, varied]] = 0.0
    scaled = shares * (1 - value) / max(shares.sum(), TINY)
    scaled[varied] = value
    return np.asarray(scaled)

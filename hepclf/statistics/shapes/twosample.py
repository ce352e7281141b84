"""A two-sample test of weighted events: are two samples of scores drawn from one distribution?"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured

Array = NDArray[np.float64]

BLOCKS = 512  # blocks of the joint order, at whose ends the distributions are compared; at most one for each event
BAGS = 256  # groups of a sample's events that are permuted as one; at most one for each event
FEWEST = 32  # groups of the smaller sample, if it has as many events


class ScoreSample(NamedTuple):
    """Scores [n] in rising order, and the weight of each."""

    scores: Array
    weights: Array


class TwoSample(NamedTuple):
    """The distance of two samples, and that of their permutations.

    distance    largest difference of the cumulative distributions: the efficiencies differ by no more at any cut
    p           (k + 1) / (n + 1), where k of n permutations are as far apart as the samples
    by_chance   mean and standard deviation of the distances of the permutations
    bound       95 % quantile of these distances; infinite where too many leave a sample no positive weight
    scores, difference   the ends of the blocks [m], and F1 - F2 there
    """

    distance: float
    p: float
    by_chance: Value
    bound: float
    scores: Array
    difference: Array


def two_sample(first: ScoreSample, second: ScoreSample, permutations: int) -> TwoSample | None:
    """A Kolmogorov-Smirnov test of weighted events, with a p-value from permutations, which is uniform by construction.

    D = max |F1 - F2|, where F is the fraction of a sample's weight at or below a score. If both samples come from one
    distribution of scores and weights, all assignments of events to the samples are equally likely (Fisher 1935), so D
    of the samples has a uniform rank among the permutations. This holds for any weights, including negative ones, and
    for ties. In large samples, random groups of equally many events are permuted as one, and events left over keep
    their sample: there are then fewer permutations, still equally likely. None where a sample has no positive sum of
    weights.
    """
    for sample in (first, second):
        if not has_positive_sum(float(sample.weights.sum()), float(sample.weights @ sample.weights)):
            return None
    ends = _ends(first.scores, second.scores)
    # Seeded by the scores: the same events give the same p-value, and other events use other permutations.
    rng = np.random.default_rng(crc32(ends.tobytes()))
    n1, n2 = len(first.scores), len(second.scores)
    size = max(1, min((n1 + n2) // (2 * BAGS), min(n1, n2) // FEWEST))
    (bags1, leftover1), (bags2, leftover2) = (_bagged(sample, ends, size, rng) for sample in (first, second))
    bags, leftover = np.concatenate([bags1, bags2]), leftover1
    total = bags.sum(axis=0) + leftover1 + leftover2
    dealt = np.zeros((permutations, len(bags)))
    dealt[:, : len(bags1)] = 1
    dealt = rng.permuted(dealt, axis=1)
    difference = _difference(bags1.sum(axis=0) + leftover, total)
    distance = float(np.abs(difference).max())
    dealt_distances = np.abs(_difference(dealt @ bags + leftover, total)).max(axis=1)
    # The same permutation summed in another order differs in the last digits.
    above = int((dealt_distances >= distance * (1 - 1e-9)).sum())
    by_chance = NOTHING
    if np.isfinite(dealt_distances).all():
        by_chance = measured(float(dealt_distances.mean()), float(dealt_distances.std()))
    return TwoSample(
        distance=distance,
        p=(above + 1) / (permutations + 1),
        by_chance=by_chance,
        bound=float(np.quantile(dealt_distances, 0.95, method="higher")),
        scores=ends,
        difference=difference,
    )


def _difference(first: Array, total: Array) -> Array:
    """F1 - F2 from the cumulative weights [..., m] of the first sample and of both.

    It is infinite, the largest distance, where a permutation leaves a sample no positive weight.
    """
    total1, all_ = first[..., -1:], total[-1]
    total2 = all_ - total1
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = (first - total * (total1 / all_)) * (all_ / (total1 * total2))
    return np.where((total1 > 0) & (total2 > 0), difference, np.inf)


def _ends(first: Array, second: Array) -> Array:
    """The scores at which blocks of the joint order end; ties are in one block."""
    joint = np.concatenate([first, second])
    joint.sort(kind="stable")  # two runs that rise: a merge
    places = np.arange(1, min(len(joint), BLOCKS) + 1) * len(joint) // min(len(joint), BLOCKS) - 1
    return np.unique(joint[places])


def _bagged(sample: ScoreSample, ends: Array, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Cumulative weights over the blocks, of random groups of `size` events [bags, m] and of events left over [m]."""
    n, blocks = len(sample.scores), len(ends)
    bags = min(n // size, BAGS)
    bag = np.minimum(rng.permutation(n) // size, bags)
    last = np.searchsorted(sample.scores, ends, side="right")
    block = np.repeat(np.arange(blocks), np.diff(last, prepend=0))
    sums = np.bincount(bag * blocks + block, sample.weights, minlength=(bags + 1) * blocks)
    cumulative = np.cumsum(sums.astype(np.float64, copy=False).reshape(bags + 1, blocks), axis=1)
    return cumulative[:bags], cumulative[bags]

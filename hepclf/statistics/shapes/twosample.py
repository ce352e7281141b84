"""A two-sample test of weighted events: are two samples of scores drawn from one distribution?"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured

Array = NDArray[np.float64]

BLOCKS = 512  # stretches of the joint order, at whose ends distributions are compared; of fewer events, each event
BAGS = 256  # of a sample, that are dealt anew together; of fewer events, each event
FEWEST = 32  # bags of the smaller sample, if it has as many events


class ScoreSample(NamedTuple):
    """Scores [n] in rising order, and the weight of each."""

    scores: Array
    weights: Array


class TwoSample(NamedTuple):
    """How far two samples are apart, and how far by chance.

    distance    largest difference of the cumulative distributions: at no cut do the efficiencies differ by more
    p           share of the permutations that are as far apart, each counted with this one: (k + 1) / (n + 1)
    by_chance   mean and spread of the distances of the permutations
    bound       95 % of the permutations are nearer; infinite where too many leave a sample no positive weight
    scores, difference   the ends of the blocks [m], and the first distribution less the second there
    """

    distance: float
    p: float
    by_chance: Value
    bound: float
    scores: Array
    difference: Array


def two_sample(first: ScoreSample, second: ScoreSample, permutations: int) -> TwoSample | None:
    """A Kolmogorov-Smirnov test of weighted events whose p-value comes from permutations, so it is uniform.

    D = max |F1 - F2|, F the share of a sample's weight at or below a score. Where both samples are drawn from one
    distribution of scores and weights, an event might as well be in the other sample: all ways of dealing events to
    samples are equally likely (Fisher 1935), and D of the samples as they are is a random one of them. That holds
    for any weights, negative ones too, and for ties. Large samples are dealt in bags of equally many events, taken at
    random, what is left over stays where it is: the ways that there are then are fewer, and still equally likely.
    None where a sample's weights do not sum to more than zero.
    """
    for sample in (first, second):
        if not has_positive_sum(float(sample.weights.sum()), float(sample.weights @ sample.weights)):
            return None
    ends = _ends(first.scores, second.scores)
    # The same events have the same p-value; other events other permutations, as one choice of them favours some.
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
    # The same deal summed in another order differs in the last digits.
    above = int((dealt_distances >= distance * (1 - 1e-9)).sum())
    return TwoSample(
        distance=distance,
        p=(above + 1) / (permutations + 1),
        by_chance=measured(float(dealt_distances.mean()), float(dealt_distances.std()))
        if np.isfinite(dealt_distances).all()
        else NOTHING,
        bound=float(np.quantile(dealt_distances, 0.95, method="higher")),
        scores=ends,
        difference=difference,
    )


def _difference(first: Array, total: Array) -> Array:
    """F1 - F2 from the cumulative weights [..., m] of the first sample and of both.

    Infinite where a deal leaves a sample no positive weight, which is as far apart as can be.
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
    """Cumulative weights over the blocks of bags of so many events [bags, m], and of those left over [m]."""
    n, blocks = len(sample.scores), len(ends)
    bags = min(n // size, BAGS)
    bag = np.minimum(rng.permutation(n) // size, bags)
    last = np.searchsorted(sample.scores, ends, side="right")
    block = np.repeat(np.arange(blocks), np.diff(last, prepend=0))
    sums = np.bincount(bag * blocks + block, sample.weights, minlength=(bags + 1) * blocks)
    cumulative = np.cumsum(sums.astype(np.float64, copy=False).reshape(bags + 1, blocks), axis=1)
    return cumulative[:bags], cumulative[bags]

"""Reliability: the observed signal fraction against the predicted probability in bins, and the calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.value import ROUNDING, Value, measured

Array = NDArray[np.float64]

BLOCK = 1 << 16
FEWEST = 10.0  # effective events of each class that a bin of a chi2 expects


@dataclass(frozen=True, eq=False)
class Reliability:
    """Bins of rising probability [b], and the test of calibration over all bins.

    predicted, observed   mean probability and signal fraction of the bin
    error                 of observed - predicted
    share                 fraction of all events in the bin
    ece                   expected calibration error, sum of share |observed - predicted| (arXiv:1706.04599, eq. 3)
    by_chance             the ece expected for a perfectly calibrated tagger with as many events
    chi2, ndf, p          test of observed = predicted over all bins; None where it cannot be computed
    """

    predicted: Array
    observed: Array
    error: Array
    share: Array
    ece: Value
    by_chance: Value
    chi2: float | None
    ndf: int
    p: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        bins = {name: getattr(self, name).tolist() for name in ("predicted", "observed", "error", "share")}
        errors = {name: getattr(self, name).to_dict() for name in ("ece", "by_chance")}
        return {**errors, "chi2": self.chi2, "ndf": self.ndf, "p": self.p, "bins": bins}


def probability_bins(ranking: Ranking, weights: Array, bins: int) -> NDArray[np.int16]:
    """The bin of each event [n] by rising probability; bins have equal sums of |w|, and ties share a bin."""
    above = ranking.sums(np.abs(weights))
    total = float(above[-1])
    place = np.zeros(len(above), dtype=np.int16)
    if total > 0:
        middle = above - np.diff(above, prepend=0.0) / 2
        place = np.clip((1 - middle / total) * bins, 0, bins - 1).astype(np.int16)
    # Places fall along the ranking; places without a score are left out, so that the bins are numbered without gaps.
    changes = np.cumsum(np.diff(place, prepend=place[0]) != 0, dtype=np.int16)
    return ranking.spread(changes[-1] - changes)


def reliability(
    bin: NDArray[np.int16], scores: Array, labels: NDArray[np.int64], signal: int, mixed: Array
) -> Reliability:
    """The reliability of the signal probabilities [n] in these bins [n].

    `mixed` are weights whose sum in each class is its fraction of the mixture; they sum to one. The excess of a bin is
    the sum of w (y - p). chi2 compares the excesses of all bins with their covariance for a calibrated tagger; bins are
    merged until each class has FEWEST expected events. The errors of the points and of the ece are those of the
    observed events; the errors of the points are at least as large as for a calibrated tagger.
    """
    signals, backgrounds = _sums(bin, scores, labels == signal, mixed)
    share, hits, certain = signals.weights + backgrounds.weights, signals.weights, signals.likely
    excess = hits - certain
    as_is, if_true, expected = _covariances((signals, backgrounds))
    spread = np.sqrt(np.maximum(np.diag(if_true), 0))
    error = np.maximum(np.sqrt(np.maximum(np.diag(as_is), 0)), spread)
    signs = np.sign(excess)
    together = merging_matrix(expected)
    chi2, p = _chi2(together @ excess, together @ if_true @ together.T)
    # The mean of |x| of a Gaussian around zero is sqrt(2/pi) sigma, its spread sqrt(1 - 2/pi) sigma.
    chance = math.sqrt(2 / math.pi) * float(spread.sum()), math.sqrt((1 - 2 / math.pi) * float(spread @ spread))
    with np.errstate(divide="ignore", invalid="ignore"):
        return Reliability(
            predicted=certain / share,
            observed=hits / share,
            error=np.abs(error / share),
            share=share,
            ece=measured(float(np.abs(excess).sum()), math.sqrt(max(float(signs @ as_is @ signs), 0.0)), ROUNDING),
            by_chance=measured(*chance),
            chi2=chi2,
            ndf=len(together),
            p=p,
        )


class _Sums(NamedTuple):
    """Sums over the events of one class in each bin [b], where h = y - p.

    weights, first                     sums of w and w h over its events
    squares, first_squares, second     sums of w^2, w^2 h and w^2 h^2 over its events
    likely, likely_first, likely_second  sums of w q, w q h and w q h^2 over all events, q the probability of the class
    """

    weights: Array
    first: Array
    squares: Array
    first_squares: Array
    second: Array
    likely: Array
    likely_first: Array
    likely_second: Array


def _sums(bin: NDArray[np.int16], scores: Array, truth: NDArray[np.bool_], mixed: Array) -> tuple[_Sums, _Sums]:
    """The sums of signal and background, in blocks of events, so that temporary arrays are small."""
    b = int(bin.max()) + 1
    sums = np.zeros((2, len(_Sums._fields), b))
    for start in range(0, len(bin), BLOCK):
        block = slice(start, start + BLOCK)
        p, w = scores[block], mixed[block]
        for in_class, q, h, into in ((truth[block], p, 1 - p, sums[0]), (~truth[block], 1 - p, -p, sums[1])):
            class_weights, likely = np.where(in_class, w, 0.0), w * q
            columns = (
                class_weights,
                class_weights * h,
                class_weights**2,
                class_weights**2 * h,
                (class_weights * h) ** 2,
                likely,
                likely * h,
                likely * h**2,
            )
            for row, column in zip(into, columns, strict=True):
                row += np.bincount(bin[block], column, minlength=b)
    return _Sums(*sums[0]), _Sums(*sums[1])


def _covariances(classes: tuple[_Sums, _Sums]) -> tuple[Array, Array, Array]:
    """Covariances [b, b] of the bins' excesses: of the observed events, and expected for a calibrated tagger.

    The third array is the number of expected effective events a bin, of the class that has fewer, [b].
    """
    b = len(classes[0].weights)
    as_is, if_true, expected = np.zeros((b, b)), np.zeros((b, b)), np.full(b, np.inf)
    for class_sums in classes:
        total, squares = float(class_sums.weights.sum()), float(class_sums.squares.sum())
        as_is += _covariance(class_sums.second, class_sums.first_squares, class_sums.first / total, squares)
        heavy = _weight_per_event(class_sums.weights, class_sums.squares, squares / total)
        expected = np.minimum(expected, class_sums.likely / heavy)
        if_true += _covariance(
            heavy * class_sums.likely_second, heavy * class_sums.likely_first, class_sums.likely_first / total, squares
        )
    return as_is, if_true, expected


def merging_matrix(expected: Array) -> Array:
    """Groups of neighbouring bins [b] with FEWEST expected events or more, as zeros and ones [groups, b]."""
    group, count, groups = 0, 0.0, []
    for value in expected.tolist():
        groups.append(group)
        count += value
        if count >= FEWEST:
            group, count = group + 1, 0.0
    # Bins left over at the end join the last group.
    last = np.minimum(groups, max(group - 1, 0))
    return np.asarray(np.arange(last[-1] + 1)[:, None] == last, dtype=np.float64)


def _covariance(second: Array, first: Array, mean: Array, squares: float) -> Array:
    """Covariance of a class's excesses, given its sum of weights: sum w^2 (h - m)(h - m)^T, [b, b].

    h of an event is y - p in its own bin and zero in the others; m is its mean. second and first are the sums of
    w^2 h^2 and w^2 h in each bin, and squares is the sum of w^2.
    """
    cross, means = np.outer(mean, first), squares * np.outer(mean, mean)
    covariance = np.diag(second) - cross - cross.T + means
    # Equal scores have no spread: the terms then cancel up to rounding, whose root would look like an error.
    terms = np.diag(np.abs(second)) + np.abs(cross) + np.abs(cross.T) + np.abs(means)
    return np.where(np.abs(covariance) > ROUNDING * terms, covariance, 0.0)


def _weight_per_event(sums: Array, squares: Array, everywhere: float) -> Array:
    """sum w^2 / sum w of a class in each bin; its overall value where a bin has too few of its events."""
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = (sums > 0) & (sums**2 >= 10 * squares)
        return np.where(enough, squares / sums, everywhere)


def _chi2(excess: Array, covariance: Array) -> tuple[float | None, float | None]:
    from scipy.special import gammaincc

    scale = np.sqrt(np.maximum(np.diag(covariance), 0))
    if not (scale > 0).all():
        return None, None
    pulls, correlation = excess / scale, covariance / np.outer(scale, scale)
    if not np.linalg.cond(correlation) < 1e10:
        return None, None
    with np.errstate(over="ignore"):  # a signal event at a probability near zero: the excess is infinitely unlikely
        chi2 = float(pulls @ np.linalg.solve(correlation, pulls))
    if not chi2 >= 0:  # also nan
        return chi2, None
    return chi2, float(gammaincc(len(pulls) / 2, chi2 / 2))

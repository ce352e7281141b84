"""Reliability: how often what a probability says is true, in bins of events, and the error of calibration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.curves.roc import Ranking
from hepclf.evaluation.value import Value, measured

Array = NDArray[np.float64]

FEWEST = 10.0  # effective events of each class that a bin of a chi2 expects


@dataclass(frozen=True, eq=False)
class Reliability:
    """Bins of rising probability [b] and what they say together.

    predicted, observed   mean probability, and share of the signal, of the bin
    error                 of observed - predicted
    share                 of all events
    ece                   expected calibration error, sum of share |observed - predicted| (arXiv:1706.04599, eq. 3)
    by_chance             the ece of a perfectly calibrated tagger of as many events
    chi2, ndf, p          whether observed is predicted, all bins together; None where it cannot be had
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
        both = {name: getattr(self, name).to_dict() for name in ("ece", "by_chance")}
        return {**both, "chi2": self.chi2, "ndf": self.ndf, "p": self.p, "bins": bins}


def binned(ranking: Ranking, weights: Array, bins: int) -> NDArray[np.intp]:
    """The bin of each event [n], of equal sums of |w|, in rising order; ties share a bin."""
    above = ranking.sums(np.abs(weights))
    middle = (above + np.concatenate([[0.0], above[:-1]])) / 2
    place = np.floor((1 - middle / above[-1]) * bins) if above[-1] > 0 else np.zeros(len(above))
    found = np.unique(np.clip(place, 0, bins - 1), return_inverse=True)[1]
    return ranking.spread(found.astype(np.float64)).astype(np.intp)


def reliability(
    bin: NDArray[np.intp], scores: Array, labels: NDArray[np.int64], signal: int, mixed: Array
) -> Reliability:
    """The reliability of the probabilities of the signal [n] in these bins [n].

    mixed holds weights whose sum in each class is its share of the mixture, all together one. The excess of a bin is
    the sum of w (y - p). chi2 takes the excesses of all bins against the covariance that they have where p is true,
    neighbours joined until each class has FEWEST expected events. The errors of the points and of the ece come from
    the events as they are, those of the points being no less than what they are where p is true.
    """
    b = int(bin.max()) + 1
    truth = labels == signal

    def sums(values: Array) -> Array:
        return np.bincount(bin, values, minlength=b).astype(np.float64)

    share, hits, certain = sums(mixed), sums(mixed * truth), sums(mixed * scores)
    excess = hits - certain
    as_is, if_true, expected = _covariances(sums, truth, scores, mixed)
    spread = np.sqrt(np.maximum(np.diag(if_true), 0))
    error = np.maximum(np.sqrt(np.maximum(np.diag(as_is), 0)), spread)
    signs = np.sign(excess)
    together = merged(expected)
    chi2, p = _chi2(together @ excess, together @ if_true @ together.T)
    # The mean of |x| of a Gaussian around zero is sqrt(2/pi) sigma, its spread sqrt(1 - 2/pi) sigma.
    chance = math.sqrt(2 / math.pi) * float(spread.sum()), math.sqrt((1 - 2 / math.pi) * float(spread @ spread))
    with np.errstate(divide="ignore", invalid="ignore"):
        return Reliability(
            predicted=certain / share,
            observed=hits / share,
            error=np.abs(error / share),
            share=share,
            ece=measured(float(np.abs(excess).sum()), math.sqrt(max(float(signs @ as_is @ signs), 0.0))),
            by_chance=measured(*chance),
            chi2=chi2,
            ndf=len(together),
            p=p,
        )


def _covariances(
    sums: Callable[[Array], Array], truth: NDArray[np.bool_], scores: Array, mixed: Array
) -> tuple[Array, Array, Array]:
    """Covariances [b, b] of the bins' excesses from the events as they are, and where the probabilities are true.

    sums adds values [n] by bin, [b]. The third is the least of the classes' expected effective events a bin, [b].
    """
    b = len(sums(mixed))
    as_is, if_true, expected = np.zeros((b, b)), np.zeros((b, b)), np.full(b, np.inf)
    for of, likely, h in ((truth, scores, 1 - scores), (~truth, 1 - scores, -scores)):
        w = np.where(of, mixed, 0.0)
        total, squares = float(w.sum()), float(w @ w)
        as_is += _covariance(sums(w**2 * h**2), sums(w**2 * h), sums(w * h) / total, squares)
        heavy = _heaviness(sums(w), sums(w**2), squares / total)
        pull, second = sums(mixed * likely * h), sums(mixed * likely * h**2)
        expected = np.minimum(expected, sums(mixed * likely) / heavy)
        if_true += _covariance(heavy * second, heavy * pull, pull / total, squares)
    return as_is, if_true, expected


def merged(expected: Array) -> Array:
    """Which bins [b] stand together, so that each group has FEWEST expected events: zeros and ones [groups, b]."""
    group, count, groups = 0, 0.0, []
    for value in expected.tolist():
        groups.append(group)
        count += value
        if count >= FEWEST:
            group, count = group + 1, 0.0
    # What is left over at the end joins the last group.
    last = np.minimum(groups, max(group - 1, 0))
    return np.asarray(np.arange(last[-1] + 1)[:, None] == last, dtype=np.float64)


def _covariance(second: Array, first: Array, mean: Array, squares: float) -> Array:
    """Of the excesses of a class whose sum of weights is given: sum w^2 (h - m)(h - m)^T, [b, b].

    An event's h is y - p in its own bin and zero in the others, m its mean; second and first are the sums of w^2 h^2
    and w^2 h by bin, and squares that of w^2.
    """
    cross = np.outer(mean, first)
    return np.asarray(np.diag(second) - cross - cross.T + squares * np.outer(mean, mean))


def _heaviness(sums: Array, squares: Array, everywhere: float) -> Array:
    """sum w^2 / sum w of a class in each bin, or everywhere where a bin has too few of its events to tell."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (sums > 0) & (sums**2 >= 10 * squares)
        return np.where(known, squares / sums, everywhere)


def _chi2(excess: Array, covariance: Array) -> tuple[float | None, float | None]:
    from scipy.special import gammaincc

    scale = np.sqrt(np.maximum(np.diag(covariance), 0))
    if not (scale > 0).all():
        return None, None
    pulls, correlation = excess / scale, covariance / np.outer(scale, scale)
    if not np.linalg.cond(correlation) < 1e10:
        return None, None
    chi2 = float(pulls @ np.linalg.solve(correlation, pulls))
    return chi2, float(gammaincc(len(pulls) / 2, chi2 / 2)) if chi2 >= 0 else None

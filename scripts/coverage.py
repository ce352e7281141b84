#!/usr/bin/env python3
"""How often the 68 % bands of an evaluation hold the truth, over simulated samples; print tables for docs/coverage.md.

  scripts/coverage.py [SAMPLES [SEED]]   1000 samples and seed 1, where not given

Scores are a unit Gaussian around 1 for signal and around 0 for background, so all truths are closed forms. The numbers
of events are Poisson, as those of an experiment or of its simulation are.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hepclf.statistics.counting.scan import Rules, chosen_significance
from hepclf.statistics.curves.bootstrap import Replicas, bins, bootstrap, interval
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, area, curve
from hepclf.statistics.curves.working_point import working_point

Array = NDArray[np.float64]

EVENTS = {1: 2000, 0: 3000}  # expected, by label
CUT, TARGET, REPLICAS = 1.0, 0.5, 400
RULES = Rules(optimise="s_over_sqrt_b", systematic=0.1, minimum_background=1.0)
HEADER = ("weights", "N_eff", "quantity", "analytic", "bootstrap", "error / spread: analytic", "bootstrap")


class Kind(NamedTuple):
    """Weights of a sample: log-normal of a width, a share of them negative, times exp(slope x score)."""

    name: str
    width: float = 0.0
    negative: float = 0.0
    slope: float = 0.0

    @property
    def mean(self) -> float:
        """Mean of the weights but for the slope."""
        return math.exp(self.width**2 / 2) * (1 - 2 * self.negative)


KINDS = (
    Kind("unit"),
    Kind("log-normal, width 1", width=1),
    Kind("20 % negative", negative=0.2),
    Kind("log-normal, width 1, falling with the score", width=1, slope=-0.5),
    Kind("log-normal, width 1.5", width=1.5),
    Kind("log-normal, width 2", width=2),
)


class Sample(NamedTuple):
    """Events of one experiment."""

    is_signal: NDArray[np.bool_]
    scores: Array
    weights: Array


class Band(NamedTuple):
    """A value, and what two bands say of it: the ends and the size of each."""

    value: float
    analytic: tuple[float, float]
    bootstrap: tuple[float, float]


def sample(kind: Kind, rng: np.random.Generator) -> Sample:
    is_signal = np.repeat([True, False], [rng.poisson(EVENTS[1]), rng.poisson(EVENTS[0])])
    scores = rng.normal(1.0 * is_signal)
    sign = np.where(rng.random(len(scores)) < kind.negative, -1.0, 1.0)
    return Sample(is_signal, scores, sign * rng.lognormal(0, kind.width, len(scores)) * np.exp(kind.slope * scores))


def truths(kind: Kind) -> dict[str, float]:
    """A weight of exp(a x) moves a Gaussian by a and scales it by exp(a mean + a^2 / 2)."""
    s, b = (
        EVENTS[label] * kind.mean * math.exp(kind.slope * label + kind.slope**2 / 2)
        * float(norm.sf(CUT - label - kind.slope))
        for label in (1, 0)
    )  # fmt: skip
    return {
        "AUC": float(norm.cdf(1 / math.sqrt(2))),
        "rejection at 50 %": 1 / float(norm.sf(1 + norm.isf(TARGET))),
        "S/sqrt(B)": s / math.sqrt(b),
    }


def bands(of: Sample, seed: int) -> dict[str, Band]:
    """The quantities of one sample, each with its analytic and its bootstrap band."""
    ranking = Ranking(of.scores)
    full = curve(ranking, of.is_signal, of.weights)
    index = ranking.last(CUT)
    edges = np.union1d(bins(full, (TARGET,)), index)
    drawn = bootstrap(full, ranking, of.is_signal, of.weights, edges=edges, replicas=REPLICAS, seed=seed)
    return {
        "AUC": _area(full, drawn),
        "rejection at 50 %": _rejection(full, drawn),
        "S/sqrt(B)": _counts(of, full, drawn),
    }


def _area(full: Curve, drawn: Replicas) -> Band:
    value, error = (number or math.nan for number in area(full))
    return Band(value, (value - error, value + error), _ends(drawn.areas(value)))


def _rejection(full: Curve, drawn: Replicas) -> Band:
    """The analytic band is that of the background efficiency, turned over, as it is drawn."""
    kept, error = (number or math.nan for number in working_point(full, TARGET).background_efficiency)
    return Band(
        1 / kept,
        (1 / (kept + error), 1 / max(kept - error, 1e-12)),
        _ends(1 / np.maximum(drawn.background_at(TARGET)[:, 0], 1e-12)),
    )


def _counts(of: Sample, full: Curve, drawn: Replicas) -> Band:
    index = int(np.searchsorted(-full.thresholds, -CUT, side="right")) - 1
    background = of.weights[~of.is_signal & (of.scores >= CUT)]
    value, error = (
        number or math.nan for number in chosen_significance(full, index, CUT, background, RULES).s_over_sqrt_b
    )
    at = int(np.searchsorted(drawn.edges, index))
    with np.errstate(invalid="ignore"):
        replicas = drawn.signal[:, at] / np.sqrt(drawn.background[:, at])
    return Band(value, (value - error, value + error), _ends(replicas))


def _ends(replicas: Array) -> tuple[float, float]:
    low, high = interval(replicas)
    return float(low), float(high)


def rows(kind: Kind, samples: int, seed: int) -> Iterator[tuple[str, float, float, float, float]]:
    """Quantity, share of samples whose analytic and whose bootstrap band hold the truth, and their mean sizes.

    Sizes are half the bands over the spread of the values, by median, as a heavy tail makes the means of few samples.
    """
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    found = [bands(sample(kind, rng), int(rng.integers(1 << 31))) for _ in range(samples)]
    for name, truth in truths(kind).items():
        values = np.array([one[name].value for one in found])
        spread = float(np.diff(interval(values))[0]) / 2
        shares, sizes = [], []
        for which in ("analytic", "bootstrap"):
            low, high = np.array([getattr(one[name], which) for one in found]).T
            shares.append(float(np.mean((low <= truth) & (truth <= high))))
            sizes.append(float(np.median(high - low)) / 2 / spread)
        yield name, *shares, *sizes


def main(words: list[str]) -> int:
    samples, seed = (int(word) for word in (*words, *("1000", "1")[len(words) :]))
    print(f"{samples} samples of Poisson({EVENTS[1]}) signal and Poisson({EVENTS[0]}) background events, seed {seed},")
    print(f"{REPLICAS} replicas each; a share of 68 % is known to {100 * math.sqrt(0.683 * 0.317 / samples):.1f} %.\n")
    print("| " + " | ".join(HEADER) + " |\n" + "|---" * len(HEADER) + "|")
    for kind in KINDS:
        weights = sample(kind, np.random.default_rng(0)).weights
        effective = weights.sum() ** 2 / (weights**2).sum()
        for name, *shares, analytic, drawn in rows(kind, samples, seed):
            told = [f"{share:.1%}" for share in shares] + [f"{analytic:.2f}", f"{drawn:.2f}"]
            print(f"| {kind.name} | {effective:.0f} | {name} | " + " | ".join(told) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

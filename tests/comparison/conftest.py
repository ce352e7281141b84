"""Taggers to compare."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.comparison.contenders import contender
from hepclf.scored import Scored


@pytest.fixture
def two(drawn):
    """A function drawing labels, the scores of two correlated taggers and weights of n events."""

    def draw(n, seed=0, ties=None, weights="unit", better=0.3):
        labels, first, sizes = drawn(n, seed=seed, ties=ties, weights=weights)
        rng = np.random.default_rng(seed + 10_000)
        logits = np.log(np.clip(first, 1e-9, 1) / np.clip(1 - first, 1e-9, 1))
        second = 1 / (1 + np.exp(-(logits + better * labels + rng.normal(size=n))))
        return labels, first, np.round(second * ties) / ties if ties else second, sizes

    return draw


@pytest.fixture
def tagger_of():
    """A function making a tagger of labels and scores ready to be compared."""

    def make(labels, scores, weights=None, name="a", targets=(), **columns):
        return contender(name, Scored(labels=labels, scores=scores, weights=weights, **columns), 1, targets)

    return make

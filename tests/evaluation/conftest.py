"""Scored events that many tests judge."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.scored import Scored


@pytest.fixture
def make_scored():
    """A function making scored events from a few columns; what is not given is plain."""

    def make(labels, scores, weights=None, split=None, **columns):
        labels, scores = np.asarray(labels, dtype=np.int64), np.asarray(scores, dtype=np.float64)
        k = 2 if scores.ndim == 1 else scores.shape[1]
        kinds = columns.pop("classes", ("background", "signal") if k == 2 else tuple(f"class{i}" for i in range(k)))
        return Scored(
            labels=labels,
            scores=scores,
            weights=np.ones(len(labels)) if weights is None else weights,
            split=np.full(len(labels), 2) if split is None else split,
            classes=kinds,
            processes=columns.pop("processes", labels),
            process_names=columns.pop("process_names", kinds),
            **columns,
        )

    return make


@pytest.fixture
def drawn():
    """A function drawing labels, tied scores and weights of n events; heavy weights are log-normal."""

    def draw(n, seed=0, separation=1.0, ties=None, weights="heavy"):
        rng = np.random.default_rng(seed)
        labels = (rng.random(n) < 0.4).astype(np.int64)
        scores = 1 / (1 + np.exp(-rng.normal(separation * labels)))
        if ties:
            scores = np.round(scores * ties) / ties
        sizes = {"unit": np.ones(n), "heavy": rng.lognormal(0, 1, n), "signed": rng.normal(0.6, 1, n)}[weights]
        return labels, scores, sizes

    return draw

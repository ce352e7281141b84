"""Cases for studies that look at features."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.case import Case, Inside
from hepclf.scored import Scored
from hepclf.statistics.counting.scan import Rules
from hepclf.statistics.curves.ranking import Ranking


@pytest.fixture
def case():
    """A function making the case of test events, with their features [n, d] where given; no other study is made."""

    def make(labels, scores, features=None, names=(), weights=None):
        given = None if weights is None else weights(np.random.default_rng(9), len(labels))
        scored = Scored(labels=labels, scores=scores, weights=given)
        inside = None
        if features is not None:
            x = features.astype(np.float32)
            inside = Inside(names=names, read=lambda places: x[places], ask=lambda asked: np.full(len(asked), 0.5))
        return Case(
            scored=scored,
            signal=1,
            parts={"test": scored},
            rankings={"test": Ranking(scored.scores)},
            counted={},
            rules=Rules(optimise="asimov", systematic=0.1, minimum_background=10),
            threshold=0.5,
            cut=None,
            targets=(0.5,),
            inside=inside,
        )

    return make

"""The exact likelihood ratio of the test events beside a tagger, where the data have it as a spectator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Balance, training_shares
from hepclf.evaluation.split_results import LLR, optimal_roc
from hepclf.evaluation.studies.likelihood_ratio import RatioAgreement, ratio_agreement
from hepclf.scored import SPLITS, Scored
from hepclf.statistics.curves.roc import Roc

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactRatio:
    """The curve of the exact ratio on the test events, and how the ln r of a tagger agrees with it."""

    roc: Roc
    agreement: RatioAgreement


def exact_ratio(scored: Scored, signal: int, weights: Array, balance: Balance) -> ExactRatio | None:
    """The exact ratio beside the scores; `weights` of the test events are those of the curve.

    None for several classes, and where the events do not have it.
    """
    test = scored.of("test")
    if LLR not in test.spectators or len(test.classes) != 2 or not len(test):
        return None
    learnt = next(events for split in SPLITS if len(events := scored.of(split)))
    roc, agreement = optimal_roc(test, signal, weights), ratio_agreement(test, training_shares(balance, learnt))
    return None if roc is None or agreement is None else ExactRatio(roc=roc, agreement=agreement)

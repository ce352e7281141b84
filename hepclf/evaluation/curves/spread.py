"""How far the curves of folds, seeds or ensembles of one tagger are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.curves.roc import Curve, area
from hepclf.evaluation.value import NOTHING, Value, measured

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """Mean and standard deviation over trainings, each with the error that few trainings leave it.

    area             mean area under the curve, its error that of the mean, deviation / sqrt(n)
    deviation        of one training's area; its error is deviation / sqrt(2 (n - 1)), right for a Gaussian
    targets          signal efficiencies [t]
    kept             mean background efficiency at each, [t]
    kept_deviation   of one training's, [t]
    """

    trainings: int
    area: Value
    deviation: Value
    targets: Array
    kept: Array
    kept_deviation: Array


def spread(curves: Sequence[Curve], targets: Array) -> Spread:
    """What another fold or seed would have given: the scatter over curves, whose events may be the same or others.

    On the same test events it holds what training adds and not the error of the test sample, which all share; on
    folds it holds both. Nothing of one curve; a curve that is not defined is refused.
    """
    if not curves or not all(of.defined for of in curves):
        raise ValueError(f"a spread needs curves of both classes, however {_lacking(curves)}")
    n = len(curves)
    areas = np.array([area(of).value for of in curves], dtype=np.float64)
    kept = np.array([of.background_efficiency[of.reach(targets)] for of in curves])
    if n == 1:
        return Spread(
            trainings=1,
            area=measured(float(areas[0])),
            deviation=NOTHING,
            targets=targets,
            kept=kept[0],
            kept_deviation=np.full(len(targets), np.nan),
        )
    deviation = float(areas.std(ddof=1))
    return Spread(
        trainings=n,
        area=measured(float(areas.mean()), deviation / math.sqrt(n)),
        deviation=measured(deviation, deviation / math.sqrt(2 * (n - 1))),
        targets=targets,
        kept=kept.mean(axis=0),
        kept_deviation=kept.std(axis=0, ddof=1),
    )


def _lacking(curves: Sequence[Curve]) -> str:
    return f"{sum(not of.defined for of in curves)} of {len(curves)} have none" if curves else "there are none"

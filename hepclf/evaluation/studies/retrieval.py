"""Efficiencies and purity against the cut, and the average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.statistics.curves.limit import Limit, heaviest, purity_limit
from hepclf.statistics.curves.retrieval import average_precision, purity
from hepclf.statistics.curves.roc import Curve, thinned_thresholds
from hepclf.statistics.value import ROUNDING, Value, efficiency_error, measured
from hepclf.words import Grid, lower_limit, number, percent

Array = NDArray[np.float64]

POINTS = 400
SMALL_SHARE = 0.01  # of the signal above all background, below which nothing is said of it


@recipe
class Retrieval:
    """Purity and efficiencies on test against the cut, for the mixture of the evaluation.

    For each of the `purities`, the loosest cut with at least this signal fraction is quoted.
    """

    question: ClassVar[str] = "Which purity and which efficiencies does a cut have?"
    page_title: ClassVar[str] = "Purity"
    page_section: ClassVar[str] = "separate"

    purities: tuple[float, ...] = (0.5, 0.9)

    def __post_init__(self) -> None:
        for target in self.purities:
            if not 0 < target < 1:
                raise ValueError(f"purities must lie between 0 and 1, not {target:g}")

    def study(self, case: Case) -> Purities | None:
        """Purities on the test set (without one, on the last split); None where a class has no weight."""
        name = list(case.parts)[-1]
        curve = case.mixture_curve(name)
        if not curve.defined:
            return None
        part, weights = case.parts[name], case.weights(name).weights
        background = part.labels != case.signal
        weight = heaviest(weights[background], part.processes[background])
        threshold, chosen = None, None
        if len(case.scored.classes) == 2:
            threshold, chosen = case.threshold, _cut(curve, case.rankings[name].last(case.threshold), weight)
        return Purities(
            split=name,
            prevalence=float(curve.signal[-1] / (curve.signal[-1] + curve.background[-1])),
            average=average_precision(curve),
            threshold=threshold,
            chosen=chosen,
            loosest={target: _loosest(curve, target, weight) for target in self.purities},
            scan=_cuts(curve, thinned_thresholds(curve, POINTS), weight),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PurityCurve:
    """Efficiencies of signal and background and the purity at cuts [m], each with its error.

    purity_above_90, purity_above_95  lower limits of the purity at 90 and 95 % confidence where no simulated
                                      background event passes, or negative weights cancel the background; else nan
    """

    cut: Array
    signal: Array
    signal_error: Array
    background: Array
    background_error: Array
    purity: Array
    purity_error: Array
    purity_above_90: Array
    purity_above_95: Array

    @property
    def limit(self) -> Limit | None:
        """What the purity of the first cut is greater than, where it is not measured."""
        limit = Limit(float(self.purity_above_90[0]), float(self.purity_above_95[0]))
        if not np.isfinite(limit).all():
            return None
        return limit

    @property
    def words(self) -> str:
        """The purity of the first cut with its error, or its lower limit."""
        if self.limit is not None:
            return lower_limit(self.limit.at_95)
        return number(*self.value("purity"))

    def value(self, name: str) -> Value:
        """`signal`, `background` or `purity` at the first cut."""
        return measured(float(getattr(self, name)[0]), float(getattr(self, f"{name}_error")[0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Purities:
    """Purity and efficiencies of a split.

    prevalence  signal fraction before any cut
    chosen      at the decision threshold, None where no score reaches it or there are more than two classes
    loosest     the loosest cut of each target purity, None where no cut reaches it
    """

    split: str
    prevalence: float
    average: Value
    threshold: float | None
    chosen: PurityCurve | None
    loosest: dict[float, PurityCurve | None]
    scan: PurityCurve

    @property
    def sentences(self) -> tuple[str, ...]:
        """The average precision with that of a random classifier, and the target purities that no cut reaches."""
        sentences = []
        if self.average.value is not None:
            sentences.append(
                f"The average precision is {number(*self.average)} on {self.split}; a random classifier gives the "
                f"signal fraction, {self.prevalence:.3g}.{self._pure_note}"
            )
        sentences += [
            f"No cut reaches a purity of {percent(target, None)} on {self.split}."
            for target, row in self.loosest.items()
            if row is None
        ]
        sentences += [
            f"The cut for a purity of {percent(target, None)} leaves no simulated background on {self.split}: at "
            f"95 % confidence the purity is above {row.limit.at_95:.3g}, which is less than {percent(target, None)}."
            for target, row in self.loosest.items()
            if row is not None and row.limit is not None and row.limit.at_95 < target
        ]
        return tuple(sentences)

    @property
    def _pure_note(self) -> str:
        """How the average counts the signal above the background event with the highest score, where there is any."""
        share = float(self.scan.signal[self.scan.background == 0].max(initial=0.0))
        if share < SMALL_SHARE:
            return ""
        return (
            f" It counts a purity of 1 for the {percent(share)} of the signal above the highest score of a background "
            "event, where the true purity is lower."
        )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The decision, and the cuts of the target purities."""
        rows = [(f"purity {percent(target, None)}", row) for target, row in self.loosest.items()]
        named = [("decision", self.chosen), *rows]
        # The decision has the threshold that was asked for, not the score of the last event above it.
        thresholds = {"decision": self.threshold}
        cells = [
            (
                name,
                number(thresholds.get(name, float(row.cut[0]))),
                number(*row.value("signal")),
                number(*row.value("background")),
                row.words,
            )
            for name, row in named
            if row is not None
        ]
        if not cells:
            return ()
        title = f"purity on {self.split}, signal fraction {self.prevalence:.3g} before any cut"
        return (Grid(title, ("", "score ≥", "signal eff.", "background eff.", "purity"), cells),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "split": self.split,
            "signal_share": self.prevalence,
            "average_precision": self.average.to_dict(),
            "at_threshold": _plain(self.chosen),
            "purities": [{"target": target} | (_plain(row) or {"cut": None}) for target, row in self.loosest.items()],
        }


def _cuts(curve: Curve, index: NDArray[np.intp], weight: float) -> PurityCurve:
    purities, error = purity(curve, index)
    cancels = _cancels(curve)[index]
    purities[cancels], error[cancels] = np.nan, np.nan
    limits = np.full((2, len(index)), np.nan)
    for column in np.flatnonzero(cancels | (curve.background_squares[index] == 0)):
        place = index[column]
        background, squares = float(curve.background[place]), float(curve.background_squares[place])
        limits[:, column] = purity_limit(float(curve.signal[place]), weight, background, squares) or np.nan
    shares = [
        (sums[index] / sums[-1], efficiency_error(sums[index], sums[-1], squares[index], squares[-1]))
        for sums, squares in ((curve.signal, curve.signal_squares), (curve.background, curve.background_squares))
    ]
    return PurityCurve(
        cut=curve.thresholds[index],
        signal=shares[0][0],
        signal_error=shares[0][1],
        background=shares[1][0],
        background_error=shares[1][1],
        purity=purities,
        purity_error=error,
        purity_above_90=limits[0],
        purity_above_95=limits[1],
    )


def _cut(curve: Curve, index: int, weight: float) -> PurityCurve | None:
    """The events above one threshold, None for -1, a cut above all scores."""
    if index < 0:
        return None
    return _cuts(curve, np.array([index]), weight)


def _loosest(curve: Curve, target: float, weight: float) -> PurityCurve | None:
    """The loosest cut with this purity, None where no cut reaches it."""
    total = curve.signal + curve.background
    passing = np.flatnonzero((total > 0) & (curve.signal >= target * total) & ~_cancels(curve))
    if not len(passing):
        return None
    return _cut(curve, curve.settled(int(passing[-1])), weight)


def _cancels(curve: Curve) -> NDArray[np.bool_]:
    """Where events of negative weight leave less background than its error, from which no purity follows, [m]."""
    return np.asarray(curve.background < (1 - ROUNDING) * np.sqrt(curve.background_squares))


def _plain(point: PurityCurve | None) -> dict[str, Any] | None:
    if point is None:
        return None
    names = {"signal": "signal_efficiency", "background": "background_efficiency", "purity": "purity"}
    numbers: dict[str, Any] = {"cut": float(point.cut[0])}
    numbers |= {key: point.value(name).to_dict() for name, key in names.items()}
    if point.limit is not None:
        numbers["purity_limit"] = point.limit._asdict()
    return numbers

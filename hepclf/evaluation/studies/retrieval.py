"""How pure is what a cut keeps, and what is kept? Efficiencies and purity against the cut, average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.counting.yields import Counted
from hepclf.evaluation.curves.retrieval import average_precision, purity
from hepclf.evaluation.curves.roc import Curve, held
from hepclf.evaluation.grid import Grid, number, percent
from hepclf.evaluation.studies.case import Case
from hepclf.evaluation.value import Value, efficiency_error, measured
from hepclf.recipe import recipe

Array = NDArray[np.float64]

POINTS = 400


@recipe
class Retrieval:
    """Purity and efficiencies on test against the cut, for the expected yields.

    `purities` are looked up: the loosest cut that keeps at least such a share of signal.
    """

    purities: tuple[float, ...] = (0.5, 0.9)

    def __post_init__(self) -> None:
        for wanted in self.purities:
            if not 0 < wanted < 1:
                raise ValueError(f"purities must lie between 0 and 1, however one is {wanted:g}")

    def study(self, case: Case) -> Purities | None:
        """What cuts keep of test (without test events, of the last split); None where a class has no weight."""
        name = list(case.parts)[-1]
        expected = case.counted.get(name)
        of = expected.curve if isinstance(expected, Counted) else case.curves[name]
        if not of.defined:
            return None
        at_cut = case.rankings[name].last(case.threshold)
        return Purities(
            split=name,
            prevalence=float(of.signal[-1] / (of.signal[-1] + of.background[-1])),
            average=average_precision(of),
            threshold=case.threshold if len(case.scored.classes) == 2 else None,
            chosen=_cuts(of, np.array([at_cut])) if at_cut >= 0 and len(case.scored.classes) == 2 else None,
            wanted=dict(zip(self.purities, (_loosest(of, wanted) for wanted in self.purities), strict=True)),
            scan=_cuts(of, held(of, POINTS)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Cuts:
    """What cuts [m] keep: shares of signal and background and the purity, each with its error."""

    cut: Array
    signal: Array
    signal_error: Array
    background: Array
    background_error: Array
    purity: Array
    purity_error: Array

    def value(self, name: str) -> Value:
        """One of the three at the first cut."""
        return measured(float(getattr(self, name)[0]), float(getattr(self, f"{name}_error")[0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Purities:
    """Purity and efficiencies of a split.

    prevalence  share of signal before any cut
    chosen      at the threshold that decides, None where nothing reaches it or there are more than two classes
    wanted      the loosest cut of each purity that is asked for, None where no cut is as pure
    """

    split: str
    prevalence: float
    average: Value
    threshold: float | None
    chosen: Cuts | None
    wanted: dict[float, Cuts | None]
    scan: Cuts

    @property
    def sentences(self) -> tuple[str, ...]:
        """The average precision with what it is without a tagger, and the purest cuts."""
        found = [
            f"The average precision is {number(*self.average)} on {self.split}; without a tagger it is the share of "
            f"signal, {self.prevalence:.3g}."
        ]
        found += [
            f"No cut keeps a share of {percent(of, None)} signal on {self.split}."
            for of, at in self.wanted.items()
            if at is None
        ]
        return tuple(found) if self.average.value is not None else tuple(found[1:])

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The cut that decides, and those of the purities."""
        rows = [(f"{percent(of, None)} pure", at) for of, at in self.wanted.items()]
        named = [("decision", self.chosen), *rows]
        cells = [
            (name, number(float(at.cut[0])), *(number(*at.value(each)) for each in ("signal", "background", "purity")))
            for name, at in named
            if at is not None
        ]
        title = f"purity on {self.split}, share of signal {self.prevalence:.3g} before a cut"
        return (Grid(title, ("", "score ≥", "signal eff.", "background eff.", "purity"), cells),) if cells else ()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "split": self.split,
            "signal_share": self.prevalence,
            "average_precision": self.average.to_dict(),
            "at_threshold": _plain(self.chosen),
            "purities": [{"target": of} | (_plain(at) or {"cut": None}) for of, at in self.wanted.items()],
        }


def _cuts(of: Curve, index: NDArray[np.intp]) -> Cuts:
    pure, error = purity(of, index)
    shares = [
        (sums[index] / sums[-1], efficiency_error(sums[index], sums[-1], squares[index], squares[-1]))
        for sums, squares in ((of.signal, of.signal_squares), (of.background, of.background_squares))
    ]
    return Cuts(
        cut=of.thresholds[index],
        signal=shares[0][0],
        signal_error=shares[0][1],
        background=shares[1][0],
        background_error=shares[1][1],
        purity=pure,
        purity_error=error,
    )


def _loosest(of: Curve, wanted: float) -> Cuts | None:
    whole = of.signal + of.background
    pure = np.flatnonzero((whole > 0) & (of.signal >= wanted * whole))
    return _cuts(of, np.array([of.settled(int(pure[-1]))])) if len(pure) else None


def _plain(of: Cuts | None) -> dict[str, Any] | None:
    if of is None:
        return None
    names = {"signal": "signal_efficiency", "background": "background_efficiency", "purity": "purity"}
    return {"cut": float(of.cut[0])} | {called: of.value(name).to_dict() for name, called in names.items()}

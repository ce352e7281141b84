"""The likelihood ratio from the score, against the exact one where the data carries it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, one_sided_p
from hepclf.evaluation.split_results import LLR
from hepclf.recipe import recipe
from hepclf.statistics.calibration import logits
from hepclf.statistics.losses import event_losses
from hepclf.statistics.value import SINGLE, Value, measured
from hepclf.words import Grid, number

Array = NDArray[np.float64]


@recipe
class LikelihoodRatio:
    """ln r of each test event, from its score and the mixture of training, against the spectator `llr`.

    bins  of equal weight, over which the mean is drawn
    """

    question: ClassVar[str] = "Does the score reproduce the exact likelihood ratio?"
    page_section: ClassVar[str] = "believe"

    bins: int = 25

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 1000:
            raise ValueError(f"bins must lie in 2..1000, not {self.bins}")

    def study(self, case: Case) -> RatioAgreement | None:
        """The comparison on test; None for several classes, or where no event says its exact ratio."""
        part = case.parts.get("test")
        if part is None or LLR not in part.spectators or len(part.classes) != 2:
            return None
        mixed = case.mixed("test")
        if mixed is None:
            return None
        # ln r = ln s/(1 - s) - ln of the prior odds: with classes of equal weight, that is the logit alone.
        prior = math.log(case.shares[1] / case.shares[0])
        exact = np.asarray(part.spectators[LLR], dtype=np.float64)
        estimate = logits(part.scores) - prior
        finite = np.isfinite(exact)
        if not mixed[finite].sum() > 0:
            return None
        best = event_losses(part.labels, 1 / (1 + np.exp(-np.clip(exact + prior, -700, 700))))
        losses = event_losses(part.labels, part.scores)
        lost = _mean(losses - best, mixed, SINGLE * float(mixed @ losses))
        return _compared(
            exact[finite], estimate[finite], mixed[finite] / mixed[finite].sum(), self.bins, lost, len(part)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RatioAgreement:
    """How the estimated ln r follows the exact one.

    slope, correlation   of the estimate against the exact, 1 for a perfect tagger
    bias, rms            mean, and root mean square, of estimate less exact
    lost                 how much the log-loss is above that of the exact ratio, event by event
    events, finite       of the test split, and those whose exact ratio is finite
    exact, estimate, error, spread   means [b] over bins of exact ln r, the error of the mean, the width of the bin
    """

    slope: Value
    correlation: Value
    bias: Value
    rms: Value
    lost: Value
    events: int
    finite: int
    exact: Array
    estimate: Array
    error: Array
    spread: Array

    @property
    def evidence(self) -> Evidence:
        """Whether the score falls short of the exact ratio: its log-loss, one-sided, as no loss is lower on average."""
        return Evidence(one_sided_p(self.lost))

    @property
    def sentences(self) -> tuple[str, ...]:
        """How much worse the score is than the exact ratio, and which ratios are left out."""
        infinite = self.events - self.finite
        without = (
            (f"{infinite:,} test events have an exact ratio that is not finite; they are left out.",)
            if infinite
            else ()
        )
        return (self._comparison, *without)

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that tells of no loss, with its short form."""
        return (
            {self._comparison: self.evidence.short("exact likelihood ratio")} if self.evidence.answer == "none" else {}
        )

    @property
    def _comparison(self) -> str:
        return (
            f"{self.evidence.words} that the score is worse than the exact likelihood ratio ({self.evidence.test}): "
            f"its log-loss {self._loss}. ln r from the score against the exact ln r: slope {number(*self.slope)}, "
            f"correlation {number(*self.correlation)}, rms difference {number(*self.rms)}."
        )

    @property
    def _loss(self) -> str:
        value, error = self.lost
        if value is None:
            return "cannot be compared"
        return f"is {number(abs(value), error)} {'higher' if value > 0 else 'lower'}" if value else "is the same"

    @property
    def tables(self) -> tuple[Grid, ...]:
        """None: the sentence says it all."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        names = ("slope", "correlation", "bias", "rms", "lost")
        values = {name: getattr(self, name).to_dict() for name in names}
        return {"evidence": self.evidence.to_dict(), **values, "events": self.events, "finite": self.finite}


def _compared(x: Array, y: Array, w: Array, bins: int, lost: Value, events: int) -> RatioAgreement:
    """x exact, y estimated, w weights that sum to one, [n] each; errors are those of functions of weighted means.

    An event moves each figure by its influence: for the slope dx e / var x, e being what the line leaves; for the
    correlation zx zy - rho (zx^2 + zy^2) / 2.
    """
    dx, dy = x - w @ x, y - w @ y
    vx, vy, vxy = float(w @ dx**2), float(w @ dy**2), float(w @ (dx * dy))
    slope, rho = (vxy / vx, vxy / math.sqrt(vx * vy)) if vx > 0 and vy > 0 else (math.nan, math.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_slope = w * dx * (dy - slope * dx) / vx
        zx, zy = dx / math.sqrt(max(vx, 0)), dy / math.sqrt(max(vy, 0))
        by_rho = w * (zx * zy - rho * (zx**2 + zy**2) / 2)
    square = _mean((y - x) ** 2, w)
    rms = math.sqrt(max(square.value or 0.0, 0.0))
    rounding = SINGLE * math.sqrt(max(float(w @ x**2), 0.0))
    return RatioAgreement(
        slope=measured(slope, float(np.linalg.norm(by_slope)), SINGLE),
        correlation=measured(rho, float(np.linalg.norm(by_rho)), SINGLE),
        bias=_mean(y - x, w, rounding),
        rms=measured(rms, None if square.error is None or rms == 0 else square.error / (2 * rms), rounding),
        lost=lost,
        events=events,
        finite=len(x),
        **_profile(x, y, w, bins),
    )


def _profile(x: Array, y: Array, w: Array, bins: int) -> dict[str, Array]:
    """Means of y over bins of x that hold the same sum of |w|."""
    order = np.argsort(x)
    share = np.cumsum(np.abs(w[order]))
    bin = np.empty(len(x), dtype=np.intp)
    bin[order] = np.minimum(share / share[-1] * bins, bins - 1).astype(np.intp)

    def sums(values: Array) -> Array:
        return np.bincount(bin, values, minlength=bins).astype(np.float64)

    total = sums(w)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact, estimate = sums(w * x) / total, sums(w * y) / total
        spread = np.sqrt(np.maximum(sums(w * (y - estimate[bin]) ** 2) / total, 0))
        error = np.sqrt(sums(w**2 * (y - estimate[bin]) ** 2)) / np.abs(total)
    filled = total > 0
    return {"exact": exact[filled], "estimate": estimate[filled], "error": error[filled], "spread": spread[filled]}


def _mean(values: Array, w: Array, rounding: float = 0.0) -> Value:
    mean = float(w @ values) / float(w.sum())
    return measured(mean, float(np.linalg.norm(w * (values - mean))) / float(w.sum()), rounding)

"""The likelihood ratio from the score, against the exact one where the data has it as a spectator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case, in_shares
from hepclf.evaluation.evidence import Evidence, one_sided_p
from hepclf.evaluation.split_results import LLR
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.calibration import logits
from hepclf.statistics.losses import event_losses
from hepclf.statistics.value import SINGLE, Value, measured
from hepclf.words import Grid, number

Array = NDArray[np.float64]
BINS = 25


@recipe
class LikelihoodRatio:
    """ln r of each test event, from its score and the class mixture of training, against the spectator `llr`.

    bins  number of bins of equal weight, for the picture of the mean
    """

    question: ClassVar[str] = "Does the score reproduce the exact likelihood ratio?"
    page_title: ClassVar[str] = "Likelihood ratio"
    page_section: ClassVar[str] = "believe"

    bins: int = BINS

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 1000:
            raise ValueError(f"bins must lie in 2..1000, not {self.bins}")

    def study(self, case: Case) -> RatioAgreement | None:
        """The comparison on test; None for several classes, or where no event has a finite exact ratio."""
        part = case.parts.get("test")
        return None if part is None else ratio_agreement(part, case.shares, self.bins)


@dataclass(frozen=True, kw_only=True, eq=False)
class RatioAgreement:
    """The agreement of the estimated ln r with the exact one.

    slope, correlation   of the estimate against the exact ln r, 1 for a perfect tagger
    bias, rms            mean and root mean square of estimate - exact
    lost                 log-loss of the score minus that of the exact ratio, for the same events
    events, finite       number of test events, and of those whose exact ratio is finite
    exact, estimate      means over bins of the exact ln r, [b]
    error, spread        error of the mean estimate, and standard deviation of the estimate in the bin, [b]
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
        """Evidence that the score is worse than the exact ratio, whose log-loss is the lowest possible: one-sided."""
        return Evidence(one_sided_p(self.lost))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The loss against the exact ratio, and the number of events that are left out."""
        infinite = self.events - self.finite
        if not infinite:
            return (self._comparison,)
        left_out = f"{infinite:,} test events have an exact ratio that is not finite; they are left out."
        return (self._comparison, left_out)

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that nothing is lost, with its short form."""
        if self.evidence.answer != "none":
            return {}
        return {self._comparison: self.evidence.short("exact likelihood ratio")}

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
        if value == 0:
            return "is the same"
        direction = "higher" if value > 0 else "lower"
        return f"is {number(abs(value), error)} {direction}"

    @property
    def tables(self) -> tuple[Grid, ...]:
        """None: the sentence has all numbers."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        names = ("slope", "correlation", "bias", "rms", "lost")
        values = {name: getattr(self, name).to_dict() for name in names}
        return {"evidence": self.evidence.to_dict(), **values, "events": self.events, "finite": self.finite}


def ratio_agreement(part: Scored, shares: Array, bins: int = BINS) -> RatioAgreement | None:
    """The comparison on events whose scores are probabilities in a mixture of these shares of the classes, [2].

    None for several classes, or where no event has a finite exact ratio.
    """
    if LLR not in part.spectators or len(part.classes) != 2 or (mixed := in_shares(part, shares)) is None:
        return None
    # ln r = ln s/(1 - s) - ln of the prior odds; for classes of equal weight the prior term is zero.
    prior = math.log(shares[1] / shares[0])
    exact = np.asarray(part.spectators[LLR], dtype=np.float64)
    estimate = logits(part.scores) - prior
    finite = np.isfinite(exact)
    if not mixed[finite].sum() > 0:
        return None
    best = event_losses(part.labels, 1 / (1 + np.exp(-np.clip(exact + prior, -700, 700))))
    losses = event_losses(part.labels, part.scores)
    lost = _mean(losses - best, mixed, SINGLE * float(mixed @ losses))
    return _compared(exact[finite], estimate[finite], mixed[finite] / mixed[finite].sum(), bins, lost, len(part))


def _compared(x: Array, y: Array, w: Array, bins: int, lost: Value, events: int) -> RatioAgreement:
    """The agreement of x exact and y estimated with weights w that sum to one, [n] each.

    The squared error of a figure is the sum of squared influences of the events: for the slope w dx e / var x, with e
    the residual from the line; for the correlation w (zx zy - rho (zx^2 + zy^2) / 2), with z standardised.
    """
    dx, dy = x - w @ x, y - w @ y
    vx, vy, vxy = float(w @ dx**2), float(w @ dy**2), float(w @ (dx * dy))
    slope = rho = math.nan
    if vx > 0 and vy > 0:
        slope, rho = vxy / vx, vxy / math.sqrt(vx * vy)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_slope = w * dx * (dy - slope * dx) / vx
        zx, zy = dx / math.sqrt(max(vx, 0)), dy / math.sqrt(max(vy, 0))
        by_rho = w * (zx * zy - rho * (zx**2 + zy**2) / 2)
    rounding = SINGLE * math.sqrt(max(float(w @ x**2), 0.0))
    return RatioAgreement(
        slope=measured(slope, float(np.linalg.norm(by_slope)), SINGLE),
        correlation=measured(rho, float(np.linalg.norm(by_rho)), SINGLE),
        bias=_mean(y - x, w, rounding),
        rms=_rms(y - x, w, rounding),
        lost=lost,
        events=events,
        finite=len(x),
        **profile(x, y, w, bins),
    )


def profile(x: Array, y: Array, w: Array, bins: int) -> dict[str, Array]:
    """Means of y in bins of x with equal sums of |w|."""
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


def _rms(values: Array, w: Array, rounding: float) -> Value:
    """Root mean square with its error, d(rms) = d(mean square) / (2 rms)."""
    square = _mean(values**2, w)
    rms = math.sqrt(max(square.value or 0.0, 0.0))
    if square.error is None or rms == 0:
        return measured(rms, None, rounding)
    return measured(rms, square.error / (2 * rms), rounding)


def _mean(values: Array, w: Array, rounding: float = 0.0) -> Value:
    mean = float(w @ values) / float(w.sum())
    return measured(mean, float(np.linalg.norm(w * (values - mean))) / float(w.sum()), rounding)

"""Calibration: are the scores probabilities, and how much would a temperature or an isotonic map improve them?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Balance, Case
from hepclf.evaluation.evidence import Evidence, combined, one_sided_p, p_text, two_sided_p
from hepclf.recipe import recipe
from hepclf.scored import signal_scores
from hepclf.statistics import calibration as maps
from hepclf.statistics.calibration import Isotonic, Method, Temperature
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.losses import event_losses
from hepclf.statistics.shapes.reliability import Reliability, probability_bins, reliability
from hepclf.statistics.value import NOTHING, SINGLE, Value, measured
from hepclf.words import Grid, number

Array = NDArray[np.float64]

FEWEST = 20
EXTREME = 1e3  # ratio of the odds from which on even odds are at a score that reads 0 or 1


@recipe
class Calibration:
    """The reliability of the signal probability on test, before and after calibration maps fitted on validation.

    It is tested in the mixture of classes of the training, for which the probabilities hold.

    bins      largest number of bins of equal weight; each bin has at least twenty effective events, but there are two
    harmless  expected calibration error below which a miscalibration is negligible, even where it is significant
    """

    question: ClassVar[str] = "Are the scores probabilities?"
    page_title: ClassVar[str] = "Calibration"
    page_section: ClassVar[str] = "believe"

    bins: int = 15
    harmless: float = 0.005

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 1000:
            raise ValueError(f"bins must lie in 2..1000, not {self.bins}")
        if not 0 <= self.harmless <= 1:
            raise ValueError(f"harmless must lie in 0..1, not {self.harmless:g}")

    def study(self, case: Case) -> Calibrated | None:
        """The reliability on test; None without test events, or where a class has no positive sum of weights there."""
        if "test" not in case.parts or (mixed := case.mixed("test")) is None:
            return None
        part = case.parts["test"]
        bins = int(np.clip(1 / (mixed @ mixed) / FEWEST, 2, self.bins))
        bin = probability_bins(case.rankings["test"], mixed, bins)
        fits = _fits(case)
        plain = event_losses(part.labels, part.scores)
        rows = {"none": _quality(case, part.scores, plain, bin, mixed)}
        for name, fit in fits.items():
            scores = fit(part.scores)
            losses = event_losses(part.labels, scores)
            gain = _mean(plain - losses, part.labels, mixed, SINGLE * float(mixed @ plain))
            rows[name] = replace(_quality(case, scores, losses, bin, mixed), gain=gain)
        return Calibrated(
            qualities=rows,
            temperature=_temperature(fits),
            shares=dict(zip(part.classes, case.shares.tolist(), strict=True)),
            balance=case.balance,
            signal=part.classes[case.signal],
            ratios=_ratios(case),
            harmless=self.harmless,
            in_folds=part.folds is not None,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Quality:
    """The quality of probabilities on test; `gain` is the mean decrease of the log-loss of the same events."""

    reliability: Reliability
    log_loss: Value
    brier: Value
    gain: Value = NOTHING

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        values = {name: getattr(self, name).to_dict() for name in ("log_loss", "brier", "gain")}
        return {**values, **self.reliability.to_dict()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """Qualities without a map (`none`) and with each map, the temperature, and the mixture of classes.

    shares  fraction of each class in the mixture
    ratios  fraction of each class in the expected yields over its fraction in the mixture, None without yields
    in_folds  each member would have a map of its own
    """

    qualities: Mapping[str, Quality]
    temperature: Value
    shares: Mapping[str, float]
    balance: Balance
    signal: str
    ratios: Mapping[str, float] | None
    harmless: float
    in_folds: bool = False

    @property
    def ratio(self) -> float | None:
        """Odds of the signal in the expected yields over its odds in the mixture; None for several classes."""
        if self.ratios is None or len(self.ratios) > 2:
            return None
        return self.ratios[self.signal] / next(ratio for name, ratio in self.ratios.items() if name != self.signal)

    @property
    def evidence(self) -> Evidence:
        """Evidence of a miscalibration: the chi2 on test, and a temperature on validation that differs from 1."""
        return combined(self.qualities["none"].reliability.p, _off(self.temperature))

    @property
    def conclusion(self) -> str:
        """`calibrated`, `harmless`, `miscalibrated` or `unknown`."""
        uncalibrated = self.qualities["none"].reliability
        if uncalibrated.p is None:
            return "unknown"
        if not self.evidence.significant:
            return "calibrated"
        if (uncalibrated.ece.value or 0) <= self.harmless:
            return "harmless"
        return "miscalibrated"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result, the gain of the best map, and the formula for the mixture of the expected yields."""
        return (self._judged(), *self._cure(), *self._shifted())

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that there is no miscalibration, with its short form."""
        if self.conclusion != "calibrated":
            return {}
        return {self._judged(): self.evidence.short("calibration")}

    @property
    def problems(self) -> tuple[str, ...]:
        """The sentence that tells of a miscalibration, where there is one."""
        return (self._judged(),) if self.conclusion == "miscalibrated" else ()

    @property
    def _mixture(self) -> str:
        return "classes of equal weight, as in training" if self.balance == "classes" else "the mixture of training"

    def _judged(self) -> str:
        uncalibrated = self.qualities["none"].reliability
        ece, by_chance = number(*uncalibrated.ece), number(*uncalibrated.by_chance)
        comparison = f"({by_chance} expected for perfect calibration)"
        error = f"expected calibration error ECE = {ece} {comparison}, for {self._mixture}"
        words, test = self.evidence.words, self.evidence.test
        return {
            "calibrated": f"{words} of miscalibration ({test}): {error}.",
            "harmless": f"{words} of miscalibration ({test}), but a small one: {error}.",
            "miscalibrated": f"{words} of miscalibration ({test}): {error}.",
            "unknown": f"Too few events to test the calibration: {error}.",
        }[self.conclusion]

    def _cure(self) -> Iterator[str]:
        gains = {name: quality.gain for name, quality in self.qualities.items() if quality.gain.value is not None}
        if not gains:
            return
        best = max(gains, key=lambda name: gains[name].value or 0.0)
        gain = gains[best]
        # The best of several maps is chosen, so its p-value is corrected for their number.
        sure = combined(*(one_sided_p(quality.gain) for quality in self.qualities.values())).significant
        if self.conclusion == "miscalibrated" and sure:
            error = self.qualities[best].reliability.ece
            proposal = f"trainer.calibrate={best} would lower the log-loss on test by {number(*gain)}, and the ECE to"
            curve = ""
            # With several classes a temperature changes the order of the events; in folds each member has its own map.
            if len(self.shares) == 2 and not self.in_folds:
                curve = "; the ROC curve does not change"
            yield f"{proposal} {number(*error)}{curve}."
        value, error_of = self.temperature
        off = Evidence(_off(self.temperature))
        if value is not None and self.evidence.significant and off.significant:
            way = "overconfident" if value > 1 else "underconfident"
            yield f"{off.words} that the tagger is {way}: temperature {number(value, error_of)} on validation."

    def _shifted(self) -> Iterator[str]:
        if self.ratios is None or all(abs(math.log(ratio)) < 0.05 for ratio in self.ratios.values()):
            return
        if self.ratio is None:
            ratios = ", ".join(f"{ratio:.3g} ({name})" for name, ratio in self.ratios.items())
            yield (
                f"The expected fraction of a class is r times that in training, r = {ratios}. For the expected yields, "
                "the probability of a class is p r divided by the sum of p r over all classes."
            )
            return
        even = ""
        if 1 / EXTREME < self.ratio < EXTREME:
            even = f": 50 % at a score of {1 / (1 + self.ratio):.4g}"
        yield (
            f"The expected ratio of {self.signal} to background is r = {self.ratio:.3g} times that in training. For "
            f"the expected yields, a score p means a probability of p r / (p r + 1 - p){even}."
        )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The qualities without a map and with each map."""
        rows = []
        for name, quality in self.qualities.items():
            reliability = quality.reliability
            label = {"none": "uncalibrated"}.get(name, name)
            figures = (number(*value) for value in (quality.log_loss, quality.brier, reliability.ece))
            rows.append((label, *figures, p_text(reliability.p)))
        header = ("scores on test", "log-loss", "Brier score", "ECE", "p")
        return (Grid(f"calibration, fitted on validation, for {self._mixture}", header, rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "verdict": self.conclusion,
            "evidence": self.evidence.to_dict(),
            "mixture": dict(self.shares),
            "yields_ratio": self.ratio,
            "yields_ratios": self.ratios,
            "fitted_temperature": self.temperature.to_dict(),
            **{name: quality.to_dict() for name, quality in self.qualities.items()},
        }


def _quality(case: Case, scores: Array, losses: Array, bin: NDArray[np.int16], mixed: Array) -> Quality:
    """The quality of probabilities of the test events, without a gain; `losses` are those of the events [n]."""
    labels, of_signal = case.parts["test"].labels, signal_scores(scores, case.signal)
    return Quality(
        reliability=reliability(bin, of_signal, labels, case.signal, mixed),
        log_loss=_mean(losses, labels, mixed),
        brier=_mean((of_signal - (labels == case.signal)) ** 2, labels, mixed),
    )


def _fits(case: Case) -> dict[str, Temperature | Isotonic]:
    """The maps fitted to validation events; empty without them."""
    if "valid" not in case.parts or (mixed := case.mixed("valid")) is None:
        return {}
    valid = case.parts["valid"]
    methods: tuple[Method, ...] = ("temperature",)
    if len(valid.classes) == 2:
        methods = ("temperature", "isotonic")
    return {method: maps.calibration_map(method, valid.scores, valid.labels, mixed) for method in methods}


def _off(temperature: Value) -> float | None:
    """Two-sided p of a temperature of 1; None where there is no temperature with an error."""
    if temperature.error is None:
        return None
    return two_sided_p(temperature, 1.0)


def _temperature(fits: Mapping[str, Temperature | Isotonic]) -> Value:
    fit = fits.get("temperature")
    if not isinstance(fit, Temperature):
        return NOTHING
    return measured(fit.temperature, fit.error)


def _mean(values: Array, labels: NDArray[np.int64], mixed: Array, rounding: float = 0.0) -> Value:
    """The mean over the mixture, with its error for fixed fractions of the classes."""
    means = np.bincount(labels, mixed * values) / np.bincount(labels, mixed)
    residuals = means[labels]
    np.subtract(values, residuals, out=residuals)
    residuals *= mixed
    return measured(float(mixed @ values), math.sqrt(float(residuals @ residuals)), rounding)


def _ratios(case: Case) -> dict[str, float] | None:
    """Fraction of each class among the expected events over its fraction in the mixture."""
    expected = case.counted.get("test")
    if not isinstance(expected, Counted) or not expected.curve.defined:
        return None
    sums = np.bincount(case.parts["test"].labels, expected.weights, minlength=len(case.shares))
    if not ((sums > 0) & (case.shares > 0)).all():
        return None
    return dict(zip(case.scored.classes, (sums / sums.sum() / case.shares).tolist(), strict=True))

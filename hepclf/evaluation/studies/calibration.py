"""Calibration: are the scores probabilities, and what would a temperature or an isotonic map bring?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Balance, Case
from hepclf.evaluation.evidence import Evidence, combined, one_sided_p, small, two_sided_p
from hepclf.recipe import recipe
from hepclf.scored import signal_scores
from hepclf.statistics import calibration as maps
from hepclf.statistics.calibration import Method, Temperature
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.losses import event_losses
from hepclf.statistics.shapes.reliability import Reliability, probability_bins, reliability
from hepclf.statistics.value import NOTHING, SINGLE, Value, measured
from hepclf.words import Grid, number

Array = NDArray[np.float64]

FEWEST = 20


@recipe
class Calibration:
    """The reliability of the probability of the signal on test, before and after maps fitted on validation.

    It is tested in the mixture of classes that the tagger was trained for, as it holds for no other.

    bins      of equal weight, at most: each has twenty effective events or more, but two bins there are always
    harmless  expected calibration error that is of no consequence, however significant
    """

    question: ClassVar[str] = "Are the scores probabilities?"
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
        fits = {"none": None, **_fits(case)}
        rows = {}
        plain = event_losses(part.labels, part.scores)
        for name, fit in fits.items():
            scores = part.scores if fit is None else fit(part.scores)
            of_signal = signal_scores(scores, case.signal)
            losses = event_losses(part.labels, scores)
            rows[name] = Quality(
                reliability=reliability(bin, of_signal, part.labels, case.signal, mixed),
                log_loss=_mean(losses, part.labels, mixed),
                brier=_mean((of_signal - (part.labels == case.signal)) ** 2, part.labels, mixed),
                gain=NOTHING
                if fit is None
                else _mean(plain - losses, part.labels, mixed, SINGLE * float(mixed @ plain)),
            )
        temperature = fits.get("temperature")
        return Calibrated(
            qualities=rows,
            temperature=_value(temperature) if isinstance(temperature, Temperature) else NOTHING,
            shares=dict(zip(part.classes, case.shares.tolist(), strict=True)),
            balance=case.balance,
            signal=part.classes[case.signal],
            ratios=_ratios(case),
            harmless=self.harmless,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Quality:
    """How good probabilities are on test; `gain` is by how much the log-loss fell, event by event."""

    reliability: Reliability
    log_loss: Value
    brier: Value
    gain: Value

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        values = {name: getattr(self, name).to_dict() for name in ("log_loss", "brier", "gain")}
        return {**values, **self.reliability.to_dict()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """Qualities as they are (`none`) and with each map, the temperature, and the mixture they hold in.

    ratios  fraction of each class in the expected yields over its fraction in the mixture, None where there are none
    """

    qualities: Mapping[str, Quality]
    temperature: Value
    shares: Mapping[str, float]
    balance: Balance
    signal: str
    ratios: Mapping[str, float] | None
    harmless: float

    @property
    def ratio(self) -> float | None:
        """Of two classes: odds of the signal in the expected yields over its odds in the mixture."""
        if self.ratios is None or len(self.ratios) > 2:
            return None
        return self.ratios[self.signal] / next(ratio for name, ratio in self.ratios.items() if name != self.signal)

    @property
    def evidence(self) -> Evidence:
        """Whether the scores are miscalibrated: the chi2 on test, and a temperature on validation that is not 1."""
        return combined(self.qualities["none"].reliability.p, _off(self.temperature))

    @property
    def conclusion(self) -> str:
        """`calibrated`, `harmless`, `miscalibrated` or `unknown`."""
        uncalibrated = self.qualities["none"].reliability
        if uncalibrated.p is None:
            return "unknown"
        if not self.evidence.significant:
            return "calibrated"
        return "harmless" if (uncalibrated.ece.value or 0) <= self.harmless else "miscalibrated"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The results with its mixture, what the best map would bring, and the formula for another mixture."""
        return (self._judged(), *self._cure(), *self._shifted())

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that tells of no miscalibration, with its short form."""
        return {self._judged(): self.evidence.short("calibration")} if self.conclusion == "calibrated" else {}

    def _judged(self) -> str:
        uncalibrated = self.qualities["none"].reliability
        mixture = "classes of equal weight, as in training" if self.balance == "classes" else "the mixture of training"
        ece, by_chance = number(*uncalibrated.ece), number(*uncalibrated.by_chance)
        error = f"expected calibration error ECE = {ece} ({by_chance} expected for perfect calibration), for {mixture}"
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
        # Gains over the same scores: the best of several is only certain after as many tests.
        sure = combined(*(one_sided_p(quality.gain) for quality in self.qualities.values())).significant
        if self.conclusion == "miscalibrated" and sure:
            error = self.qualities[best].reliability.ece
            stays = "; the ROC curve does not change" if len(self.shares) == 2 else ""
            yield (
                f"trainer.calibrate={best} would lower the log-loss on test by {number(*gain)}, and the ECE to "
                f"{number(*error)}{stays}."
            )
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
        even = 1 / (1 + self.ratio)
        yield (
            f"The expected ratio of {self.signal} to background is r = {self.ratio:.3g} times that in training. For "
            f"the expected yields, a score p means a probability of p r / (p r + 1 - p): 50 % at a score of {even:.4g}."
        )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """As they are and with each map."""
        rows = []
        for name, quality in self.qualities.items():
            reliability = quality.reliability
            p = "-" if reliability.p is None else small(reliability.p)
            label = "uncalibrated" if name == "none" else name
            rows.append((label, number(*quality.log_loss), number(*quality.brier), number(*reliability.ece), p))
        header = ("scores on test", "log-loss", "Brier score", "ECE", "p")
        return (Grid("calibration, fitted on validation", header, rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "verdict": self.conclusion,
            "evidence": self.evidence.to_dict(),
            "mixture": dict(self.shares),
            "yields_ratio": self.ratio,
            "yields_ratios": None if self.ratios is None else dict(self.ratios),
            "temperature": self.temperature.to_dict(),
            **{name: quality.to_dict() for name, quality in self.qualities.items()},
        }


def _fits(case: Case) -> dict[str, Any]:
    """The maps that validation events give; none without them."""
    if "valid" not in case.parts or (mixed := case.mixed("valid")) is None:
        return {}
    valid = case.parts["valid"]
    methods: tuple[Method, ...] = ("temperature", "isotonic") if len(valid.classes) == 2 else ("temperature",)
    return {method: maps.calibration_map(method, valid.scores, valid.labels, mixed) for method in methods}


def _off(temperature: Value) -> float | None:
    """Two-sided p of a temperature of 1; None where there is none."""
    return None if temperature.error is None else two_sided_p(temperature, 1.0)


def _value(fit: Temperature) -> Value:
    return measured(fit.temperature, fit.error)


def _mean(values: Array, labels: NDArray[np.int64], mixed: Array, rounding: float = 0.0) -> Value:
    """The mean over the mixture, with its error where the fraction of each class is given."""
    means = np.bincount(labels, mixed * values) / np.bincount(labels, mixed)
    residuals = means[labels]
    np.subtract(values, residuals, out=residuals)
    residuals *= mixed
    return measured(float(mixed @ values), math.sqrt(float(residuals @ residuals)), rounding)


def _ratios(case: Case) -> dict[str, float] | None:
    """The fraction of each class in the expected yields over its fraction in the mixture."""
    expected = case.counted.get("test")
    if not isinstance(expected, Counted) or not expected.curve.defined:
        return None
    sums = np.bincount(case.parts["test"].labels, expected.weights, minlength=len(case.shares))
    if not ((sums > 0) & (case.shares > 0)).all():
        return None
    return dict(zip(case.scored.classes, (sums / sums.sum() / case.shares).tolist(), strict=True))

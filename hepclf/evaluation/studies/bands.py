"""Uncertainties of the ROC curve and its working points: bootstrap bands and analytic errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.quantity import Quantity, quantities_table
from hepclf.recipe import recipe
from hepclf.statistics.counting.scan import chosen_significance
from hepclf.statistics.counting.significance import asimov, s_over_sqrt_b
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.bootstrap import Replicas, bins, bootstrap, interval
from hepclf.statistics.curves.partial import partial_area
from hepclf.statistics.curves.roc import Curve, area, background_error
from hepclf.statistics.curves.working_point import working_point
from hepclf.statistics.value import Value, measured
from hepclf.words import Grid

Array = NDArray[np.float64]

EFFICIENCIES = np.linspace(0.01, 1, 100)  # where the band is drawn
WIDE = 0.9544997361036416  # two standard deviations
ENDLESS = 10  # half intervals in a standard deviation that a few replicas alone decide
# Bootstrap and analytic errors agree where neither is larger than the other by more than this factor.
ALIKE = 1.25


@recipe
class Bands:
    """Bootstrap replicas of the ROC curve, and the ranges of background efficiency of partial areas."""

    question: ClassVar[str] = "How well are the ROC curve and its points known?"
    page_title: ClassVar[str] = "Uncertainty of the ROC curve"
    page_section: ClassVar[str] = "separate"

    replicas: int = 1000
    seed: int = 0
    partial: tuple[tuple[float, float], ...] = ((0.0, 0.1),)

    def __post_init__(self) -> None:
        if not 50 <= self.replicas <= 100_000:
            raise ValueError(f"replicas must be 50..100000 to make a band, not {self.replicas}")
        for low, high in self.partial:
            if not 0 <= low < high <= 1:
                raise ValueError(f"partial areas need 0 <= low < high <= 1, not [{low:g}, {high:g}]")

    def study(self, case: Case) -> Intervals | None:
        """Bands on the test set (without one, on the last available split); None where a class has no weight."""
        name = list(case.parts)[-1]
        curve, part, ranking = case.curves[name], case.parts[name], case.rankings[name]
        if not curve.defined:
            return None
        efficiencies = np.concatenate([case.targets, EFFICIENCIES])
        replicas = bootstrap(
            curve,
            ranking,
            part.labels == case.signal,
            case.weights(name).within,
            edges=bins(curve, efficiencies),
            replicas=self.replicas,
            seed=self.seed,
        )
        quantities = (
            *_areas(curve, replicas, self.partial),
            *_points(curve, replicas, case.targets),
            *self._counts(case),
        )
        return Intervals(split=name, replicas=self.replicas, quantities=quantities, band=_band(curve, replicas))

    def _counts(self, case: Case) -> Iterator[Quantity]:
        """Significances on the test set of the cut that was chosen on the validation set."""
        test = case.counted.get("test")
        if not isinstance(test, Counted) or case.cut is None:
            return
        ranking, labels = case.rankings["test"], case.parts["test"].labels
        index = ranking.last(case.cut)
        passing = ranking.events_above(index)
        quoted = chosen_significance(
            test.curve, index, case.cut, test.weights[passing][labels[passing] != case.signal], case.rules
        )
        if quoted.reason is not None:
            return
        edges = np.unique([index, len(test.curve.thresholds) - 1])
        replicas = bootstrap(
            test.curve,
            ranking,
            labels == case.signal,
            test.weights,
            edges=edges,
            replicas=self.replicas,
            seed=self.seed,
        )
        s, b = replicas.signal[:, 0], replicas.background[:, 0]
        yield _quantity("s_over_sqrt_b", None, quoted.s_over_sqrt_b, s_over_sqrt_b(s, b))
        yield _quantity("asimov", None, quoted.asimov, asimov(s, b))


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """Background efficiency at signal efficiencies [e], its analytic error, and its 68 and 95 % bands [2, e]."""

    signal_efficiency: Array
    background_efficiency: Array
    error: Array
    narrow: Array
    wide: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """Bands of a curve, and intervals of the numbers read from it."""

    split: str
    replicas: int
    quantities: tuple[Quantity, ...]
    band: Band

    @property
    def _ratios(self) -> dict[Quantity, float]:
        """Half the bootstrap interval over the analytic error, where both are above zero."""
        return {quantity: ratio for quantity in self.quantities if (ratio := quantity.ratio)}

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that bootstrap and analytic errors agree, with its short form."""
        ratios = self._ratios.values()
        if not ratios or not 1 / ALIKE <= min(ratios) <= max(ratios) <= ALIKE:
            return {}
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        sentence = f"Bootstrap and analytic errors agree on {self.split} (ratios {span})."
        return {sentence: f"analytic errors (bootstrap / analytic {span})"}

    @property
    def sentences(self) -> tuple[str, ...]:
        """Whether the analytic errors are reliable."""
        sentences = list(self.passed)
        if self._ratios and not sentences:
            worst = max(self._ratios, key=lambda quantity: abs(math.log(self._ratios[quantity])))
            sentences.append(
                f"Few or high-weight events dominate {worst.words}: half its bootstrap interval is "
                f"{self._ratios[worst]:.2f} times the analytic error on {self.split}. Quote the bootstrap interval."
            )
        if endless := [quantity for quantity in self.quantities if quantity.is_heavy_tailed]:
            sentences.append(
                f"The bootstrap distribution of {_enumerated(endless)} has no finite standard deviation on "
                f"{self.split}: in some replicas no or hardly any background is left; quote the interval."
            )
        if self.quantities and all(
            quantity.low is None and quantity.bootstrap_error is None for quantity in self.quantities
        ):
            sentences.append(
                f"No bootstrap intervals on {self.split}: in some replicas a class has no positive sum of weights."
            )
        rejections = [quantity for quantity in self.quantities if quantity.name == "rejection"]
        unbounded = [rejection for rejection in rejections if rejection.low and rejection.high is None]
        if unbounded:
            points = ", ".join(f"{rejection.at:g}" for rejection in unbounded)
            sentences.append(
                f"The interval of the rejection at ε_s = {points} has no upper end: no background passes in at least "
                f"16 % of the {self.replicas:,} bootstrap replicas."
            )
        return tuple(sentences)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """One row for each quantity."""
        title = f"errors on {self.split}, {self.replicas:,} bootstrap replicas"
        return (quantities_table(title, self.quantities),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {
            "split": self.split,
            "replicas": self.replicas,
            "quantities": [quantity.to_dict() for quantity in self.quantities],
        }


def _enumerated(quantities: list[Quantity]) -> str:
    """`rejection at ε_s = 0.3`, or `the rejections at ε_s = 0.3 and 0.5`."""
    words, points = [quantity.words for quantity in quantities], [quantity.at for quantity in quantities]
    start = ""
    if len(quantities) > 1 and {quantity.name for quantity in quantities} == {"rejection"}:
        words, start = [f"{point:g}" for point in points], "the rejections at ε_s = "
    return start + " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _areas(curve: Curve, replicas: Replicas, ranges: tuple[tuple[float, float], ...]) -> Iterator[Quantity]:
    auc = area(curve)
    yield _quantity("auc", None, auc, replicas.areas(auc.value or math.nan))
    for low, high in ranges:
        partial = partial_area(curve, low, high).area
        yield _quantity("partial_auc", (low, high), partial, replicas.areas(partial.value or 0.0, low, high))


def _points(curve: Curve, replicas: Replicas, targets: tuple[float, ...]) -> Iterator[Quantity]:
    """Rejections; the ends of their intervals are the inverse ends of those of the background efficiency."""
    for target, efficiencies in zip(targets, replicas.background_at(targets).T, strict=True):
        point = working_point(curve, target)
        if point.rejection.value is None:
            continue
        least, most = interval(efficiencies)
        low, high = _inverse(most), _inverse(least)
        error = _deviation(efficiencies, low, high)
        yield Quantity("rejection", target, point.rejection, error, low, high)


def _inverse(efficiency: float) -> float | None:
    return float(1 / efficiency) if efficiency > 0 else None


def _deviation(efficiencies: Array, low: float | None, high: float | None) -> float | None:
    """Standard deviation of the rejections; None where replicas without background, or nearly so, leave it no value."""
    if low is None or high is None or not (efficiencies > 0).all():
        return None
    deviation = float(np.std(1 / efficiencies, ddof=1))
    if low < high and deviation > ENDLESS * (high - low) / 2:
        return None
    return deviation


def _quantity(name: str, efficiency: tuple[float, float] | None, value: Value, replicas: Array) -> Quantity:
    if not np.isfinite(replicas).all():
        return Quantity(name, efficiency, value, None, None, None)
    low, high = interval(replicas)
    return Quantity(
        name,
        efficiency,
        value,
        measured(float(np.mean(replicas)), float(np.std(replicas, ddof=1))).error,
        float(low),
        float(high),
    )


def _band(curve: Curve, replicas: Replicas) -> Band:
    index = curve.index_at(EFFICIENCIES)
    efficiencies = replicas.background_at(EFFICIENCIES)
    return Band(
        signal_efficiency=EFFICIENCIES,
        background_efficiency=curve.background_efficiency[index],
        error=background_error(curve, index),
        narrow=interval(efficiencies),
        wide=interval(efficiencies, WIDE),
    )

"""Flavour tagging: what a tag of two flavours is worth for the measurement of an asymmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case, in_shares
from hepclf.evaluation.split_results import LLR
from hepclf.recipe import recipe
from hepclf.statistics.quantile import quantile
from hepclf.statistics.tagging import Calibration, Tag, calibrated_power, effective_power, mistag_calibration, tag
from hepclf.statistics.value import NOTHING, Value, weighted_mean
from hepclf.words import Grid, number

Array = NDArray[np.float64]
NEGLIGIBLE = 1e-12  # a power that is rounding alone


@recipe
class Tagging:
    """Mistag fraction, dilution and effective power eps D^2 of a flavour tag, for two classes in equal shares.

    The more probable class is the tag, and the predicted mistag probability is eta = min(s, 1 - s).

    categories  number of categories of eta with equal sums of absolute weights; 0: no study
    """

    question: ClassVar[str] = "How much is the tag worth for the measurement of an asymmetry?"
    page_title: ClassVar[str] = "Flavour tagging"
    page_section: ClassVar[str] = "separate"

    categories: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.categories <= 100:
            raise ValueError(f"categories must lie in 0..100, not {self.categories}; choose 5, say, or 0 for no study")

    def study(self, case: Case) -> TagPower | None:
        """The power on test; categories and calibration are chosen on the validation set. None for several classes."""
        if not self.categories or len(case.scored.classes) != 2 or not {"valid", "test"} <= set(case.parts):
            return None
        weights, known = (in_shares(case.parts[split], np.full(2, 0.5)) for split in ("test", "valid"))
        if weights is None or known is None:
            return None
        eta, is_right = _tags(case, "test")
        valid_eta, valid_right = _tags(case, "valid")
        edges = _edges(valid_eta, np.abs(known), self.categories)
        category = np.searchsorted(edges, eta, side="right")
        calibration = mistag_calibration(valid_eta, valid_right, known)
        calibrated = NOTHING
        if calibration is not None:
            calibrated = calibrated_power(eta, weights, calibration)
        members = [category == number for number in range(self.categories)]
        return TagPower(
            inclusive=tag(weights, is_right, np.ones(len(eta), dtype=bool)),
            tags=tuple(tag(weights, is_right, inside) for inside in members),
            eta=tuple(weighted_mean(eta[inside], weights[inside]) for inside in members),
            power=effective_power(weights, is_right, category),
            calibration=calibration,
            calibrated=calibrated,
            exact=_exact(case, weights),
        )


def _edges(eta: Array, weights: Array, categories: int) -> Array:
    """The edges between categories of eta that have equal sums of weights."""
    order = np.argsort(eta, kind="stable")
    shares = np.linspace(0, 1, categories + 1)[1:-1]
    return np.array([quantile(eta[order], weights[order], share).value for share in shares], dtype=np.float64)


def _tags(case: Case, split: str) -> tuple[Array, NDArray[np.bool_]]:
    """The predicted mistag probability of each event, and whether its tag is right."""
    part = case.parts[split]
    return np.minimum(part.scores, 1 - part.scores), (part.scores >= 0.5) == (part.labels == 1)


def _exact(case: Case, weights: Array) -> Value:
    """The largest possible power, the mean of tanh^2(llr / 2), where the data have the exact likelihood ratio."""
    part = case.parts["test"]
    if LLR not in part.spectators:
        return NOTHING
    return weighted_mean(np.tanh(np.asarray(part.spectators[LLR], dtype=np.float64) / 2) ** 2, weights)


@dataclass(frozen=True, kw_only=True, eq=False)
class TagPower:
    """The effective power of a tag on test, for both flavours in equal shares.

    inclusive    all events in one category
    tags, eta    of each category: its tag, and its mean predicted mistag probability
    power        of the categories together
    calibration  of the mistag probability, from validation; None where it does not vary
    calibrated   power event by event, with the calibrated mistag probabilities
    exact        the largest possible power, where it is known
    """

    inclusive: Tag
    tags: tuple[Tag, ...]
    eta: tuple[Value, ...]
    power: Value
    calibration: Calibration | None
    calibrated: Value
    exact: Value

    @property
    def sentences(self) -> tuple[str, ...]:
        """The power by each way to use the tag, and the calibration."""
        best = "" if self.exact.value is None else f"; at best {_percent(self.exact)}"
        power = (
            f"Effective tagging power: {_percent(self.inclusive.power)} with one mistag fraction of "
            f"{_percent(self.inclusive.mistag)} for all events, {_percent(self.power)} in {len(self.tags)} categories, "
            f"{_percent(self.calibrated)} event by event{best}."
        )
        if self.calibration is None:
            return (power,)
        p0, p1, mean, _ = self.calibration
        line = (
            f"Calibration on validation: mistag probability = ({number(*p0)}) + ({number(*p1)}) (eta - {mean:.4f}), "
            f"with eta from the score; a perfect one has p0 = {mean:.4f} and p1 = 1."
        )
        return (power, line)

    @property
    def tables(self) -> tuple[Grid, ...]:
        """Each category, and all events."""
        rows = [(number(*eta), *_cells(row)) for eta, row in zip(self.eta, self.tags, strict=True)]
        rows += [("all", *_cells(self.inclusive))]
        header = ("mean predicted mistag", "efficiency", "mistag fraction", "dilution D", "power ε D²")
        return (Grid("flavour tagging on test, equal shares of both flavours", header, rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        calibration = None
        if self.calibration is not None:
            p0, p1, mean, _ = self.calibration
            calibration = {"p0": p0.to_dict(), "p1": p1.to_dict(), "mean": mean}
        return {
            "inclusive": _plain(self.inclusive),
            "categories": [{"eta": eta.to_dict(), **_plain(row)} for eta, row in zip(self.eta, self.tags, strict=True)],
            "power": self.power.to_dict(),
            "calibration": calibration,
            "calibrated": self.calibrated.to_dict(),
            "exact": self.exact.to_dict(),
        }


def _percent(value: Value) -> str:
    if value.value is None:
        return "-"
    if abs(value.value) < NEGLIGIBLE:
        return "0 %"
    return f"({number(100 * value.value, None if value.error is None else 100 * value.error)}) %"


def _cells(row: Tag) -> tuple[str, ...]:
    return tuple(number(*value) for value in row)


def _plain(row: Tag) -> dict[str, Any]:
    return {name: value.to_dict() for name, value in row._asdict().items()}

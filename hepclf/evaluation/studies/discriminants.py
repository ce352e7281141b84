"""One class against a mixture of the others: cuts on D = ln(p / sum f_j p_j), and the dependence on the fractions f."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.multiclass import at_random
from hepclf.evaluation.studies.points import inverse_efficiency
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.curves.chosen import check_shares
from hepclf.statistics.curves.fractions import Trade, discriminant_cuts, log_ratio, trade
from hepclf.statistics.curves.limit import Limit, heaviest, rejection_limit, rejection_text
from hepclf.statistics.curves.passing import passing
from hepclf.statistics.value import Value
from hepclf.words import Grid, grouped_rows, number, targeted

Array = NDArray[np.float64]


@recipe
class Discriminants:
    """Discriminants of several classes: for each class, the fractions of the other classes in its background.

    `against: {b: {c: 0.018}}` is D_b = ln(p_b / (0.018 p_c + ...)). Classes without a fraction share the rest of 1
    equally. Cuts are chosen on validation for `signal_efficiencies` of their class (by default the evaluation's) and
    quoted on test. Each given fraction is scanned on validation, with at most `events` events.
    """

    question: ClassVar[str] = "How well is each class separated from a mixture of the others?"
    page_title: ClassVar[str] = "Discriminants of the classes"
    page_section: ClassVar[str] = "separate"

    against: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    signal_efficiencies: tuple[float, ...] | None = None
    events: int = 200_000

    def __post_init__(self) -> None:
        check_shares(signal_efficiencies=self.signal_efficiencies)
        if self.events < 1000:
            raise ValueError(f"events must be 1000 or more, not {self.events}")
        for name, fractions in self.against.items():
            if not all(0 <= value <= 1 for value in fractions.values()) or sum(fractions.values()) > 1 + 1e-9:
                raise ValueError(
                    f"against.{name} must be fractions in 0..1 that sum to 1 at most, not {dict(fractions)}"
                )

    def check_classes(self, classes: tuple[str, ...]) -> None:
        """Refuse classes that the data does not have, before any training."""
        for name in self.against:
            self._fractions(name, classes)

    def study(self, case: Case) -> ClassDiscriminants | None:
        """The cuts and scans; None without discriminants, or where a split has no events."""
        targets = case.efficiencies(self.signal_efficiencies)
        if not (self.against and targets and {"valid", "test"} <= set(case.parts)):
            return None
        valid, test = (replace(case.parts[name], weights=case.weights(name).within) for name in ("valid", "test"))
        discriminants = {
            name: _discriminant(
                test, valid, name, self._fractions(name, test.classes), tuple(scanned), targets, self.events
            )
            for name, scanned in self.against.items()
        }
        return ClassDiscriminants(discriminants)

    def _fractions(self, name: str, classes: tuple[str, ...]) -> Array:
        """The fraction of each class [k]; that of the discriminant's own class is zero."""
        if len(classes) < 3:
            raise ValueError(f"evaluation.discriminants.against needs three classes or more, not {list(classes)}")
        fractions = self.against[name]
        for class_name in (name, *fractions):
            if class_name not in classes:
                raise ValueError(
                    f"evaluation.discriminants.against names {class_name!r}, which is no class"
                    f"{nearest(class_name, classes)}"
                )
        if name in fractions:
            raise ValueError(f"evaluation.discriminants.against.{name} must leave out {name!r}, its own class")
        unnamed = [class_name for class_name in classes if class_name != name and class_name not in fractions]
        remainder = 1 - sum(fractions.values())
        if not unnamed and abs(remainder) > 1e-9:
            raise ValueError(
                f"evaluation.discriminants.against.{name} names every other class, so its fractions must sum to 1, "
                f"not {1 - remainder:g}"
            )
        complete = dict.fromkeys(unnamed, remainder / max(len(unnamed), 1)) | dict(fractions) | {name: 0.0}
        return np.array([complete[class_name] for class_name in classes])


class Cut(NamedTuple):
    """A cut on a discriminant, with the efficiency of each class on test and the rejections of the other classes.

    limits  lower limits of the rejection, for classes of which no event passes
    """

    target: float
    cut: float
    efficiencies: Mapping[str, Value]
    rejections: Mapping[str, Value]
    limits: Mapping[str, Limit]


@dataclass(frozen=True, kw_only=True, eq=False)
class Discriminant:
    """The fractions of the other classes, the cuts, and the scan of each given fraction on validation."""

    target: int
    targets: tuple[float, ...]
    fractions: Mapping[str, float]
    cuts: tuple[Cut, ...]
    trades: Mapping[str, Trade]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        points = [
            {
                "signal_efficiency": point.target,
                "cut": point.cut,
                "efficiencies": {name: value.to_dict() for name, value in point.efficiencies.items()},
                "rejections": {name: value.to_dict() for name, value in point.rejections.items()},
                "rejection_limits": {name: limit._asdict() for name, limit in point.limits.items()},
            }
            for point in self.cuts
        ]
        return {"fractions": dict(self.fractions), "points": points}


@dataclass(frozen=True, eq=False)
class ClassDiscriminants:
    """The discriminant of each configured class."""

    discriminants: Mapping[str, Discriminant]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The discriminants without a cut."""
        return tuple(
            f"No cut on the discriminant of {name}: its weights in the validation set have no positive sum."
            for name, discriminant in self.discriminants.items()
            if not discriminant.cuts
        )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The cuts of each discriminant."""
        return tuple(self._grids())

    def _grids(self) -> Iterator[Grid]:
        for name, discriminant in self.discriminants.items():
            mixture = ", ".join(f"{value:.3g} {background}" for background, value in discriminant.fractions.items())
            backgrounds = list(discriminant.fractions)
            rows = [
                (
                    targeted(f"{point.cut:.4g}", [same.target for same in (point, *ties)]),
                    number(*point.efficiencies[name]),
                    *(_rejected(point, background) for background in backgrounds),
                )
                for point, *ties in grouped_rows(discriminant.cuts, lambda point: point.cut)
            ]
            header = ("cut", f"efficiency of {name}", *(f"rejection of {background}" for background in backgrounds))
            yield Grid(f"{name} against {mixture}: cuts chosen on validation, quoted on test", header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return {name: discriminant.to_dict() for name, discriminant in self.discriminants.items()}


def _rejected(point: Cut, name: str) -> str:
    return rejection_text(point.rejections[name], point.limits.get(name))


def _limit(part: Scored, label: int) -> Limit:
    members = part.labels == label
    return rejection_limit(float(part.weights[members].sum()), heaviest(part.weights[members], part.processes[members]))


def _discriminant(
    test: Scored,
    valid: Scored,
    name: str,
    fractions: Array,
    scanned: tuple[str, ...],
    targets: tuple[float, ...],
    events: int,
) -> Discriminant:
    target, classes = test.classes.index(name), test.classes
    chosen = discriminant_cuts(
        log_ratio(valid.scores, target, fractions), valid.labels == target, valid.weights, targets
    )
    points: tuple[Cut, ...] = ()
    if chosen is not None:
        points = _cuts(test, target, fractions, chosen, targets)
    rows = at_random(valid, events)
    columns = valid.labels[rows], valid.scores[rows], valid.weights[rows]
    trades = {
        class_name: trade(*columns, target, fractions, classes.index(class_name), targets) for class_name in scanned
    }
    return Discriminant(
        target=target,
        targets=targets,
        fractions={
            class_name: float(fraction)
            for i, (class_name, fraction) in enumerate(zip(classes, fractions, strict=True))
            if i != target
        },
        cuts=points,
        trades={class_name: values for class_name, values in trades.items() if values is not None},
    )


def _cuts(
    test: Scored, target: int, fractions: Array, thresholds: Array, targets: tuple[float, ...]
) -> tuple[Cut, ...]:
    """The efficiency of each class on test at each threshold, which was chosen on validation."""
    classes = test.classes
    passed = passing(log_ratio(test.scores, target, fractions), thresholds, test.labels, test.weights, len(classes))
    others = [(label, name) for label, name in enumerate(classes) if label != target]
    return tuple(
        Cut(
            efficiency,
            float(thresholds[column]),
            {name: passed.value(label, column) for label, name in enumerate(classes)},
            {name: inverse_efficiency(passed.value(label, column)) for label, name in others},
            {
                name: _limit(test, label)
                for label, name in others
                if passed.passing_squares[label, column] == 0 < passed.total[label]
            },
        )
        for column, efficiency in enumerate(targets)
    )

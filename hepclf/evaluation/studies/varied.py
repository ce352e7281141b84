"""One systematic variation of the test events: the varied weights or scores, and the quantities that they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.studies.column import ROWS, unknown
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.scored import Scored
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.chosen import Wish
from hepclf.statistics.curves.roc import Ranking, area, curve, influence
from hepclf.statistics.shapes.shift import Moved, passing_efficiency, passing_weight
from hepclf.statistics.value import Value

Array = NDArray[np.float64]


@recipe
class Variation:
    """One variation: other weights (a spectator), a factor on them (a spectator), or features scaled and shifted.

    A feature x becomes scale x + shift, all those named together.
    """

    weight: str | None = None
    factor: str | None = None
    features: tuple[str, ...] = ()
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        kinds = [name for name in ("weight", "factor", "features") if getattr(self, name)]
        if len(kinds) != 1:
            raise ValueError(f"a variation must have one of weight, factor and features, not {kinds or 'none'}")
        if not np.isfinite([self.scale, self.shift]).all():
            raise ValueError(f"scale and shift must be finite, not {self.scale} and {self.shift}")
        if bool(self.features) == ((self.scale, self.shift) == (1.0, 0.0)):
            raise ValueError("features are varied by a scale or a shift, and those vary features alone; give both")

    def check(self, name: str, spectators: Iterable[str], features: Sequence[str]) -> None:
        """Refuse a weight or a factor that is no spectator, and a feature that is none."""
        for feature in self.features:
            if feature not in features:
                raise ValueError(
                    f"evaluation.variations.named.{name}: {feature!r} is no feature of the data"
                    f"{nearest(feature, features)}"
                )
        spectator = self.weight or self.factor
        if spectator and spectator not in (names := tuple(spectators)):
            raise ValueError(f"evaluation.variations.named.{name}: {unknown(spectator, names)}")


class Quoted(NamedTuple):
    """The AUC, and at each cut the efficiencies of signal and background, S and B."""

    auc: Value
    by_cut: Mapping[Wish, Mapping[str, Value]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """The AUC and the figures at each cut, nominal or varied, each with the influence of every event on it."""

    auc: Moved | None
    by_cut: Mapping[Wish, Mapping[str, Moved | None]]

    @property
    def quoted(self) -> Quoted:
        """The numbers with their errors."""
        values = {
            wish: {name: quoted_value(figure) for name, figure in moved.items()} for wish, moved in self.by_cut.items()
        }
        return Quoted(quoted_value(self.auc), values)


def quoted_value(figure: Moved | None) -> Value:
    """A number with its error, nothing for None."""
    return Value(None) if figure is None else figure.quoted


def figures(case: Case, cuts: Mapping[Wish, float], weights: Array, scores: Array | None) -> Figures:
    """The figures of the test events with these weights and, unless None, these scores."""
    part = case.parts["test"]
    is_signal = part.labels == case.signal
    ranking = case.rankings["test"] if scores is None else Ranking(scores)
    scores = case.discriminant("test") if scores is None else scores
    counted = case.counted["test"]
    expected = _scaled(part, weights, counted.weights) if isinstance(counted, Counted) else None
    weights = _scaled(part, weights, case.weights("test").within)
    signal_curve = curve(ranking, is_signal, weights)
    value = area(signal_curve).value
    auc = None if value is None else Moved(value, influence(signal_curve, ranking, is_signal, weights))
    by_cut: dict[Wish, dict[str, Moved | None]] = {}
    for wish, cut in cuts.items():
        passing = scores >= cut
        by_cut[wish] = {
            "signal_efficiency": passing_efficiency(passing, np.where(is_signal, weights, 0.0)),
            "background_efficiency": passing_efficiency(passing, np.where(is_signal, 0.0, weights)),
            "s": None if expected is None else passing_weight(passing & is_signal, expected),
            "b": None if expected is None else passing_weight(passing & ~is_signal, expected),
        }
    return Figures(auc=auc, by_cut=by_cut)


def _scaled(part: Scored, weights: Array, nominal_scaled: Array) -> Array:
    """Varied weights [n], each process scaled as its nominal weights are, so that a variation may change its total."""
    if nominal_scaled is part.weights:
        return weights
    group = part.processes * len(part.classes) + part.labels
    nominal, scaled = (np.bincount(group, np.abs(sizes)) for sizes in (part.weights, nominal_scaled))
    factors = np.divide(scaled, nominal, out=np.ones(len(nominal)), where=nominal > 0)
    return np.asarray(weights * factors[group])


def varied(case: Case, name: str, variation: Variation) -> tuple[Array, Array | None]:
    """The weights of test events [n], and their scores [n], None where they are as they were."""
    part = case.parts["test"]
    variation.check(name, part.spectators, case.inside.names if case.inside else ())
    if variation.features:
        return part.weights, _scores(case, variation)
    spectator = variation.weight or variation.factor or ""
    carried = part.spectators[spectator]
    if carried.dtype.kind not in "biuf":
        raise ValueError(f"spectator {spectator!r} must be numbers to vary weights, not {carried[0]!r}")
    column = carried.astype(np.float64)
    if bad := int((~np.isfinite(column)).sum()):
        raise ValueError(
            f"spectator {spectator!r} must be finite to vary weights, not nan or infinite as in {bad:,} test events"
        )
    return column if variation.weight else part.weights * column, None


def _scores(case: Case, variation: Variation) -> Array:
    """The probability of the signal with varied features, [n], asked for in blocks."""
    part, inside = case.parts["test"], case.inside
    if inside is None:
        raise ValueError("features cannot be varied from stored scores alone")
    places = [inside.names.index(feature) for feature in variation.features]
    scores = np.empty(len(part))
    for start in range(0, len(part), ROWS):
        rows = np.arange(start, min(start + ROWS, len(part)))
        features = np.array(inside.read(rows))
        features[:, places] = features[:, places] * variation.scale + variation.shift
        probabilities = np.asarray(inside.ask(features), dtype=np.float64)
        of_signal = probabilities if case.signal == 1 else 1 - probabilities
        scores[rows] = probabilities[:, case.signal] if probabilities.ndim == 2 else of_signal
    return scores

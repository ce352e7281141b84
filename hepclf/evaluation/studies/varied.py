"""One systematic variation of the test events: the varied weights or scores, and the numbers computed from them."""

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
from hepclf.scored import Scored, signal_scores
from hepclf.statistics.counting.yields import Counted
from hepclf.statistics.curves.chosen import Wish
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve, influence
from hepclf.statistics.shapes.shift import Moved, passing_efficiency, passing_weight
from hepclf.statistics.value import Value

Array = NDArray[np.float64]


@recipe
class Variation:
    """One variation: other weights (a spectator), a factor on the weights (a spectator), or changed features.

    Each feature x of `features` becomes scale x + shift.
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
        """Refuse a weight or factor that is not a spectator of the data, and unknown features."""
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
    """A number with its error; None has no value."""
    if figure is None:
        return Value(None)
    return figure.quoted


def figures(case: Case, cuts: Mapping[Wish, float], weights: Array, scores: Array | None) -> Figures:
    """The figures of the test events with these weights and scores; scores None: the nominal ones."""
    part, counted = case.parts["test"], case.counted["test"]
    is_signal = part.labels == case.signal
    if scores is None:
        ranking, scores = case.rankings["test"], case.discriminant("test")
    else:
        ranking = Ranking(scores)
    varied_weights = _scaled(part, weights, case.weights("test").within)
    expected = None
    if isinstance(counted, Counted):
        expected = _scaled(part, weights, counted.weights)
    by_cut: dict[Wish, dict[str, Moved | None]] = {}
    for wish, cut in cuts.items():
        passing = scores >= cut
        by_cut[wish] = {
            "signal_efficiency": passing_efficiency(passing, np.where(is_signal, varied_weights, 0.0)),
            "background_efficiency": passing_efficiency(passing, np.where(is_signal, 0.0, varied_weights)),
            "s": None,
            "b": None,
        }
        if expected is not None:
            by_cut[wish] |= {
                "s": passing_weight(passing & is_signal, expected),
                "b": passing_weight(passing & ~is_signal, expected),
            }
    return Figures(auc=_area(ranking, is_signal, varied_weights), by_cut=by_cut)


def _area(ranking: Ranking, is_signal: NDArray[np.bool_], weights: Array) -> Moved | None:
    """The AUC with the influence of each event; None where a class has no positive sum of weights."""
    signal_curve = curve(ranking, is_signal, weights)
    value = area(signal_curve).value
    if value is None:
        return None
    return Moved(value, influence(signal_curve, ranking, is_signal, weights))


def _scaled(part: Scored, weights: Array, nominal_scaled: Array) -> Array:
    """Varied weights [n], scaled by the factor of the nominal weights of each process: a variation changes totals."""
    if nominal_scaled is part.weights:
        return weights
    group = part.processes * len(part.classes) + part.labels
    nominal, scaled = (np.bincount(group, np.abs(sizes)) for sizes in (part.weights, nominal_scaled))
    factors = np.divide(scaled, nominal, out=np.ones(len(nominal)), where=nominal > 0)
    return np.asarray(weights * factors[group])


def varied(case: Case, name: str, variation: Variation) -> tuple[Array, Array | None]:
    """The varied weights of the test events [n], and their varied scores [n], None where these do not change."""
    part = case.parts["test"]
    variation.check(name, part.spectators, case.feature_names)
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
    if variation.weight:
        return column, None
    return part.weights * column, None


def _scores(case: Case, variation: Variation) -> Array:
    """The signal probability with varied features, [n], computed in blocks."""
    part, inside = case.parts["test"], case.inside
    if inside is None:
        raise ValueError("features cannot be varied from stored scores alone")
    places = [inside.names.index(feature) for feature in variation.features]
    scores = np.empty(len(part))
    for start in range(0, len(part), ROWS):
        rows = np.arange(start, min(start + ROWS, len(part)))
        features = np.array(inside.read(rows))
        features[:, places] = features[:, places] * variation.scale + variation.shift
        probabilities = np.asarray(inside.scores(features, rows), dtype=np.float64)
        scores[rows] = signal_scores(probabilities, case.signal)
    return scores

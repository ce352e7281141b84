"""One systematic variation of the test events: what it makes of their weights or scores, and of what is judged."""

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
        given = [name for name in ("weight", "factor", "features") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"a variation is one of weight, factor and features, however it has {given or 'none'}")
        if not np.isfinite([self.scale, self.shift]).all():
            raise ValueError(f"scale and shift must be finite, however scale={self.scale} and shift={self.shift}")
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
        if spectator and spectator not in (known := tuple(spectators)):
            raise ValueError(f"evaluation.variations.named.{name}: {unknown(spectator, known)}")


class Quoted(NamedTuple):
    """The AUC, and at each cut the efficiencies of signal and background, S and B."""

    auc: Value
    at: Mapping[Wish, Mapping[str, Value]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What is looked at, nominal or varied: each number with what every event does to it."""

    auc: Moved | None
    at: Mapping[Wish, Mapping[str, Moved | None]]

    @property
    def quoted(self) -> Quoted:
        """The numbers with their errors."""
        at = {wish: {name: quote(of) for name, of in moved.items()} for wish, moved in self.at.items()}
        return Quoted(quote(self.auc), at)


def quote(of: Moved | None) -> Value:
    """A number with its error, nothing for None."""
    return Value(None) if of is None else of.quoted


def seen(case: Case, cuts: Mapping[Wish, float], weights: Array, scores: Array | None) -> Seen:
    """The numbers of test with these weights and, unless None, these scores."""
    part = case.parts["test"]
    is_signal = part.labels == case.signal
    ranking = case.rankings["test"] if scores is None else Ranking(scores)
    scores = case.discriminant("test") if scores is None else scores
    counted = case.counted["test"]
    expected = _scaled(part, weights, counted.weights) if isinstance(counted, Counted) else None
    weights = _scaled(part, weights, case.weights("test").within)
    of = curve(ranking, is_signal, weights)
    found = area(of).value
    auc = None if found is None else Moved(found, influence(of, ranking, is_signal, weights))
    at: dict[Wish, dict[str, Moved | None]] = {}
    for wish, cut in cuts.items():
        kept = scores >= cut
        at[wish] = {
            "signal_efficiency": passing_efficiency(kept, np.where(is_signal, weights, 0.0)),
            "background_efficiency": passing_efficiency(kept, np.where(is_signal, 0.0, weights)),
            "s": None if expected is None else passing_weight(kept & is_signal, expected),
            "b": None if expected is None else passing_weight(kept & ~is_signal, expected),
        }
    return Seen(auc=auc, at=at)


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
        raise ValueError(f"spectator {spectator!r} must be numbers to vary weights, however it holds {carried[0]!r}")
    column = carried.astype(np.float64)
    if bad := int((~np.isfinite(column)).sum()):
        raise ValueError(f"spectator {spectator!r} must be finite to vary weights, however {bad:,} test events are not")
    return column if variation.weight else part.weights * column, None


def _scores(case: Case, variation: Variation) -> Array:
    """The probability of the signal with varied features, [n], asked for in blocks."""
    part, inside = case.parts["test"], case.inside
    if inside is None:
        raise ValueError("features cannot be varied from stored scores alone")
    places = [inside.names.index(feature) for feature in variation.features]
    found = np.empty(len(part))
    for start in range(0, len(part), ROWS):
        rows = np.arange(start, min(start + ROWS, len(part)))
        features = np.array(inside.read(rows))
        features[:, places] = features[:, places] * variation.scale + variation.shift
        asked = np.asarray(inside.ask(features), dtype=np.float64)
        two = asked if case.signal == 1 else 1 - asked
        found[rows] = asked[:, case.signal] if asked.ndim == 2 else two
    return found

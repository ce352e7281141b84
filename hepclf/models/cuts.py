"""Rectangular cuts with the least background at each signal efficiency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices
from hepclf.models.boxes import ROUNDING, Box, CodedSample, Codes, Search
from hepclf.models.grid import cut_expression, grid
from hepclf.models.model import Fit
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]
Side = Literal["above", "below", "window"]
OPEN = float(np.finfo(np.float64).max)  # where there is no cut; infinities are refused in files
TRIED = 0.7  # the signal efficiency at which the sides of a feature are chosen
WINDOW = 0.02  # of the background that a second side must remove there
FEWEST = 10  # effective background events of a significance
STEP = 1e-9  # between scores of boxes that are equally pure


@recipe
class Cuts:
    """Boxes of cuts on the features, one for each of `steps - 1` signal efficiencies, each inside the next looser one.

    An event's score is the signal fraction, in the validation set, among the events in the same boxes, made to rise
    from box to box. So `score >= threshold` is one box of cuts, and the selection that is printed.

    efficiency  signal efficiency at which the cuts are optimised and printed; null: where S/sqrt(B) is largest on
                the validation set, among boxes that keep at least 10 effective background events
    sides       for single features, by name: above (keep larger values), below or window; for other features the data
                decide: two sides if the second one removes 2 % of the background
    steps       signal efficiencies 1/steps, 2/steps...
    places      number of possible cuts on a feature: weighted quantiles of the signal
    restarts    number of searches from the open box, with the edges in different orders

    An event with a missing value fails every cut on that feature.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"seed"}

    efficiency: float | None = None
    sides: Mapping[str, Side] = field(default_factory=dict)
    steps: int = 20
    places: int = 100
    restarts: int = 2

    def __post_init__(self) -> None:
        for name, minimum, maximum in (("steps", 2, 1000), ("places", 2, 250), ("restarts", 1, 1000)):
            if not minimum <= getattr(self, name) <= maximum:
                raise ValueError(f"{name} must lie between {minimum} and {maximum}, not {getattr(self, name)}")
        if self.efficiency is not None and not 0 < self.efficiency < 1:
            raise ValueError(f"efficiency must lie between 0 and 1, not {self.efficiency}")

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, _: Trainer) -> None:
        """Refuse settings that do not fit these features and classes; None if they are not known yet."""
        if classes is not None and len(classes) != 2:
            raise ValueError(f"model=cuts needs two classes, the data has {len(classes)}; use model=bdt")
        if names is not None and (strange := [name for name in self.sides if name not in names]):
            raise ValueError(f"model.sides names {strange[0]!r}, which is not a feature{nearest(strange[0], names)}")

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        self.check(train.names, train.classes, trainer)
        first, second = matrices(train, valid, trainer, "model=cuts")
        physical = trainer.weighing(valid).weights
        return ArrayFit(first, second, lambda train: _fitted(self, train, second, physical, trainer.seed))


class CutsTagger(ArrayTagger):
    """Boxes from loose to tight, and the score for the number of boxes that hold an event."""

    kind = "cuts"

    def probabilities(self, features: NDArray[np.float32]) -> Array:
        """Of class 1 [n]."""
        scores: Array = self.arrays["scores"][self.boxes(features)]
        return scores

    def boxes(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """The number of boxes that hold each event [n]."""
        low, high = self.arrays["low"], self.arrays["high"]
        inside = np.ones((len(features), len(low)), dtype=bool)
        for column, x in enumerate(features.astype(np.float64).T):
            inside &= (x[:, None] > low[:, column]) | (low[:, column] == -OPEN)
            inside &= (x[:, None] < high[:, column]) | (high[:, column] == OPEN)
        return np.asarray(inside.sum(axis=1))

    def check(self) -> None:
        """Check shapes, that scores rise, and that boxes lie inside each other."""
        d, size = len(self.inputs), len(self.arrays["low"])
        low, high = (self._shaped(name, (size, d)) for name in ("low", "high"))
        scores = self._shaped("scores", (size + 1,))
        if len(self.classes) != 2 or scores[0] < 0 or scores[-1] > 1 or (np.diff(scores) <= 0).any():
            raise ValueError("cuts must have two classes, and scores that rise from 0 to 1")
        if (np.diff(low, axis=0) < 0).any() or (np.diff(high, axis=0) > 0).any():
            raise ValueError("each box of cuts must lie inside the one before")

    def selection(self, box: int) -> str:
        """The cuts of a box, counted from the loosest, as an expression for data.selection."""
        rows = zip(self.inputs, self.arrays["low"][box].tolist(), self.arrays["high"][box].tolist(), strict=True)
        cuts = []
        for name, low, high in rows:
            lower = None if low == -OPEN else low
            upper = None if high == OPEN else high
            if (lower, upper) != (None, None):
                cuts.append(cut_expression(name, lower, upper))
        return " and ".join(cuts) or "1 > 0"  # true for every event; an empty text would be no selection


class Edge(NamedTuple):
    """One side of a feature: cuts from loose to tight [m]."""

    feature: int
    above: bool
    cuts: Array

    def codes(self, features: NDArray[np.float32]) -> Codes:
        """The number of cuts that each event passes [n]; 0 if the value is missing."""
        x = features[:, self.feature].astype(np.float64)
        if self.above:
            passed = np.searchsorted(self.cuts, x, side="left")
        else:
            passed = len(self.cuts) - np.searchsorted(self.cuts[::-1], x, side="right")
        return np.where(np.isnan(x), 0, passed).astype(np.uint8)


def _fitted(recipe: Cuts, train: Matrix, valid: Matrix, physical: Array, seed: int) -> CutsTagger:
    edges = _edges(recipe, train)
    search = Search(*_samples(edges, train), seed)
    targets = [step / recipe.steps for step in range(recipe.steps - 1, 0, -1)]
    if recipe.efficiency is not None:
        targets = sorted({*targets, recipe.efficiency}, reverse=True)
    boxes = search.best(targets, recipe.restarts)
    inside = [_passes(edges, box, valid) for box in boxes]
    if recipe.efficiency is None:
        anchor = int(np.argmax([_significance(box_events, valid.targets, physical) for box_events in inside]))
    else:
        anchor = targets.index(recipe.efficiency)
    nested = search.nested(targets, boxes, anchor)
    low, high = _limits(edges, nested, len(train.names))
    arrays = {"low": low, "high": high, "scores": np.linspace(0, 1, len(nested) + 1)}
    unscored = CutsTagger(inputs=train.names, classes=train.classes, arrays=arrays)
    arrays["scores"] = _scores(unscored.boxes(valid.features), valid, len(nested))
    summary = {
        "signal_efficiency": targets[anchor],
        "selection": unscored.selection(anchor),
        "selections": {f"{target:g}": unscored.selection(box) for box, target in enumerate(targets)},
    }
    return CutsTagger(inputs=train.names, classes=train.classes, arrays=arrays, summary=summary)


def _samples(edges: Sequence[Edge], train: Matrix) -> tuple[CodedSample, CodedSample]:
    """Signal and background by their codes; a single edge gets a second one that never moves."""
    codes = np.stack([edge.codes(train.features) for edge in edges])
    if len(edges) == 1:
        codes = np.concatenate([codes, np.zeros_like(codes)])
    signal = train.targets == 1
    return CodedSample(codes[:, signal], train.weights[signal]), CodedSample(codes[:, ~signal], train.weights[~signal])


def _edges(recipe: Cuts, train: Matrix) -> list[Edge]:
    edges: list[Edge] = []
    for column, name in enumerate(train.names):
        x = train.features[:, column]
        cuts = grid(x, train.weights, train.targets == 1, recipe.places)
        window = [Edge(column, True, cuts), Edge(column, False, cuts[::-1])]
        side = recipe.sides[name] if name in recipe.sides else _side(window, train)
        edges += {"above": window[:1], "below": window[1:], "window": window}[side]
    return edges


def _side(window: list[Edge], train: Matrix) -> Side:
    """The side on which a single cut removes most of the background; both if the second side removes enough more."""
    signal, background = _samples(window, train)
    places = max(signal.places, background.places)
    signal_share, background_share = (sample.shares(0, 1, places) for sample in (signal, background))
    background_share = np.where(signal_share >= TRIED - ROUNDING, background_share, 1)
    above, below = float(background_share[:, 0].min()), float(background_share[0].min())
    if min(above, below) - background_share.min() > WINDOW + ROUNDING:
        return "window"
    return "above" if above <= below else "below"


def _passes(edges: Sequence[Edge], box: Box, part: Matrix) -> NDArray[np.bool_]:
    passes = [edge.codes(part.features) >= place for edge, place in zip(edges, box, strict=False)]
    return np.asarray(np.all(passes, axis=0))


def _significance(inside: NDArray[np.bool_], targets: NDArray[np.int64], weights: Array) -> float:
    """S/sqrt(B) of the events inside; -1 if there is too little background to measure it."""
    s, b = (float(weights[inside & (targets == label)].sum()) for label in (1, 0))
    squares = float((weights[inside & (targets == 0)] ** 2).sum())
    if b <= 0 or b**2 < FEWEST * squares:  # b^2 / squares is the effective number of events
        return -1.0
    return float(s / b**0.5)


def _limits(edges: Sequence[Edge], boxes: Sequence[Box], d: int) -> tuple[Array, Array]:
    """The cuts of each box [boxes, d], from below and from above."""
    low, high = np.full((len(boxes), d), -OPEN), np.full((len(boxes), d), OPEN)
    for row, box in enumerate(boxes):
        for edge, place in zip(edges, box.tolist(), strict=False):
            if place:
                limits = low if edge.above else high
                limits[row, edge.feature] = edge.cuts[place - 1]
    return low, high


def _scores(boxes: NDArray[np.int64], part: Matrix, size: int) -> Array:
    """The signal fraction of events in 0, 1... boxes [size + 1], with one average event added, made to rise."""
    from scipy.optimize import isotonic_regression

    total, signal = (np.bincount(boxes, part.weights * chosen, minlength=size + 1) for chosen in (1, part.targets))
    prior = signal.sum() / total.sum()
    rising = isotonic_regression((signal + prior) / (total + 1), weights=total + 1).x
    return np.asarray(rising * (1 - STEP * size) + STEP * np.arange(size + 1))

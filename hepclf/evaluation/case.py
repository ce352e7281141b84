"""The scored events and settings that a study may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.finding import Finding
from hepclf.scored import Scored, discriminant
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.counting.mixture import Mixed, ProcessMixture
from hepclf.statistics.counting.scan import Scan, scan
from hepclf.statistics.counting.yields import Counted, scaled_curve
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import Curve, curve
from hepclf.statistics.value import has_positive_sum

Array = NDArray[np.float64]
Balance = Literal["classes", "mean", "none"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inside:
    """The features of the test events, and a function that scores features again; a study never sees a model.

    names     of the features [d]
    read      function from indices of test events [m] to their features, float32 [m, d]
    ask       function from features [m, d] to scores, [m] or [m, k]
    by_event  the same from features and the test events that they belong to [m], for a tagger trained in folds: the
              member that has not seen an event scores it; None: all events are scored alike
    """

    names: tuple[str, ...]
    read: Callable[[NDArray[np.intp]], NDArray[np.float32]]
    ask: Callable[[NDArray[np.float32]], Array]
    by_event: Callable[[NDArray[np.float32], NDArray[np.intp]], Array] | None = None

    def scores(self, features: NDArray[np.float32], places: NDArray[np.intp]) -> Array:
        """Scores from features [m, d], which stand for those of these test events [m]."""
        return self.ask(features) if self.by_event is None else self.by_event(features, places)


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedEvents:
    """Observed events, of unknown class: scores [n] or [n, k], weights [n], features [n, d] and their names."""

    scores: Array
    weights: Array
    features: NDArray[np.float32]
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """Scored events, sorted once for an evaluation, with everything that is expensive to compute.

    signal         the label of the signal
    parts          the splits that have events, by name
    rankings       their order by the probability of the signal
    counted        expected yields on validation and test, or why a split cannot have them
    rules          what a cut is optimised for, and the background that it must keep
    threshold      events are classified as signal from this probability on
    cut            the best cut on validation, None where there is none
    targets        the signal efficiencies of the working points
    luminosity_fb  luminosity of the expected yields, where it is known
    inside         features of the test events, where the caller has them
    balance        weights of the classes in training: `classes` made their sums equal
    observed       events of unknown class, where the caller has them
    mixture        the mixture of processes that efficiencies, areas and purities refer to
    """

    scored: Scored
    signal: int
    parts: Mapping[str, Scored]
    rankings: Mapping[str, Ranking]
    counted: Mapping[str, Counted | str]
    rules: Rules
    threshold: float
    cut: float | None
    targets: tuple[float, ...]
    luminosity_fb: float | None = None
    inside: Inside | None = None
    balance: Balance = "classes"
    observed: ObservedEvents | None = None
    mixture: ProcessMixture = field(default_factory=ProcessMixture)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, empty where the caller has no features."""
        if self.inside is None:
            return ()
        return self.inside.names

    @cached_property
    def shares(self) -> Array:
        """Fraction of each class in the mixture that the tagger was trained for, [k]."""
        return training_shares(self.balance, next(iter(self.parts.values())))

    def efficiencies(self, own: tuple[float, ...] | None) -> tuple[float, ...]:
        """The signal efficiencies of a study's own settings, or those of the evaluation where it sets none."""
        if own is None:
            return self.targets
        return own

    def mixed(self, split_name: str) -> Array | None:
        """Weights of a split in the class mixture of training, with sum one; None where a class has no weight."""
        return in_shares(self.parts[split_name], self.shares)

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Sums of the weights above each threshold, by split, for efficiencies of signal and background."""
        curves = {}
        for name, part in self.parts.items():
            counted, weights = self.counted.get(name), self.weights(name).within
            if isinstance(counted, Counted) and counted.weights is weights:
                curves[name] = counted.curve
            else:
                curves[name] = curve(self.rankings[name], part.labels == self.signal, weights)
        return curves

    @property
    def scan(self) -> Scan | None:
        """Significances against the cut on the test set; None without expected yields there."""
        counted = self.counted.get("test")
        if not isinstance(counted, Counted):
            return None
        return scan(counted.curve, self.rules)

    def weights(self, split_name: str) -> Mixed:
        """The weights of a split's events in the mixture."""
        return self.mixture.split_weights(split_name, self.parts[split_name])

    def mixture_curve(self, split_name: str) -> Curve:
        """Sums of the mixture's weights above each threshold, for purities."""
        background, signal = self.weights(split_name).scale
        return scaled_curve(self.curves[split_name], signal, background)

    def discriminant(self, split_name: str) -> Array:
        """The probability of the signal in a split, [n]."""
        return discriminant(self.parts[split_name], self.signal)


def training_shares(balance: Balance, learnt: Scored) -> Array:
    """Fraction of each class in the mixture of a training on these events, [k]."""
    k = len(learnt.classes)
    equal = np.full(k, 1 / k)
    if balance == "classes":
        return equal
    sums = np.maximum(np.bincount(learnt.labels, learnt.weights, minlength=k), 0)
    if not sums.any():
        return equal
    return np.asarray(sums / sums.sum())


def in_shares(part: Scored, shares: Array) -> Array | None:
    """Weights of the events with each class in its share [k] and sum one; None where a class has no weight."""
    k = len(part.classes)
    sums, squares = (np.bincount(part.labels, part.weights**power, minlength=k) for power in (1, 2))
    if not all(has_positive_sum(float(total), float(square)) for total, square in zip(sums, squares, strict=True)):
        return None
    return np.asarray(part.weights * (shares / sums)[part.labels])


class Study(Protocol):
    """A further question about a tagger: a recipe among the settings of an evaluation.

    With `picture_only = True` it is skipped where no pictures are drawn. `page_section` names its section of the page
    (PAGE_SECTIONS), by default the last one. Within a section the studies are sorted by `page_rank`, 0 by default, and
    then by the order of the settings. `page_title` is the study's heading there, by default its name.
    """

    @property
    def question(self) -> str:
        """The question that the study answers, in one sentence."""

    def study(self, case: Case) -> Finding | None:
        """The finding; None where the study does not apply (no spectator is configured, more than two classes)."""
